"""Operators that compare, choose and combine truth values."""

import numpy as np

from ai_exec.metering import per_byte, per_element
from ai_exec.ops.rules import (
    ANY,
    FLOATS,
    NUMBERS,
    broadcast,
    broadcast_inputs,
    compare,
    one_dtype,
    require_dtype,
    same,
    same_as,
)
from ai_exec.registry import Call, Operand, operator
from ai_exec.tensor import Tensor

BOOL = ("bool",)


@operator("Equal", since=(7, 11, 13, 19), infer=compare, cost=per_byte(), values=ANY)
def equal(a: Tensor, b: Tensor) -> Tensor:
    """a = b; NaN equals nothing."""
    return np.equal(a, b)


@operator("Less", since=(7, 9, 13), infer=compare, cost=per_byte(), values=NUMBERS)
def less(a: Tensor, b: Tensor) -> Tensor:
    """a < b."""
    return np.less(a, b)


@operator("Greater", since=(7, 9, 13), infer=compare, cost=per_byte(), values=NUMBERS)
def greater(a: Tensor, b: Tensor) -> Tensor:
    """a > b."""
    return np.greater(a, b)


@operator("LessOrEqual", since=(12, 16), infer=compare, cost=per_byte(), values=NUMBERS)
def less_or_equal(a: Tensor, b: Tensor) -> Tensor:
    """a <= b."""
    return np.less_equal(a, b)


@operator("GreaterOrEqual", since=(12, 16), infer=compare, cost=per_byte(), values=NUMBERS)
def greater_or_equal(a: Tensor, b: Tensor) -> Tensor:
    """a >= b."""
    return np.greater_equal(a, b)


@operator("And", since=7, infer=broadcast, cost=per_byte(), values=BOOL)
def logical_and(a: Tensor, b: Tensor) -> Tensor:
    """Both."""
    return np.logical_and(a, b)


@operator("Or", since=7, infer=broadcast, cost=per_byte(), values=BOOL)
def logical_or(a: Tensor, b: Tensor) -> Tensor:
    """One or both."""
    return np.logical_or(a, b)


@operator("Xor", since=7, infer=broadcast, cost=per_byte(), values=BOOL)
def logical_xor(a: Tensor, b: Tensor) -> Tensor:
    """One, not both."""
    return np.logical_xor(a, b)


@operator("Not", since=1, infer=same, cost=per_byte(), values=BOOL)
def logical_not(x: Tensor) -> Tensor:
    """The opposite."""
    return np.logical_not(x)


@operator("IsNaN", since=(9, 13, 20), infer=same_as("bool"), cost=per_byte(), values=FLOATS)
def is_nan(x: Tensor) -> Tensor:
    """Whether an element is NaN."""
    return np.isnan(x)


@operator("IsInf", since=(10, 20), infer=same_as("bool"), cost=per_element(12_000), values=FLOATS)
def is_inf(x: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    """Whether an element is an infinity of a sign that is looked for."""
    return np.isinf(x) & np.where(x < 0, bool(detect_negative), bool(detect_positive))


def _where(call: Call) -> tuple[Operand, ...]:
    require_dtype(call.at(0), BOOL, "condition")
    return (Operand(one_dtype(call, start=1), broadcast_inputs(call)),)


@operator("Where", since=(9, 16), infer=_where, cost=per_element(11_000), moves=True)
def where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition holds, else y."""
    return np.where(condition, x, y)
