"""Moving elements of 1 to 8 bytes in compiled passes, and running sums of binary32."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import layout_of, whole
from ai_exec.program import Node, Program
from ai_exec.tensor import ITEM_BYTES, Tensor

Kernel = Callable[..., Tensor]
UNSIGNED: Final = (np.uint8, np.uint16, np.uint32, np.uint64)
SIZES: Final = tuple(np.dtype(kind).itemsize for kind in UNSIGNED)


@compiled
def triangle(x: Any, diagonal: int, upper: bool, result: Any) -> None:
    """The operator's Trilu of matrices [M, rows, columns]."""
    columns = x.shape[2]
    for matrix in range(x.shape[0]):
        for row in range(x.shape[1]):
            edge = row + diagonal if upper else row + diagonal + 1
            edge = min(max(edge, 0), columns)
            source, target = x[matrix, row], result[matrix, row]
            first, last = (edge, columns) if upper else (0, edge)
            for column in range(first):
                target[column] = 0
            for column in range(first, last):
                target[column] = source[column]
            for column in range(last, columns):
                target[column] = 0


@compiled
def gather_along(x: Any, indices: Any, result: Any) -> None:
    """The operator's GatherElements of [outer, K, inner] along the second axis."""
    length = x.shape[1]
    for outer in range(indices.shape[0]):
        for line in range(indices.shape[1]):
            for place in range(indices.shape[2]):
                index = indices[outer, line, place]
                if index < 0 or index >= length:
                    index %= length
                result[outer, line, place] = x[outer, index, place]


@compiled
def sum_along(x: Any, exclusive: bool, backwards: bool, totals: Any, result: Any) -> None:
    """The operator's CumSum of [outer, K, inner]; totals are those of one line."""
    last = x.shape[1] - 1
    for outer in range(x.shape[0]):
        for step in range(last + 1):
            line = last - step if backwards else step
            row, target = x[outer, line], result[outer, line]
            if exclusive and step == 0:
                totals[:] = 0.0
            for place in range(row.shape[0]):
                if exclusive:
                    target[place] = np.float32(totals[place])
                    totals[place] += np.float64(row[place])
                else:
                    wide = np.float64(row[place])
                    totals[place] = wide if step == 0 else totals[place] + wide
                    target[place] = np.float32(totals[place])


def _bits(dtype: str) -> Any:
    """The unsigned numbers that have the bytes of an element, if there are such."""
    size = ITEM_BYTES[dtype]
    return np.dtype(f"u{size}") if size in SIZES else None


def _triangle(node: Node, program: Program) -> Kernel | None:
    operand = program.operands[node.inputs[0]]
    shape, bits, upper = operand.shape, _bits(operand.dtype), bool(node.attributes["upper"])
    if bits is None or 0 in shape:
        return None
    flat = (int(np.prod(shape[:-2])), *shape[-2:])

    def kernel(x: Tensor, k: Tensor | None = None) -> Tensor:
        diagonal = 0 if k is None else int(k.reshape(()))
        diagonal = max(-flat[1] - 1, min(diagonal, flat[2] + 1))
        result = np.empty(flat, bits)
        triangle(whole(x, flat).view(bits), diagonal, upper, result)
        return result.view(x.dtype).reshape(shape)

    return kernel


def _gather_elements(node: Node, program: Program) -> Kernel | None:
    operand, indices = (program.operands[name] for name in node.inputs)
    axis: Any = node.attributes["axis"]
    axis %= max(operand.rank, 1)
    bits, shape = _bits(operand.dtype), indices.shape
    alike = operand.shape[:axis] == shape[:axis] and operand.shape[axis + 1 :] == shape[axis + 1 :]
    if bits is None or not alike or 0 in shape or 0 in operand.shape:
        return None
    outer, inner = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    source, flat = (outer, operand.shape[axis], inner), (outer, shape[axis], inner)

    def kernel(x: Tensor, places: Tensor) -> Tensor:
        result = np.empty(flat, bits)
        gather_along(whole(x, source).view(bits), whole(places, flat), result)
        return result.view(x.dtype).reshape(shape)

    return kernel


def _running_sum(node: Node, program: Program) -> Kernel | None:
    operand, axis = program.operands[node.inputs[0]], program.constants.get(node.inputs[1])
    if operand.dtype != "float32" or axis is None or 0 in operand.shape or not operand.rank:
        return None
    layout = layout_of(operand.shape, (int(axis.reshape(())) % operand.rank,))
    exclusive, backwards = (bool(node.attributes[name]) for name in ("exclusive", "reverse"))

    def kernel(x: Tensor, along: Tensor) -> Tensor:
        parts = layout.take(x)
        result = np.empty(parts.shape, np.float32)
        sum_along(parts, exclusive, backwards, np.empty(parts.shape[2]), result)
        return result.reshape(operand.shape)

    return kernel


MOVES: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "CumSum": _running_sum,
    "GatherElements": _gather_elements,
    "Trilu": _triangle,
}
"""By operator: gives the kernel of a node on elements of any type, or None."""
