"""Rules of types and shapes that many operators share."""

from math import prod
from typing import Final

import numpy as np

from ai_exec.registry import Call, Infer, Mismatch, Operand, Unbounded
from ai_exec.tensor import DTYPE_NUMBERS, Shape, Tensor

FLOAT32: Final = ("float32",)
FLOATS: Final = ("float32", "float64")
SIGNED: Final = (*FLOATS, "int8", "int16", "int32", "int64")
INTEGERS: Final = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NUMBERS: Final = (*FLOATS, *INTEGERS)
ANY: Final = tuple(DTYPE_NUMBERS)
INDICES: Final = ("int32", "int64")

LIST_LENGTH_MAX: Final = 512
"""Longest list of axes, lengths or parts; a node has no more outputs either."""

LENGTH_BOUND: Final = 1 << 32
"""A length that may be so great is as good as not bounded."""

Axes = tuple[int, ...]


def same(call: Call) -> tuple[Operand, ...]:
    """One output of the first input's type."""
    first = call.at(0)
    return (Operand(first.dtype, first.shape),)


def same_as(dtype: str) -> Infer:
    """One output of the first input's shape and the given element type."""
    return lambda call: (Operand(dtype, call.at(0).shape),)


def broadcast(call: Call) -> tuple[Operand, ...]:
    """All inputs of one element type; the output has the shape they broadcast to."""
    return (Operand(one_dtype(call), broadcast_inputs(call)),)


def compare(call: Call) -> tuple[Operand, ...]:
    """As `broadcast`, with an output of truth values."""
    one_dtype(call)
    return (Operand("bool", broadcast_inputs(call)),)


def one_dtype(call: Call, start: int = 0) -> str:
    """Give the element type that all inputs from `start` on share."""
    given = [operand for operand in call.inputs[start:] if operand is not None]
    if not given:
        raise Mismatch("no inputs")
    if any(operand.dtype != given[0].dtype for operand in given):
        raise Mismatch(f"inputs differ in element type: {', '.join(map(str, given))}")
    return given[0].dtype


def broadcast_inputs(call: Call) -> Shape:
    """Give the shape that all inputs broadcast to."""
    shape: Shape = ()
    for index in range(len(call.inputs)):
        shape = broadcast_shapes(shape, call.at(index).shape)
    return shape


def broadcast_shapes(first: Shape, second: Shape) -> Shape:
    """Give the shape that two shapes broadcast to; raises Mismatch."""
    rank = max(len(first), len(second))
    pairs = zip(_lengthened(first, rank), _lengthened(second, rank), strict=True)
    lengths = []
    for left, right in pairs:
        if left != right and 1 not in (left, right):
            raise Mismatch(f"shapes {list(first)} and {list(second)} do not broadcast")
        lengths.append(right if left == 1 else left)
    return tuple(lengths)


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """Tell whether a shape broadcasts to exactly the target."""
    try:
        return broadcast_shapes(shape, target) == target
    except Mismatch:
        return False


def axis_of(axis: int, rank: int) -> int:
    """Count an axis from the front; raises Mismatch if there is none such."""
    if not -rank <= axis < rank:
        raise Mismatch(f"axis {axis} of a tensor with {rank} axes")
    return axis % rank


def axes_of(axes: Axes, rank: int) -> Axes:
    """Count axes from the front, ascending; raises Mismatch if one is there twice."""
    found = sorted(axis_of(axis, rank) for axis in axes)
    if len(set(found)) != len(found):
        raise Mismatch(f"axes {list(axes)} name one twice")
    return tuple(found)


def require_dtype(operand: Operand, allowed: tuple[str, ...], what: str) -> None:
    """Raise Mismatch unless the element type is allowed."""
    if operand.dtype not in allowed:
        raise Mismatch(f"{what} is {operand}, not of {' or '.join(allowed)}")


def require_rank(operand: Operand, ranks: range, what: str) -> None:
    """Raise Mismatch unless the number of axes is allowed."""
    if operand.rank not in ranks:
        raise Mismatch(f"{what} is {operand}: its number of axes is not supported")


def require_shape(operand: Operand, shape: Shape, what: str) -> None:
    """Raise Mismatch unless the shape is as given."""
    if operand.shape != shape:
        raise Mismatch(f"{what} is {operand}, not {list(shape)}")


def require_word(call: Call, name: str, allowed: tuple[str, ...]) -> None:
    """Raise Mismatch unless an attribute that this version has is one of the words."""
    if name in call.attributes and call.word(name) not in allowed:
        raise Mismatch(f"{name} is {call.word(name)}, not one of {', '.join(allowed)}")


def only_output(call: Call) -> None:
    """Raise Mismatch if the node asks for outputs beside the first."""
    if call.output_count > 1:
        raise Mismatch("only the first output is supported")


def wholes_of(call: Call, index: int) -> tuple[int, ...]:
    """Give a constant input that is a list of whole numbers."""
    require_list(call, index)
    return listed(call.constant(index))


def bounds_of(call: Call, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give what the numbers of a list are at least and at most; raises Unbounded."""
    require_list(call, index)
    operand = call.at(index)
    span = operand.span
    if span is None or not operand.exact or not (span.high < LENGTH_BOUND).all():
        call.constant(index)
        raise Unbounded(f"nothing bounds input {index}")
    low, high = (np.broadcast_to(end, operand.shape) for end in (span.low, span.high))
    return listed(low), listed(high)


def require_list(call: Call, index: int) -> None:
    """Raise Mismatch unless an input is a list of whole numbers and not too long."""
    operand = call.at(index)
    require_dtype(operand, INDICES, f"input {index}")
    require_rank(operand, range(2), f"input {index}")
    if size(operand.shape) > LIST_LENGTH_MAX:
        raise Mismatch(f"input {index} is {operand}, longer than {LIST_LENGTH_MAX}")


def listed(tensor: Tensor) -> tuple[int, ...]:
    """Give the elements of a tensor of whole numbers."""
    return tuple(map(int, tensor.reshape(-1).tolist()))


def size(shape: Shape) -> int:
    """Count the elements of a shape."""
    return prod(shape)


def _lengthened(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape
