"""Layers of networks: what they compute, and how the loss moves with their parameters.

Each is written out as plain ONNX nodes, forward and backward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cli.training.graph import Graph


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor that is learnt."""

    name: str
    shape: tuple[int, ...]
    fan_in: int
    """Numbers that one result is a sum of; 0 for a bias, which begins with zeros."""


Gradients = dict[str, str]
"""Name of each parameter's gradient in the graph, by the parameter's name."""


class Layer(Protocol):
    """One layer of a network over a batch."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Give what it learns."""
        ...

    def forward(self, graph: Graph, taken: str) -> str:
        """Compute its output."""
        ...

    def backward(
        self, graph: Graph, taken: str, given: str, gradient: str, first: bool
    ) -> tuple[Gradients, str]:
        """Give the gradients of its parameters, and of what it took unless it comes first."""
        ...


@dataclass(frozen=True, slots=True)
class Dense:
    """Every output is a weighted sum of all inputs."""

    name: str
    inputs: int
    outputs: int

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Give weights and biases."""
        return (
            Parameter(f"{self.name}.weight", (self.inputs, self.outputs), self.inputs),
            Parameter(f"{self.name}.bias", (self.outputs,), 0),
        )

    def forward(self, graph: Graph, taken: str) -> str:
        """Multiply and add."""
        return graph.add("Gemm", taken, f"{self.name}.weight", f"{self.name}.bias")

    def backward(
        self, graph: Graph, taken: str, given: str, gradient: str, first: bool
    ) -> tuple[Gradients, str]:
        """Multiply with what was taken, and sum over the batch."""
        gradients = {
            f"{self.name}.weight": graph.add("Gemm", taken, gradient, transA=1),
            f"{self.name}.bias": graph.add("ReduceSum", gradient, graph.numbers([0]), keepdims=0),
        }
        if first:
            return gradients, ""
        return gradients, graph.add("Gemm", gradient, f"{self.name}.weight", transB=1)


@dataclass(frozen=True, slots=True)
class Relu:
    """What is negative becomes zero."""

    parameters: tuple[Parameter, ...] = ()

    def forward(self, graph: Graph, taken: str) -> str:
        """Cut at zero."""
        return graph.add("Relu", taken)

    def backward(
        self, graph: Graph, taken: str, given: str, gradient: str, first: bool
    ) -> tuple[Gradients, str]:
        """Let the gradient through where the output is positive."""
        positive = graph.add("Greater", given, graph.number(0.0))
        return {}, graph.add("Where", positive, gradient, graph.number(0.0))


@dataclass(frozen=True, slots=True)
class Convolution:
    """Squares of three by three slide over a picture that keeps its size."""

    name: str
    inputs: int
    """Channels."""

    outputs: int

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Give weights and biases."""
        shape = (self.outputs, self.inputs, 3, 3)
        return (
            Parameter(f"{self.name}.weight", shape, 9 * self.inputs),
            Parameter(f"{self.name}.bias", (self.outputs,), 0),
        )

    def forward(self, graph: Graph, taken: str) -> str:
        """Slide the squares."""
        weight, bias = (each.name for each in self.parameters)
        return graph.add("Conv", taken, weight, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def backward(
        self, graph: Graph, taken: str, given: str, gradient: str, first: bool
    ) -> tuple[Gradients, str]:
        """Slide the gradient over what was taken; the batch stands where channels stood."""
        assert first, "only a first layer slides"
        swapped = [graph.add("Transpose", each, perm=[1, 0, 2, 3]) for each in (taken, gradient)]
        slid = graph.add("Conv", *swapped, pads=[1, 1, 1, 1])
        weight, bias = (each.name for each in self.parameters)
        return {
            weight: graph.add("Transpose", slid, perm=[1, 0, 2, 3]),
            bias: graph.add("ReduceSum", gradient, graph.numbers([0, 2, 3]), keepdims=0),
        }, ""


@dataclass(frozen=True, slots=True)
class Pool:
    """The greatest of each two by two."""

    channels: int
    height: int
    width: int
    parameters: tuple[Parameter, ...] = ()

    def forward(self, graph: Graph, taken: str) -> str:
        """Give the greatest of each square, all in one row for each picture."""
        greatest = graph.add("MaxPool", taken, kernel_shape=[2, 2], strides=[2, 2])
        flat = self.channels * (self.height // 2) * (self.width // 2)
        return graph.add("Reshape", greatest, graph.numbers([-1, flat]))

    def backward(
        self, graph: Graph, taken: str, given: str, gradient: str, first: bool
    ) -> tuple[Gradients, str]:
        """Give the gradient to whoever is the greatest of its square."""
        halves = (self.height // 2, self.width // 2)
        squares = self._reshape(graph, taken, [halves[0], 2, halves[1], 2])
        greatest = self._reshape(graph, given, [halves[0], 1, halves[1], 1])
        spread = self._reshape(graph, gradient, [halves[0], 1, halves[1], 1])
        chosen = graph.add("Equal", squares, greatest)
        back = graph.add("Where", chosen, spread, graph.number(0.0))
        return {}, self._reshape(graph, back, [self.height, self.width])

    def _reshape(self, graph: Graph, name: str, shape: Sequence[int]) -> str:
        return graph.add("Reshape", name, graph.numbers([-1, self.channels, *shape]))
