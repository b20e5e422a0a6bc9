"""Which nodes of a program run together as one pass: found on the program, by names alone.

A value that is an output of the model, or that has other readers, is never fused away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from ai_exec.fast.finishing import Code, Link
from ai_exec.fast.kernels import is_lined_up
from ai_exec.program import Node, Program
from ai_exec.tensor import Shape, Tensor

FUNCTIONS: Final[Mapping[str, Code]] = {
    "Relu": Code.RELU,
    "Gelu": Code.GELU,
    "Erf": Code.ERF,
    "Tanh": Code.TANH,
    "Sigmoid": Code.SIGMOID,
    "Exp": Code.EXP,
    "Neg": Code.NEGATE,
    "Sqrt": Code.ROOT,
}
BY_NUMBER: Final = {"Add": Code.ADD_NUMBER, "Mul": Code.MULTIPLY_NUMBER, "Div": Code.DIVIDE_NUMBER}
BY_COLUMN: Final = {"Add": Code.ADD_COLUMN, "Mul": Code.MULTIPLY_COLUMN}
BY_TENSOR: Final = {"Add": Code.ADD_TENSOR, "Mul": Code.MULTIPLY_TENSOR}
BY_SAVED: Final = {"Add": Code.ADD_SAVED, "Mul": Code.MULTIPLY_SAVED}


@dataclass(frozen=True, slots=True)
class Run:
    """Nodes that follow a value one after the other."""

    links: tuple[Link, ...]
    nodes: tuple[int, ...]
    """Places of the nodes in the program."""
    result: str
    """What the last one writes."""
    tensor: str = ""
    """A tensor that one of them reads at each place, if any."""


class Graph:
    """A program's nodes by what they read and write."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.taken: set[int] = set()
        """Places of the nodes that some pass has already."""
        self._readers: dict[str, list[int]] = {}
        for index, node in enumerate(program.nodes):
            for name in node.reads:
                self._readers.setdefault(name, []).append(index)
        self._kept = {output.name for output in program.outputs}

    def readers(self, name: str) -> list[int]:
        """Places of the nodes that read a value, once for each time; none for an output."""
        return [] if name in self._kept else self._readers.get(name, [])

    def all_readers(self, name: str) -> list[int]:
        """As `readers`, of outputs too."""
        return self._readers.get(name, [])

    def reader(self, name: str, operator: str) -> int | None:
        """The only reader of a value, if it is of this operator."""
        found = self.readers(name)
        return found[0] if len(found) == 1 and self.is_plain(found[0], operator) else None

    def is_plain(self, index: int, operator: str) -> bool:
        """Tell whether a node is of the main domain's operator and on binary32."""
        node = self.program.nodes[index]
        return (
            self.is_exact(index)
            and node.operator.name == operator
            and node.operator.domain == ""
            and len(node.outputs) == 1
            and not is_lined_up(node)
            and self.is_single(node.inputs[0])
        )

    def is_exact(self, index: int) -> bool:
        """Tell whether all shapes that a node meets are known before the run."""
        node = self.program.nodes[index]
        return all(
            self.program.operands[name].exact for name in (*node.inputs, *node.outputs) if name
        )

    def is_single(self, name: str) -> bool:
        """Tell whether a value is of binary32."""
        operand = self.program.operands.get(name)
        return operand is not None and operand.dtype == "float32"

    def shape(self, name: str) -> Shape:
        """Give the shape of a value."""
        return self.program.operands[name].shape

    def number(self, name: str) -> Tensor | None:
        """Give a constant of one element."""
        value = self.program.constants.get(name)
        return value if value is not None and value.size == 1 and value.ndim <= 1 else None

    def follow(self, name: str, *, spread: bool = False) -> Run:
        """Give the longest run of steps after a value that only they read.

        With `spread`, the tensor that one of them reads may have fewer elements.
        """
        links: list[Link] = []
        nodes: list[int] = []
        current, tensor = name, ""
        while True:
            found = self.readers(current)
            more: Run | None = None
            if len(found) == 1:
                more = self.step(current, found[0], allow_tensor=not tensor, spread=spread)
            elif len(found) == 2:
                more = self._branch(current, found[0], found[1])
            if more is None:
                return Run(tuple(links), tuple(nodes), current, tensor)
            links += more.links
            nodes += more.nodes
            current, tensor = more.result, more.tensor or tensor

    def _branch(self, name: str, first: int, second: int) -> Run | None:
        """A value that meets what is made of it, as in gelu and silu."""
        merging = self.program.nodes[second]
        links = [Link(Code.SAVE)]
        nodes: list[int] = []
        current, index = name, first
        while index != second:
            more = self.step(current, index, allow_tensor=False)
            if more is None or len(self.readers(more.result)) != 1:
                return None
            links += more.links
            nodes += more.nodes
            current, index = more.result, self.readers(more.result)[0]
        code = BY_SAVED.get(merging.operator.name)
        if code is None or second in self.taken or not self.is_plain(second, merging.operator.name):
            return None
        if sorted(merging.inputs) != sorted((current, name)) or current == name:
            return None
        return Run((*links, Link(code)), (*nodes, second), merging.outputs[0])

    def step(
        self, name: str, index: int, *, allow_tensor: bool = True, spread: bool = False
    ) -> Run | None:
        """One node that makes the next value of the last, if it is one that chains know."""
        node = self.program.nodes[index]
        operator = node.operator.name
        if index in self.taken or not self.is_plain(index, operator):
            return None
        if self.shape(node.outputs[0]) != self.shape(name):
            return None
        if operator in FUNCTIONS:
            if operator == "Gelu" and node.attributes["approximate"] != "none":
                return None
            return Run((Link(FUNCTIONS[operator]),), (index,), node.outputs[0])
        if operator not in ("Add", "Sub", "Mul", "Div") or node.inputs[0] == node.inputs[1]:
            return None
        first = node.inputs[0] == name
        other = node.inputs[1] if first else node.inputs[0]
        links = self._constant_links(operator, other, self.shape(name), first=first)
        if links is not None:
            return Run(links, (index,), node.outputs[0])
        shape, full = self.shape(other), self.shape(name)
        fits = shape == full or (spread and is_spread(shape, full))
        if allow_tensor and operator in BY_TENSOR and fits and self.is_single(other):
            return Run((Link(BY_TENSOR[operator]),), (index,), node.outputs[0], other)
        return None

    def _constant_links(
        self, operator: str, other: str, shape: Shape, *, first: bool
    ) -> tuple[Link, ...] | None:
        """Steps with a constant; a difference is a sum with what has the other sign."""
        value = self.program.constants.get(other)
        if value is None or value.dtype != np.float32:
            return None
        negate: tuple[Link, ...] = ()
        if operator == "Sub":
            operator = "Add"
            if first:
                value = -value
            else:
                negate = (Link(Code.NEGATE),)
        elif operator == "Div" and not first:
            return None
        if value.size == 1:
            return (*negate, Link(BY_NUMBER[operator], value))
        if operator in BY_COLUMN and is_row(value.shape, shape):
            return (*negate, Link(BY_COLUMN[operator], value))
        return None


