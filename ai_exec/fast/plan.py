"""From a program to steps: products with what follows them, chains, normalisations, single nodes.

A step stands where the last of its nodes stood, so that all that it reads has been computed.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from math import prod
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ai_exec.dynamic import Meter, RunBody, run_node
from ai_exec.fast.batches import multiply_batches
from ai_exec.fast.byte_graph import between_bytes
from ai_exec.fast.byte_plan import integer_products
from ai_exec.fast.choosing import non_max_suppression
from ai_exec.fast.classic import FRESH
from ai_exec.fast.convolution_plan import convolution_at
from ai_exec.fast.finishing import (
    NOTHING,
    WIDTH_MAX,
    Code,
    Finish,
    chain_of,
    chain_rows,
)
from ai_exec.fast.fusion import Graph, Run, is_row, normalisation_at
from ai_exec.fast.kernels import SEVERAL, find_kernel
from ai_exec.fast.linear import Matrix, prepared
from ai_exec.fast.normal import centre_rows
from ai_exec.fast.products import Products
from ai_exec.fast.recurrent import KINDS
from ai_exec.fast.weights import Weights
from ai_exec.program import Node, Program
from ai_exec.registry import Attribute
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Shape, Tensor

Compute = Callable[..., Any]
BATCH_RANK_MAX: Final = 4
"""Axes of operands whose products are computed batch by batch."""
CHAIN_COLUMNS_MIN: Final = 16
"""Shorter rows are not taken through chains one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One pass, by the names of what it reads and writes."""

    compute: Compute
    """Takes the inputs; gives one output as it is, several as a tuple if `many`."""
    inputs: tuple[Hashable, ...]
    """Names; empty for an input that is left out."""
    outputs: tuple[Hashable, ...]
    """Names; empty for an output that nobody reads."""
    position: int
    many: bool = False
    fresh: bool = False
    """Outputs are new memory, which nothing else has; they may be, anyway."""


AT_RUN: Final[Mapping[str, Compute]] = {"NonMaxSuppression": non_max_suppression}
"""Kernels of the signature of the operator's own, for nodes whose shapes a run tells."""
METER: Final = object()
"""Stands for the run's meter among what a step reads."""

Prepare = Callable[[Program], RunBody]
"""Makes a body ready to run."""


def unprepared(body: Program) -> RunBody:
    """Stand for a body where steps are looked at and none is run."""

    def run(inputs: tuple[Tensor, ...], meter: Meter) -> tuple[Tensor, ...]:
        raise AssertionError("a body that was not prepared")

    return run


def steps_of(
    program: Program,
    products: Products,
    weights: Weights | None = None,
    body: Prepare = unprepared,
) -> tuple[Step, ...]:
    """Give the steps of a program in an order in which each finds its inputs."""
    planner = _Planner(program, products, weights or Weights(), body)
    planner.take_bytes()
    for index in range(len(program.nodes)):
        planner.take(index)
    return tuple(sorted(planner.steps, key=lambda step: step.position))


