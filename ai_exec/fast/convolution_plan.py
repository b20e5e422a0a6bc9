"""Which nodes run together with a convolution: chains on each element, found on the program."""

from collections.abc import Callable, Hashable, Mapping, Set
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

import numpy as np

from ai_exec.fast.convolution import PreparedConvolution
from ai_exec.fast.convolution_finish import Extra, Link
from ai_exec.fast.finishing import Code
from ai_exec.fast.fusion import (
    BY_COLUMN,
    BY_NUMBER,
    BY_SAVED,
    BY_TENSOR,
    FUNCTIONS,
    Graph,
)
from ai_exec.fast.weights import Weights, aligned
from ai_exec.program import Node
from ai_exec.tensor import Tensor

ONE_SIXTH: Final = float(np.float32(1 / 6))


@dataclass(frozen=True, slots=True)
class Chain:
    """Nodes that follow a value one after the other."""

    result: str
    """What the last one writes."""
    links: tuple[Link, ...] = ()
    nodes: tuple[int, ...] = ()
    """Places of the nodes in the program."""
    tensor: str = ""
    """A tensor that one of them reads at each place, if any."""

    def then(self, more: "Chain") -> "Chain":
        """Give this chain with another one after it."""
        links, nodes = (*self.links, *more.links), (*self.nodes, *more.nodes)
        return Chain(more.result, links, nodes, self.tensor or more.tensor)


@dataclass(frozen=True, slots=True)
class Planned:
    """A convolution and what follows it, as one pass."""

    compute: Callable[..., tuple[Tensor, Tensor]]
    inputs: tuple[Hashable, ...]
    outputs: tuple[Hashable, ...]
    """The last result, and the greatest bits of its channels."""
    nodes: tuple[int, ...]


def convolution_at(
    graph: Graph, index: int, weights: Weights, known: Set[Hashable]
) -> Planned | None:
    """Plan a convolution with constant kernels, a transposed one too, and what follows it.

    None if it is another node.
    Of values whose greatest bits are known, these are read too.
    """
    node, program = graph.program.nodes[index], graph.program
    if node.operator.name not in ("Conv", "ConvTranspose") or not graph.is_exact(index):
        return None
    kernels = program.constants.get(node.inputs[1])
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = program.constants.get(bias_name)
    shape = graph.shape(node.inputs[0])
    lengths = (*shape, *graph.shape(node.outputs[0]), *graph.shape(node.inputs[1]))
    if kernels is None or (bias_name and bias is None) or not all(lengths):
        return None
    chain = _follow(graph, node.outputs[0])
    painting = node.operator.name == "ConvTranspose"
    operands = (shape, kernels, bias, node.attributes, chain.links, weights)
    prepared = PreparedConvolution(*operands, painting=painting)
    x, sizes = node.inputs[0], sizes_of(node.inputs[0])
    inputs = (x, chain.tensor, sizes if sizes in known else "")
    return Planned(prepared.run, inputs, (chain.result, sizes_of(chain.result)), chain.nodes)


def sizes_of(name: str) -> Hashable:
    """Name the greatest bits of a value's channels."""
    return ("sizes", name)


def _follow(graph: Graph, name: str) -> Chain:
    """Give the longest chain after a value that only its nodes read."""
    chain = Chain(name)
    while True:
        readers = graph.readers(chain.result)
        more: Chain | None = None
        if len(readers) == 1:
            more = _step(graph, chain.result, readers[0], allow_tensor=not chain.tensor)
        elif len(readers) == 2:
            more = _branch(graph, chain.result, *readers)
        if more is None:
            return chain
        chain = chain.then(more)


def _branch(graph: Graph, name: str, first: int, second: int) -> Chain | None:
    """A value that meets what is made of it, as in silu."""
    merging, chain, index = graph.program.nodes[second], Chain(name, (Link(Code.SAVE),)), first
    while index != second:
        more = _step(graph, chain.result, index, allow_tensor=False)
        saves = more is not None and any(link.code is Code.SAVE for link in more.links)
        if more is None or saves or len(graph.readers(more.result)) != 1:
            return None
        chain, index = chain.then(more), graph.readers(more.result)[0]
    code = BY_SAVED.get(merging.operator.name)
    if code is None or second in graph.taken or not graph.is_plain(second, merging.operator.name):
        return None
    if sorted(merging.inputs) != sorted((chain.result, name)) or chain.result == name:
        return None
    return chain.then(Chain(merging.outputs[0], (Link(code),), (second,)))


