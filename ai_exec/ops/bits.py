"""Operators on the bits of integers (R4)."""

import numpy as np

from ai_exec.metering import per_byte, per_element
from ai_exec.ops.rules import INTEGERS, broadcast, require_word, same
from ai_exec.registry import Call, Operand, operator
from ai_exec.tensor import Tensor

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")


@operator("BitwiseAnd", since=18, infer=broadcast, cost=per_byte(), values=INTEGERS)
def bitwise_and(a: Tensor, b: Tensor) -> Tensor:
    """Bits that both have."""
    return np.bitwise_and(a, b)


@operator("BitwiseOr", since=18, infer=broadcast, cost=per_byte(), values=INTEGERS)
def bitwise_or(a: Tensor, b: Tensor) -> Tensor:
    """Bits that one or both have."""
    return np.bitwise_or(a, b)


@operator("BitwiseXor", since=18, infer=broadcast, cost=per_byte(), values=INTEGERS)
def bitwise_xor(a: Tensor, b: Tensor) -> Tensor:
    """Bits that just one has."""
    return np.bitwise_xor(a, b)


@operator("BitwiseNot", since=18, infer=same, cost=per_byte(), values=INTEGERS)
def bitwise_not(x: Tensor) -> Tensor:
    """Bits that x has not."""
    return np.invert(x)


def _shift(call: Call) -> tuple[Operand, ...]:
    require_word(call, "direction", ("LEFT", "RIGHT"))
    return broadcast(call)


@operator("BitShift", since=28, infer=_shift, cost=per_element(4_000), values=INTEGERS)
def bit_shift(x: Tensor, y: Tensor, *, direction: str) -> Tensor:
    """x 2^y or x / 2^y rounded down; by y < 0 or the width and more only the sign stays."""
    width = 8 * x.dtype.itemsize
    inside = (y >= 0) & (y < width)
    step = np.where(inside, y, 0).astype(x.dtype)
    if direction == "LEFT":
        return np.asarray(np.where(inside, np.left_shift(x, step), x.dtype.type(0)))
    return np.where(inside, np.right_shift(x, step), np.where(x < 0, -1, 0).astype(x.dtype))


@operator("BitShift", since=11, infer=_shift, cost=per_element(4_000), values=UNSIGNED)
def bit_shift_11(x: Tensor, y: Tensor, *, direction: str) -> Tensor:
    """As later versions."""
    return bit_shift(x, y, direction=direction)
