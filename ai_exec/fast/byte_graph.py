"""What lies between dequantised bytes and bytes in a program, as exports of quantised models say.

`DequantizeLinear`, a product or steps of single elements, `QuantizeLinear`: one pass from bytes to
bytes.  A value in between that has other readers, or is an output, is left as it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ai_exec.fast.byte_dequantised import (
    BYTES,
    Ending,
    Near,
    Scale,
    near_of_kernels,
    near_of_matrix,
)
from ai_exec.fast.byte_grid import LEAST, MOST
from ai_exec.fast.byte_plan import Fused
from ai_exec.fast.byte_steps import BYTE_VALUES, chain_bytes, greatest_bytes, look_up
from ai_exec.fast.byte_weights import HALF
from ai_exec.fast.finishing import Code, chain_of, chain_rows
from ai_exec.fast.fusion import Graph, Run
from ai_exec.fast.kernels import MOVEMENTS
from ai_exec.fast.layout import in_order
from ai_exec.fast.machine import this_machine
from ai_exec.fast.products import STANDARD
from ai_exec.ops.quantised import RANGES, dequantize_linear, quantize_linear
from ai_exec.ops.windows import windows
from ai_exec.program import Node
from ai_exec.tensor import DTYPE_NUMBERS, Shape, Tensor

Compute = Callable[..., Any]


def between_bytes(graph: Graph) -> Iterator[Fused]:
    """Find all passes from bytes to bytes, and which dequantised values they leave unread."""
    if not this_machine().pairs:
        return
    finder = _Finder(graph)
    for index in range(len(graph.program.nodes)):
        for found in finder.at(index):
            graph.taken.update(found.nodes)
            finder.read.update(found.nodes)
            yield found
    for name, index in finder.dequantised.items():
        readers = graph.readers(name)
        if readers and all(reader in finder.read for reader in readers):
            graph.taken.add(index)


class _Finder:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = graph.program.nodes
        self.read: set[int] = set()
        """Places of nodes that read bytes instead of what they were dequantised to."""
        self.dequantised = {
            node.outputs[0]: index
            for index, node in enumerate(self._nodes)
            if node.operator.name == "DequantizeLinear" and self._scale(index) is not None
        }

    def at(self, index: int) -> Iterator[Fused]:
        """What begins at a node that reads dequantised bytes."""
        node = self._nodes[index]
        if not node.inputs or node.inputs[0] not in self.dequantised or index in self._graph.taken:
            given = [name for name in node.inputs if name in self.dequantised]
            if not given or index in self._graph.taken:
                return
        name = node.operator.name
        if name in ("MatMul", "Gemm", "Conv"):
            found = self._product(index, node)
        elif name == "MaxPool":
            found = self._pool(index, node)
        elif name in MOVEMENTS:
            found = self._movement(index, node)
        else:
            found = self._chain(index, node)
        if found is not None:
            yield found

    def _scale(self, index: int) -> Scale | None:
        """The constant scale of a node that quantises to bytes, or back from them."""
        node, program = self._nodes[index], self._graph.program
        back = node.operator.name == "DequantizeLinear"
        number = program.operands[node.inputs[0]]
        whole = program.operands[node.outputs[0]]
        if back:
            number, whole = whole, number
        step = self._graph.number(node.inputs[1])
        named = len(node.inputs) > 2 and bool(node.inputs[2])
        zero = self._graph.number(node.inputs[2]) if named else np.zeros((), np.int8)
        if (
            step is None
            or zero is None
            or step.dtype != np.float32
            or node.inputs[0] in program.constants
        ):
            return None
        if number.dtype != "float32" or whole.dtype not in BYTES or not LEAST < step.item() < MOST:
            return None
        single = DTYPE_NUMBERS["float32"]
        given = node.attributes
        if given.get("block_size") or given.get("precision") not in (None, 0, single):
            return None
        if not self._graph.is_exact(index):
            return None
        return Scale(np.float32(step.item()), int(zero.item()), whole.dtype)

    def _bytes(self, name: str) -> tuple[str, Scale]:
        """The bytes that a value was, and their scale."""
        index = self.dequantised[name]
        scale = self._scale(index)
        assert scale is not None
        return self._nodes[index].inputs[0], scale

    def _quantised(self, name: str) -> tuple[int, Scale] | None:
        """The node that alone reads a value and makes bytes of it."""
        readers = self._graph.readers(name)
        if len(readers) != 1 or self._nodes[readers[0]].operator.name != "QuantizeLinear":
            return None
        if self._nodes[readers[0]].inputs[0] != name or readers[0] in self._graph.taken:
            return None
        scale = self._scale(readers[0])
        return None if scale is None else (readers[0], scale)

    def _product(self, index: int, node: Node) -> Fused | None:
        constants = [self._graph.program.constants.get(name) for name in node.inputs]
        if node.inputs[0] not in self.dequantised or not self._graph.is_plain(
            index, node.operator.name
        ):
            return None
        weights = constants[1]
        bias = constants[2] if len(constants) > 2 else None
        if weights is None or (len(node.inputs) > 2 and node.inputs[2] and bias is None):
            return None
        convolves = node.operator.name == "Conv"
        shape = self._graph.shape(node.outputs[0])
        columns = shape[1] if convolves else shape[-1]
        given = node.attributes
        ending = Ending()
        if node.operator.name == "Gemm":
            if given["transA"]:
                return None
            weights = weights.T if given["transB"] else weights
            ending = Ending(float(given["alpha"]))  # type: ignore[arg-type]
            if bias is not None:
                if bias.size not in (1, columns) or bias.shape[-1:] not in ((columns,), (1,), ()):
                    return None
                wide, beta = bias.astype(np.float64).reshape(-1), float(given["beta"])  # type: ignore[arg-type]
                wide = wide if beta == 1.0 else wide * beta
                ending = replace(ending, bias=np.array(np.broadcast_to(wide, (columns,))))
        elif bias is not None:
            ending = replace(ending, bias=bias.astype(np.float64))
        if weights.ndim != (4 if convolves else 2):
            return None
        nodes, name, ending = self._ending(node.outputs[0], ending, columns, by_map=convolves)
        end = self._quantised(name)
        if end is None:
            return None
        source, left = self._bytes(node.inputs[0])
        full = self._graph.shape(node.inputs[0])
        if convolves:
            near = near_of_kernels(weights, left, end[1], full, given, ending)
        else:
            near = near_of_matrix(weights, left, end[1], prod(full[:-1]), ending)
        if near is None:
            return None
        result = self._nodes[end[0]].outputs[0]
        return Fused(_near(near, shape), (source,), result, (index, *nodes, end[0]))

    def _ending(
        self, name: str, ending: Ending, columns: int, *, by_map: bool
    ) -> tuple[tuple[int, ...], str, Ending]:
        """A sum with a constant for each column, and bounds, that alone read a product."""
        nodes: list[int] = []
        while len(found := self._graph.readers(name)) == 1:
            index, node = found[0], self._nodes[found[0]]
            if not self._graph.is_plain(index, node.operator.name) or index in self._graph.taken:
                break
            operator, first = node.operator.name, not nodes
            more = None
            if operator == "Relu":
                more = replace(ending, least=max(ending.least, 0.0), most=max(ending.most, 0.0))
            elif operator == "Add" and first and not by_map:
                more = self._added(ending, name, node, columns)
            if more is None:
                break
            ending, name = more, node.outputs[0]
            nodes.append(index)
        return tuple(nodes), name, ending

    def _added(self, ending: Ending, name: str, node: Node, columns: int) -> Ending | None:
        other = next((one for one in node.inputs if one != name), "")
        value = self._graph.program.constants.get(other)
        if value is None or value.dtype != np.float32 or not np.all(np.isfinite(value)):
            return None
        if value.size != columns or value.shape[-1:] != (columns,):
            return None
        if self._graph.shape(node.outputs[0]) != self._graph.shape(name):
            return None
        return replace(ending, added=value.reshape(-1))

    def _movement(self, index: int, node: Node) -> Fused | None:
        """Bytes move as numbers do; their scale may change."""
        end = self._quantised(node.outputs[0])
        if end is None or node.inputs[0] not in self.dequantised or not self._graph.is_exact(index):
            return None
        source, scale = self._bytes(node.inputs[0])
        table = table_of(scale, end[1], None)
        move = MOVEMENTS[node.operator.name](node, self._graph.program, STANDARD)
        assert move is not None
        look = looking(table, end[1].dtype)
        same = scale.dtype == end[1].dtype and np.array_equal(table, np.arange(BYTE_VALUES))
        compute: Compute = move if same else lambda x: move(look(x))
        result = self._nodes[end[0]].outputs[0]
        return Fused(compute, (source,), result, (index, end[0]))

    def _pool(self, index: int, node: Node) -> Fused | None:
        end = self._quantised(node.outputs[0])
        shape = self._graph.shape(node.inputs[0])
        if end is None or not self._graph.is_plain(index, "MaxPool") or len(shape) != 4:
            return None
        chosen: Any = {name: node.attributes.get(name) for name in ("strides", "dilations", "pads")}
        kernel: Any = node.attributes["kernel_shape"]
        ceil_mode: Any = node.attributes.get("ceil_mode", 0)
        auto_pad: Any = node.attributes["auto_pad"]
        placed = windows(shape[2:], kernel, **chosen, auto_pad=auto_pad, ceil_mode=ceil_mode)
        pads = zip(placed.before, placed.after, placed.kernel, strict=True)
        if ceil_mode or any(max(before, after) >= size for before, after, size in pads):
            return None
        if any(step != 1 for step in placed.dilations) or not prod(shape):
            return None
        source, scale = self._bytes(node.inputs[0])
        window = np.array([placed.kernel, placed.strides, placed.dilations, placed.before])
        look = looking(table_of(scale, end[1], None), end[1].dtype)
        turned = HALF if scale.dtype == "int8" else 0
        outputs = placed.outputs

        def compute(x: Tensor) -> Tensor:
            last = in_order(x.transpose(0, 2, 3, 1)).view(np.uint8)
            out = np.empty((x.shape[0], *outputs, x.shape[1]), np.uint8)
            greatest_bytes(last, window, turned, out)
            found: Tensor = look(out.view(x.dtype).transpose(0, 3, 1, 2))
            return found

        result = self._nodes[end[0]].outputs[0]
        return Fused(compute, (source,), result, (index, end[0]))

    def _chain(self, index: int, node: Node) -> Fused | None:
        """Steps of single elements, of one operand or of two."""
        for name in dict.fromkeys(node.inputs):
            if name not in self.dequantised:
                continue
            head = self._graph.step(name, index)
            if head is None:
                continue
            rest = Run((), (), head.result)
            if len(self._graph.readers(head.result)) == 1:
                rest = self._graph.follow(head.result)
            run = Run(
                (*head.links, *rest.links),
                (*head.nodes, *rest.nodes),
                rest.result,
                head.tensor or rest.tensor,
            )
            if head.tensor and rest.tensor:
                continue
            end = self._quantised(run.result)
            if end is None or (run.tensor and run.tensor not in self.dequantised):
                continue
            return self._chained(name, run, end)
        return None

    def _chained(self, name: str, run: Run, end: tuple[int, Scale]) -> Fused | None:
        shape, result = self._graph.shape(name), self._nodes[end[0]].outputs[0]
        source, scale = self._bytes(name)
        nodes = (*run.nodes, end[0])
        by_column = any(link.code in (Code.ADD_COLUMN, Code.MULTIPLY_COLUMN) for link in run.links)
        if not run.tensor and not by_column:
            look = looking(table_of(scale, end[1], run), end[1].dtype)
            return Fused(look, (source,), result, nodes)
        if not prod(shape):
            return None
        if not run.tensor:
            compute = chaining(run, shape, (scale, scale, end[1]), by_column=by_column)
            return Fused(compute, (source,), result, nodes)
        other, second = self._bytes(run.tensor)
        compute = chaining(run, shape, (scale, second, end[1]), by_column=by_column)
        return Fused(compute, (source, other), result, nodes)


def _near(near: Near, shape: Shape) -> Compute:
    dtype = near.result.dtype

    def compute(x: Tensor) -> Tensor:
        flat = near.bytes_of(x).view(dtype)
        if len(shape) != 4 or not near.digits.bits:
            return flat.reshape(shape)
        samples, maps, height, width = shape
        return flat.reshape(samples, height, width, maps).transpose(0, 3, 1, 2)

    return compute


def table_of(scale: Scale, end: Scale, run: Run | None) -> Tensor:
    """Which byte each byte becomes, by the operators' own kernels and those of chains."""
    given = np.arange(BYTE_VALUES).astype(np.uint8).view(scale.dtype)
    zero = np.asarray(scale.zero, scale.dtype)
    numbers = dequantize_linear(given, np.asarray(scale.step), zero)
    if run is not None:
        rows, out = numbers.reshape(1, -1), np.empty((1, BYTE_VALUES), np.float32)
        chain_rows(rows, *chain_of(run.links, 1), np.zeros((1, 1), np.float32), out)
        numbers = out.reshape(-1)
    made = quantize_linear(numbers, np.asarray(end.step), np.asarray(end.zero, end.dtype))
    return np.ascontiguousarray(made).view(np.uint8)