class _Planner:
    def __init__(
        self, program: Program, products: Products, weights: Weights, body: Prepare
    ) -> None:
        self.steps: list[Step] = []
        self._body = body
        self._program, self._products, self._weights = program, products, weights
        self._graph = Graph(program)
        self._quantised: set[Hashable] = set()

    def take_bytes(self) -> None:
        """Plan products of bytes first, as their passes begin and end at other nodes."""
        for found in chain(integer_products(self._graph), between_bytes(self._graph)):
            step = Step(found.compute, found.inputs, (found.output,), max(found.nodes))
            self._add(step, found.nodes)

    def take(self, index: int) -> None:
        """Plan a node, and what runs together with it, unless it is planned already."""
        if index in self._graph.taken:
            return
        node = self._program.nodes[index]
        if node.dynamic or node.bodies:
            self._add(self._decided_at_run(index, node), ())
            return
        single = bool(node.inputs) and self._graph.is_plain(index, node.operator.name)
        ways = (
            *(self._product, self._convolution, self._batches),
            *(self._normalisation, self._chain),
        )
        if not single or not any(way(index, node) for way in ways):
            kernel = find_kernel(node, self._program, self._products, self._weights)
            self._add(_alone(node, kernel, index), ())

    def _add(self, step: Step, nodes: tuple[int, ...]) -> bool:
        self.steps.append(step)
        self._graph.taken.update(nodes)
        return True

    def _decided_at_run(self, index: int, node: Node) -> Step:
        """A node whose shapes a run tells, or that runs graphs: as the reference engine does.

        Recurrent layers have kernels that take any shapes.
        """
        bodies = {name: self._body(body) for name, body in node.bodies.items()}
        operands, count = self._program.operands, len(node.inputs)
        kernel = AT_RUN.get(node.operator.name) if not node.operator.domain else None
        if kernel is not None:
            node = replace(node, operator=replace(node.operator, kernel=kernel))
        whole = None
        if node.operator.name in KINDS and not node.operator.domain:
            whole = find_kernel(node, self._program, self._products, self._weights)

        def compute(meter: Meter, *tensors: Tensor | None) -> tuple[Tensor, ...]:
            captured: Any = dict(zip(node.captures, tensors[count:], strict=True))
            return run_node(node, tensors[:count], captured, bodies, operands, meter, whole)

        return Step(compute, (METER, *node.reads), node.outputs, index, many=True)

    def _product(self, index: int, node: Node) -> bool:
        """A product with constant weights, and what follows it."""
        right = self._program.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
        if node.operator.name not in ("MatMul", "Gemm") or right is None or right.ndim != 2:
            return False
        given = node.attributes
        gemm = node.operator.name == "Gemm"
        turned = gemm and bool(given["transA"])
        flipped = gemm and bool(given["transB"])
        length, columns = right.shape[::-1] if flipped else right.shape
        shape = self._graph.shape(node.inputs[0])
        if len(shape) < 2 or not length:
            return False
        rows = shape[1] if turned else prod(shape[:-1])
        bias = _bias(self._program, node, columns) if gemm else np.zeros(0)
        if bias is None:
            return False
        matrix = prepared(right, rows, self._products, turned=flipped, weights=self._weights)
        run = self._graph.follow(node.outputs[0])
        chain = chain_of(run.links, matrix.columns)
        finish = Finish(chain, _number(given["alpha"]) if gemm else 1.0, bias)
        x: Hashable = node.inputs[0]
        flat = (rows, length)
        shape = self._graph.shape(run.result)
        if self._shares(node.inputs[0], index):
            x = self._quantise(node.inputs[0], matrix, flat, index, turned)
            compute = _multiplying(matrix.multiply, None, finish, (rows, matrix.columns), shape)
        else:
            take = _rows_of(flat, turned)
            compute = _multiplying(matrix.apply, take, finish, (rows, matrix.columns), shape)
        inputs = (x, run.tensor) if run.tensor else (x,)
        position = max((index, *run.nodes))
        return self._add(Step(compute, inputs, (run.result,), position, fresh=True), run.nodes)

    def _convolution(self, index: int, node: Node) -> bool:
        """A convolution with constant kernels, and what follows it."""
        found = convolution_at(self._graph, index, self._weights, self._quantised)
        if found is None:
            return False
        self._quantised.update(found.outputs)
        position = max((index, *found.nodes))
        step = Step(found.compute, found.inputs, found.outputs, position, many=True, fresh=True)
        return self._add(step, found.nodes)

    def _shares(self, name: str, index: int) -> bool:
        """Tell whether another product with constant weights reads the same rows."""
        readers = [reader for reader in self._graph.all_readers(name) if reader != index]
        return any(
            self._program.nodes[reader].operator.name in ("MatMul", "Gemm")
            and self._program.nodes[reader].inputs[0] == name
            and self._program.nodes[reader].inputs[1] in self._program.constants
            for reader in readers
        )

    def _quantise(
        self, name: str, matrix: Matrix, shape: Shape, index: int, turned: bool
    ) -> Hashable:
        """Plan to quantise rows, once for all products that read them in the same form."""
        key = (name, matrix.form, turned)
        if key not in self._quantised:
            self._quantised.add(key)
            quantise, take = matrix.quantise, _rows_of(shape, turned)
            self.steps.append(Step(lambda x: quantise(take(x)), (name,), (key,), index))
        return key

    def _batches(self, index: int, node: Node) -> bool:
        """A product of two operands of the run, and what follows it."""
        if node.operator.name != "MatMul":
            return False
        left, right = (self._graph.shape(name) for name in node.inputs)
        ranks = range(2, BATCH_RANK_MAX + 1)
        if len(left) not in ranks or len(right) not in ranks or not left[-1]:
            return False
        run = self._graph.follow(node.outputs[0], spread=True)
        shape = self._graph.shape(node.outputs[0])
        tensor = self._graph.shape(run.tensor) if run.tensor else None
        compute = _batching(run, left, right, shape, tensor)
        inputs = (*node.inputs, run.tensor) if run.tensor else node.inputs
        position = max((index, *run.nodes))
        return self._add(Step(compute, inputs, (run.result,), position, fresh=True), run.nodes)

    def _normalisation(self, index: int, node: Node) -> bool:
        """A layer normalisation in single nodes, with factors and biases after it."""
        found = normalisation_at(self._graph, index)
        if found is None:
            return False
        run = self._graph.follow(found.result)
        x = node.inputs[0]
        shape = self._graph.shape(x)
        flat = (prod(shape[:-1]), shape[-1])
        chain = chain_of(run.links, shape[-1])
        epsilon = np.float32(found.epsilon.item())

        def compute(x: Tensor, tensor: Tensor | None = None) -> Tensor:
            out = np.empty(shape, np.float32)
            rows = np.ascontiguousarray(x).reshape(flat)
            other = NOTHING[0] if tensor is None else np.ascontiguousarray(tensor).reshape(flat)
            centre_rows(rows, epsilon, *chain, other, out.reshape(flat))
            return out

        inputs = (x, run.tensor) if run.tensor else (x,)
        position = max((*found.nodes, *run.nodes))
        step = Step(compute, inputs, (run.result,), position, fresh=True)
        return self._add(step, (*found.nodes, *run.nodes))

    def _chain(self, index: int, node: Node) -> bool:
        """Two or more nodes that compute each element from its own place."""
        runs = [self._graph.step(name, index) for name in dict.fromkeys(node.inputs) if name]
        heads = [
            (name, run)
            for name, run in zip(dict.fromkeys(node.inputs), runs, strict=False)
            if run is not None and name not in self._program.constants
        ]
        if not heads:
            return False
        name, head = heads[0]
        rest = self._graph.follow(head.result) if not head.tensor else None
        if rest is None or not rest.nodes:
            return False
        run = Run((*head.links, *rest.links), (*head.nodes, *rest.nodes), rest.result, rest.tensor)
        shape = self._graph.shape(name)
        by_column = any(link.code in (Code.ADD_COLUMN, Code.MULTIPLY_COLUMN) for link in run.links)
        if not prod(shape) or (by_column and shape[-1] < CHAIN_COLUMNS_MIN):
            return False
        compute = _chaining(run, shape, by_column=by_column)
        inputs = (name, run.tensor) if run.tensor else (name,)
        return self._add(
            Step(compute, inputs, (run.result,), max(run.nodes), fresh=True), run.nodes
        )


