"""Which nodes run together with a product of bytes: found on the program before all else.

The product that dynamic quantisation writes, MatMulInteger or ConvInteger, its cast to binary32,
the scales, a bias and what follows become one pass.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ai_exec.fast.byte_kernels import Product, product_of
from ai_exec.fast.byte_passes import to_numbers
from ai_exec.fast.byte_products import may_be_bytes
from ai_exec.fast.byte_weights import as_unsigned
from ai_exec.fast.finishing import NOTHING, Chain, Code, Link, chain_of
from ai_exec.fast.fusion import FUNCTIONS, Graph, Run
from ai_exec.fast.layout import whole
from ai_exec.tensor import DTYPE_NUMBERS, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """A pass over nodes."""

    compute: Callable[..., Any]
    """Takes the inputs, gives the output."""
    inputs: tuple[Hashable, ...]
    output: str
    nodes: tuple[int, ...]
    """Places of the nodes in the program."""


def integer_products(graph: Graph) -> Iterator[Fused]:
    """Find products of bytes that become numbers by one factor or one for each column."""
    for index, node in enumerate(graph.program.nodes):
        if node.operator.name in ("MatMulInteger", "ConvInteger") and graph.is_exact(index):
            found = _integer_product(graph, index)
            if found is not None:
                yield found


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Cast and product with scales after a product of bytes."""

    nodes: tuple[int, ...]
    scale: str
    """One number that is known at a run."""
    factors: Tensor
    """Constant ones: one, or one for each column; scale times factor is one product."""
    result: str


def _integer_product(graph: Graph, index: int) -> Fused | None:
    program = graph.program
    node = program.nodes[index]
    if not may_be_bytes(node, program):
        return None
    convolves = node.operator.name == "ConvInteger"
    scaled = _scaled(graph, node.outputs[0], convolves=convolves)
    if scaled is None:
        return None
    constants = [program.constants.get(name) for name in node.inputs] + [None, None]
    weights, zeros = constants[1], constants[3]
    assert weights is not None
    shape = graph.shape(node.outputs[0])
    columns = shape[1] if convolves else shape[-1]
    if scaled.factors.size not in (1, columns):
        return None
    left = graph.shape(node.inputs[0])
    given = node.attributes if convolves else None
    product = product_of(weights, zeros, left, shape, given)
    if product is None:
        return None
    run = _after_maps(graph, scaled.result) if convolves else graph.follow(scaled.result)
    chain = chain_of(run.links, columns)
    compute = numbers_kernel(
        product, chain, product.panels.by_columns(_wide(scaled.factors, columns))
    )
    zero = node.inputs[2] if len(node.inputs) > 2 else ""
    inputs = (node.inputs[0], zero, scaled.scale, *((run.tensor,) if run.tensor else ()))
    return Fused(compute, inputs, run.result, (index, *scaled.nodes, *run.nodes))


def _wide(factors: Tensor, columns: int) -> Tensor:
    return np.broadcast_to(factors.reshape(-1), (columns,))


def _scaled(graph: Graph, name: str, *, convolves: bool) -> _Scaled | None:
    """Find the cast to binary32 of a value, and its product with a scale of the run."""
    nodes = graph.program.nodes
    readers = graph.readers(name)
    if len(readers) != 1 or nodes[readers[0]].operator.name != "Cast":
        return None
    cast = readers[0]
    if nodes[cast].attributes["to"] != DTYPE_NUMBERS["float32"]:
        return None
    product = graph.reader(nodes[cast].outputs[0], "Mul")
    if product is None:
        return None
    others = [one for one in nodes[product].inputs if one != nodes[cast].outputs[0]]
    if len(others) != 1 or graph.shape(nodes[product].outputs[0]) != graph.shape(name):
        return None
    found = _scales(graph, others[0])
    if found is None or (convolves and graph.shape(others[0]) not in ((), (1,))):
        return None
    scale, factors, before = found
    return _Scaled((cast, product, *before), scale, factors, nodes[product].outputs[0])


def _scales(graph: Graph, name: str) -> tuple[str, Tensor, tuple[int, ...]] | None:
    """Give the scale of a run, constant factors, and the node that multiplies both, if any."""
    for index, node in enumerate(graph.program.nodes):
        if node.outputs == (name,) and graph.is_plain(index, "Mul"):
            first, second = node.inputs
            for scale, other in ((first, second), (second, first)):
                factors = graph.program.constants.get(other)
                one = graph.is_single(scale) and graph.shape(scale) in ((), (1,))
                alone = len(graph.readers(name)) == 1
                if factors is not None and one and alone and factors.ndim <= 1:
                    return scale, factors, (index,)
    if graph.shape(name) in ((), (1,)) and name not in graph.program.constants:
        return name, np.ones(1, np.float32), ()
    return None


def _after_maps(graph: Graph, name: str) -> Run:
    """As `Graph.follow` where columns are the maps of images: a bias and functions."""
    links: list[Link] = []
    taken: list[int] = []
    while True:
        readers, shape = graph.readers(name), graph.shape(name)
        node = graph.program.nodes[readers[0]] if len(readers) == 1 else None
        if node is None or not graph.is_plain(readers[0], node.operator.name):
            break
        link = _link(graph, name, shape, readers[0])
        if link is None:
            break
        links.append(link)
        taken.append(readers[0])
        name = node.outputs[0]
    return Run(tuple(links), tuple(taken), name)


def _link(graph: Graph, name: str, shape: tuple[int, ...], index: int) -> Link | None:
    node = graph.program.nodes[index]
    if node.operator.name in FUNCTIONS and node.operator.name != "Gelu":
        return Link(FUNCTIONS[node.operator.name])
    if node.operator.name != "Add":
        return None
    other = next((one for one in node.inputs if one != name), "")
    value = graph.program.constants.get(other)
    if value is None or value.dtype != np.float32 or graph.shape(node.outputs[0]) != shape:
        return None
    by_map = value.ndim >= 3 and value.shape[-3:] == (shape[1], 1, 1) and value.size == shape[1]
    return Link(Code.ADD_COLUMN, value) if by_map else None


def numbers_kernel(product: Product, chain: Chain, factors: Tensor) -> Callable[..., Tensor]:
    """Give the kernel of a product and all that follows it."""
    panels, rows = product.panels, product.rows
    nothing = NOTHING[0]

    def compute(
        x: Tensor, zero: Tensor | None, scale: Tensor, other: Tensor | None = None
    ) -> Tensor:
        turned, base = as_unsigned(x, 0 if zero is None else zero)
        image = rows.lay(x, turned, base)
        out = np.empty((rows.rows, panels.columns), np.float32)
        tensor = nothing if other is None else whole(other, out.shape)
        to_numbers(
            *(image, rows.starts, rows.placed(base), rows.segments),
            *(
                panels.panels,
                panels.wholes,
                rows.totals(image, base),
                np.float32(scale.item()),
                factors,
            ),
            *(*chain, tensor, out),
        )
        return product.finished(out)

    return compute