def _as_rows(x: Tensor) -> tuple[Tensor, bool]:
    """Give bytes in one piece, channels last where they lie so."""
    if x.ndim == 4 and not x.flags.c_contiguous:
        return in_order(x.transpose(0, 2, 3, 1)), True
    return in_order(x), False


def looking(table: Tensor, dtype: str) -> Compute:
    """Give a step by a table of bytes."""

    def compute(x: Tensor) -> Tensor:
        flat, last = _as_rows(x)
        out = np.empty(flat.shape, np.uint8)
        look_up(flat.view(np.uint8).reshape(-1), table, out.reshape(-1))
        found = out.view(dtype)
        return found.transpose(0, 3, 1, 2) if last else found

    return compute


def chaining(
    run: Run, shape: Shape, scales: tuple[Scale, Scale, Scale], *, by_column: bool
) -> Compute:
    """Give a step of one operand or two, by their scales and that of the result."""
    columns = shape[-1] if by_column else 1
    chain = chain_of(run.links, columns)
    end = scales[2]
    turns = [HALF if scale.dtype == "int8" else 0 for scale in scales[:2]]
    zeros = np.array(
        [
            value
            for scale, turn in zip(scales, turns, strict=False)
            for value in (scale.zero + turn, turn)
        ],
        np.int32,
    )
    steps = np.array([scale.step for scale in scales], np.float32)
    low, high = RANGES[end.dtype]
    ends = np.array([low - end.zero, high - end.zero, end.zero], np.int64)
    nothing = np.zeros((0, 1), np.uint8)
    flat = (prod(shape[:-1]), shape[-1]) if by_column else (1, prod(shape))

    def compute(x: Tensor, y: Tensor | None = None) -> Tensor:
        rows, last = (in_order(x), False) if by_column else _as_rows(x)
        other = nothing
        if y is not None:
            turned = y.transpose(0, 2, 3, 1) if last else y
            other = in_order(turned).view(np.uint8).reshape(flat)
        out = np.empty(rows.shape, np.uint8)
        chain_bytes(
            *(rows.view(np.uint8).reshape(flat), other, zeros, steps, ends),
            *(*chain, out.reshape(flat)),
        )
        found = out.view(end.dtype)
        return found.transpose(0, 3, 1, 2) if last else found

    return compute