def _number(value: Attribute | None) -> float:
    assert isinstance(value, float)
    return value


def _bias(program: Program, node: Node, columns: int) -> Floats | None:
    """What Gemm adds to each row, in binary64; empty for nothing, None if rows differ."""
    if len(node.inputs) < 3 or not node.inputs[2]:
        return np.zeros(0)
    bias = program.constants.get(node.inputs[2])
    if bias is None or not (bias.size == 1 or is_row(bias.shape, (1, columns))):
        return None
    added = np.zeros(columns + WIDTH_MAX)
    beta = _number(node.attributes["beta"])
    wide = bias.astype(np.float64).reshape(-1)
    added[:columns] = wide if beta == 1.0 else wide * beta
    return added


def _rows_of(flat: Shape, turned: bool) -> Callable[[Tensor], Tensor]:
    """Give rows in one piece, from a tensor that lies anyhow."""
    if turned:
        return lambda x: np.ascontiguousarray(x.T)
    return lambda x: np.ascontiguousarray(x).reshape(flat)


def _multiplying(
    multiply: Compute,
    take: Callable[[Tensor], Tensor] | None,
    finish: Finish,
    flat: Shape,
    shape: Shape,
) -> Compute:
    nothing = NOTHING[0]

    def compute(rows: Any, tensor: Tensor | None = None) -> Tensor:
        out = np.empty(flat, np.float32)
        other = nothing if tensor is None else np.ascontiguousarray(tensor).reshape(flat)
        multiply(rows if take is None else take(rows), finish, other, out)
        return out if flat == shape else out.reshape(shape)

    return compute