def is_row(shape: Shape, full: Shape) -> bool:
    """Tell whether a tensor has one element for each place along the last axis of another."""
    return bool(shape) and shape[-1] == full[-1] == prod(shape) and len(shape) <= len(full)


def is_spread(shape: Shape, full: Shape) -> bool:
    """Tell whether a tensor of matrices broadcasts to another, its rows being whole."""
    pairs = zip(reversed(shape[:-1]), reversed(full[:-1]), strict=False)
    return (
        2 <= len(shape) <= len(full)
        and shape[-1] == full[-1]
        and all(length in (1, other) for length, other in pairs)
    )


@dataclass(frozen=True, slots=True)
class Normalisation:
    """A layer normalisation that is written as single nodes."""

    epsilon: Tensor
    nodes: tuple[int, ...]
    result: str


def normalisation_at(graph: Graph, index: int) -> Normalisation | None:
    """Find mean, difference, square, mean, epsilon, root and quotient, from the first mean on."""
    nodes, program = graph.program.nodes, graph.program
    mean = nodes[index]
    if not _is_mean_of_rows(graph, index):
        return None
    x = mean.inputs[0]
    difference = graph.reader(mean.outputs[0], "Sub")
    if difference is None or nodes[difference].inputs != (x, mean.outputs[0]):
        return None
    centred = nodes[difference].outputs[0]
    square = _square_of(graph, centred)
    if square is None:
        return None
    second = graph.reader(nodes[square].outputs[0], "ReduceMean")
    if second is None or not _is_mean_of_rows(graph, second):
        return None
    added = graph.reader(nodes[second].outputs[0], "Add")
    if added is None:
        return None
    others = [name for name in nodes[added].inputs if name != nodes[second].outputs[0]]
    epsilon = graph.number(others[0]) if len(others) == 1 else None
    root = graph.reader(nodes[added].outputs[0], "Sqrt")
    if epsilon is None or root is None:
        return None
    quotients = graph.readers(nodes[root].outputs[0])
    if len(quotients) != 1 or not graph.is_plain(quotients[0], "Div"):
        return None
    quotient = quotients[0]
    if nodes[quotient].inputs != (centred, nodes[root].outputs[0]):
        return None
    used = {square, quotient}
    if set(graph.readers(centred)) != used or x in program.constants:
        return None
    found = (index, difference, square, second, added, root, quotient)
    return Normalisation(epsilon, found, nodes[quotient].outputs[0])


def _square_of(graph: Graph, name: str) -> int | None:
    """The node that squares a value: its second power, or its product with itself."""
    for index in graph.readers(name):
        node = graph.program.nodes[index]
        if graph.is_plain(index, "Mul") and node.inputs == (name, name):
            return index
        if graph.is_plain(index, "Pow") and node.inputs[0] == name:
            exponent = graph.number(node.inputs[1])
            shaped = exponent is not None and exponent.ndim <= len(graph.shape(name))
            if exponent is not None and shaped and exponent.item() == 2:
                return index
    return None


def _is_mean_of_rows(graph: Graph, index: int) -> bool:
    """Tell whether a node is the mean along the last axis, which keeps length 1."""
    if not graph.is_plain(index, "ReduceMean"):
        return False
    node = graph.program.nodes[index]
    shape = graph.shape(node.inputs[0])
    expected = (*shape[:-1], 1)
    return (
        len(shape) > 0
        and shape[-1] > 1
        and graph.shape(node.outputs[0]) == expected
        and (_axes_of(graph, node) in ((-1,), (len(shape) - 1,)))
    )


def _axes_of(graph: Graph, node: Node) -> tuple[int, ...] | None:
    if len(node.inputs) > 1:
        axes = graph.program.constants.get(node.inputs[1])
        return None if axes is None else tuple(int(axis) for axis in axes.reshape(-1))
    given = node.attributes.get("axes")
    return tuple(given) if isinstance(given, tuple) else None  # type: ignore[arg-type]
