"""Optimisers: how a parameter moves by its gradient, and what they remember for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cli.training.graph import Graph
from cli.training.layers import Parameter

FIRST_DECAY: Final = 0.9
SECOND_DECAY: Final = 0.999
EPSILON: Final = 1e-7


class Optimiser(Protocol):
    """A rule of moving."""

    def memory(self, parameter: Parameter) -> tuple[str, ...]:
        """Give the names of tensors of the parameter's shape that begin with zeros."""
        ...

    def scalars(self) -> Mapping[str, float]:
        """Give numbers that all parameters share, with their first values."""
        ...

    def advance(self, graph: Graph) -> None:
        """Compute the next values of the shared numbers."""
        ...

    def move(self, graph: Graph, parameter: Parameter, gradient: str) -> None:
        """Compute the parameter's and its memory's next values, named with `.next`."""
        ...


@dataclass(frozen=True, slots=True)
class Descent:
    """A step against the gradient."""

    rate: float

    def memory(self, parameter: Parameter) -> tuple[str, ...]:
        """Remember nothing."""
        return ()

    def scalars(self) -> Mapping[str, float]:
        """Share nothing."""
        return {}

    def advance(self, graph: Graph) -> None:
        """Share nothing."""

    def move(self, graph: Graph, parameter: Parameter, gradient: str) -> None:
        """Give w - rate * g."""
        change = graph.add("Mul", gradient, graph.number(self.rate))
        graph.add("Sub", parameter.name, change, to=f"{parameter.name}.next")


@dataclass(frozen=True, slots=True)
class Momentum:
    """A step along a running sum of gradients."""

    rate: float

    def memory(self, parameter: Parameter) -> tuple[str, ...]:
        """Remember the running sum."""
        return (f"{parameter.name}.speed",)

    def scalars(self) -> Mapping[str, float]:
        """Share nothing."""
        return {}

    def advance(self, graph: Graph) -> None:
        """Share nothing."""

    def move(self, graph: Graph, parameter: Parameter, gradient: str) -> None:
        """Give v' = 0.9 v + g and w - rate * v'."""
        (speed,) = self.memory(parameter)
        kept = graph.add("Mul", speed, graph.number(FIRST_DECAY))
        faster = graph.add("Add", kept, gradient, to=f"{speed}.next")
        change = graph.add("Mul", faster, graph.number(self.rate))
        graph.add("Sub", parameter.name, change, to=f"{parameter.name}.next")


@dataclass(frozen=True, slots=True)
class Adam:
    """A step along the mean gradient, in units of its spread (arXiv 1412.6980)."""

    rate: float

    def memory(self, parameter: Parameter) -> tuple[str, ...]:
        """Remember the running means of gradients and of their squares."""
        return f"{parameter.name}.mean", f"{parameter.name}.square"

    def scalars(self) -> Mapping[str, float]:
        """Share the powers of both decays."""
        return {"decay.first": FIRST_DECAY, "decay.second": SECOND_DECAY}

    def advance(self, graph: Graph) -> None:
        """Raise the powers, and give the factors that undo the beginning with zeros."""
        for name, decay in (("first", FIRST_DECAY), ("second", SECOND_DECAY)):
            power = f"decay.{name}"
            graph.add("Mul", power, graph.number(decay), to=f"{power}.next")
            graph.add("Sub", graph.number(1.0), power, to=f"decay.{name}.rest")
        graph.add("Div", graph.number(self.rate), "decay.first.rest", to="decay.rate")

    def move(self, graph: Graph, parameter: Parameter, gradient: str) -> None:
        """Give w - rate * mean / (sqrt(square) + epsilon), both without their bias."""
        mean, square = self.memory(parameter)
        mean = self._running(graph, mean, gradient, FIRST_DECAY)
        squared = graph.add("Mul", gradient, gradient)
        square = self._running(graph, square, squared, SECOND_DECAY)
        spread = graph.add("Sqrt", graph.add("Div", square, "decay.second.rest"))
        unit = graph.add("Div", mean, graph.add("Add", spread, graph.number(EPSILON)))
        change = graph.add("Mul", unit, "decay.rate")
        graph.add("Sub", parameter.name, change, to=f"{parameter.name}.next")

    def _running(self, graph: Graph, name: str, value: str, decay: float) -> str:
        kept = graph.add("Mul", name, graph.number(decay))
        new = graph.add("Mul", value, graph.number(1.0 - decay))
        return graph.add("Add", kept, new, to=f"{name}.next")


OPTIMISERS: Final[Mapping[str, type[Descent] | type[Momentum] | type[Adam]]] = {
    "sgd": Descent,
    "momentum": Momentum,
    "adam": Adam,
}