def _batching(run: Run, left: Shape, right: Shape, shape: Shape, tensor: Shape | None) -> Compute:
    missing = (1,) * (BATCH_RANK_MAX - len(shape))
    batch = (*missing, *shape[:-2])
    left_shape, right_shape = (*batch, *left[-2:]), (*batch, *right[-2:])
    left_rank = (1,) * (BATCH_RANK_MAX - len(left)) + left
    right_rank = (1,) * (BATCH_RANK_MAX - len(right)) + right
    chain = chain_of(run.links, shape[-1])
    places = np.zeros(prod(batch), np.int64)
    matrices: Shape = (1, 1, 1)
    if tensor is not None:
        matrices = (prod(tensor[:-2]), *tensor[-2:])
        numbers = np.arange(matrices[0]).reshape(tensor[:-2])
        places = np.ascontiguousarray(np.broadcast_to(numbers, batch)).reshape(-1)

    def compute(a: Tensor, b: Tensor, other: Tensor | None = None) -> Tensor:
        out = np.empty((*batch, *shape[-2:]), np.float32)
        tensors = NOTHING if other is None else np.ascontiguousarray(other).reshape(matrices)
        multiply_batches(
            _spread(a.reshape(left_rank), left_shape),
            _spread(b.reshape(right_rank), right_shape),
            1.0,
            *chain,
            tensors,
            places,
            out,
        )
        return out.reshape(shape)

    return compute


def _spread(matrices: Tensor, shape: Shape) -> Tensor:
    """Broadcast to a shape, as an array of the kind that passes are compiled for."""
    if matrices.shape == shape:
        return matrices
    return as_strided(matrices, shape, np.broadcast_to(matrices, shape).strides)


def _chaining(run: Run, shape: Shape, *, by_column: bool) -> Compute:
    flat = (prod(shape[:-1]), shape[-1]) if by_column else (1, prod(shape))
    chain = chain_of(run.links, shape[-1] if by_column else 1)

    def compute(x: Tensor, tensor: Tensor | None = None) -> Tensor:
        out = np.empty(shape, np.float32)
        rows = np.ascontiguousarray(x).reshape(flat)
        other = NOTHING[0] if tensor is None else np.ascontiguousarray(tensor).reshape(flat)
        chain_rows(rows, *chain, other, out.reshape(flat))
        return out

    return compute


def _alone(node: Node, kernel: Compute | None, index: int) -> Step:
    """A node by the fast engine's kernel for it, or by its operator's own."""
    if kernel is not None:
        many = node.operator.name in SEVERAL
        fresh = node.operator.name in FRESH
        return Step(kernel, node.inputs, node.outputs, index, many=many, fresh=fresh)
    operator, attributes, count = node.operator, node.attributes, len(node.outputs)

    def compute(*inputs: Tensor | None) -> tuple[Tensor, ...]:
        return operator.run(inputs, attributes, count)

    return Step(compute, node.inputs, node.outputs, index, many=True)