def _step(graph: Graph, name: str, index: int, *, allow_tensor: bool) -> Chain | None:
    """One node that makes the next value of the last, if it is one that chains know."""
    node = graph.program.nodes[index]
    operator = node.operator.name
    if index in graph.taken or not graph.is_plain(index, operator):
        return None
    result = node.outputs[0]
    if graph.shape(result) != graph.shape(name):
        return None
    if operator in LINKS and node.inputs[0] == name:
        links = LINKS[operator](graph, node)
        return None if links is None else Chain(result, links, (index,))
    if operator not in ("Add", "Sub", "Mul", "Div") or node.inputs[0] == node.inputs[1]:
        return None
    first = node.inputs[0] == name
    other = node.inputs[1] if first else node.inputs[0]
    found = _constant_links(graph, operator, other, name, first=first)
    if found is not None:
        return Chain(result, found, (index,))
    same = graph.shape(other) == graph.shape(name) and graph.is_single(other)
    if allow_tensor and operator in BY_TENSOR and same:
        return Chain(result, (Link(BY_TENSOR[operator]),), (index,), other)
    return None


def _constant_links(
    graph: Graph, operator: str, other: str, name: str, *, first: bool
) -> tuple[Link, ...] | None:
    """Steps with a constant; a difference is a sum with what has the other sign."""
    value = graph.program.constants.get(other)
    if value is None or value.dtype != np.float32 or (operator == "Div" and not first):
        return None
    negate: tuple[Link, ...] = ()
    if operator == "Sub":
        operator = "Add"
        negate, value = ((), -value) if first else ((Link(Code.NEGATE),), value)
    shape = graph.shape(name)
    if value.size == 1:
        return (*negate, Link(BY_NUMBER[operator], (value.item(),)))
    by_channel = (shape[1], *[1] * (len(shape) - 2))
    if operator in BY_COLUMN and value.shape in (by_channel, (1, *by_channel)):
        return (*negate, Link(BY_COLUMN[operator], columns=(aligned(value),)))
    return None


Links = tuple[Link, ...] | None


def _normalisation(graph: Graph, node: Node) -> Links:
    given = [graph.program.constants.get(name) for name in node.inputs[1:5]]
    if any(value is None or value.dtype != np.float32 for value in given):
        return None
    if node.attributes.get("training_mode"):
        return None
    scale, bias, mean, variance = (np.array(value, np.float64) for value in given)
    factor = scale / np.sqrt(variance + _number(node, "epsilon"))
    return (Link(Extra.NORMALISE, columns=(mean, factor, bias)),)


def _clip(graph: Graph, node: Node) -> Links:
    bounds: list[Any] = [None, None]
    if "min" in node.attributes:
        bounds = [node.attributes["min"], node.attributes["max"]]
    for place, name in enumerate(node.inputs[1:3]):
        if name:
            value = graph.program.constants.get(name)
            if value is None:
                return None
            bounds[place] = value.item()
    if bounds == [None, None] or any(bound is not None and isnan(bound) for bound in bounds):
        return None
    low, high = bounds
    limits = (-np.inf if low is None else low, np.inf if high is None else high)
    return (Link(Extra.CLIP, limits),)


def _hard_sigmoid(graph: Graph, node: Node) -> Links:
    line = (_number(node, "alpha"), _number(node, "beta"))
    return (Link(Extra.LINE, line), Link(Extra.CLIP, (0.0, 1.0)))


def _hard_swish(graph: Graph, node: Node) -> Links:
    line = Link(Extra.LINE, (ONE_SIXTH, 0.5))
    gate = (line, Link(Extra.CLIP, (0.0, 1.0)))
    return (Link(Code.SAVE), *gate, Link(Code.MULTIPLY_SAVED))


def _leaky(graph: Graph, node: Node) -> Links:
    return (Link(Extra.LEAK, (_number(node, "alpha"),)),)


def _function(graph: Graph, node: Node) -> Links:
    exact = node.attributes.get("approximate", "none") == "none"
    return (Link(FUNCTIONS[node.operator.name]),) if exact else None


def _number(node: Node, name: str) -> float:
    value = node.attributes[name]
    assert isinstance(value, float)
    return value


LINKS: Final[Mapping[str, Callable[[Graph, Node], Links]]] = {
    "BatchNormalization": _normalisation,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "LeakyRelu": _leaky,
    **dict.fromkeys(FUNCTIONS, _function),
}
"""By operator: gives the steps of a node, or None if this one is not known."""
