"""Operators that compute each element by the rules of IEEE 754 or of integers (R1, R4)."""

import numpy as np

from ai_exec.metering import by_type, by_width, per_byte, per_element
from ai_exec.ops.rules import (
    FLOAT32,
    FLOATS,
    NUMBERS,
    SIGNED,
    broadcast,
    broadcast_inputs,
    require_dtype,
    same,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import numerics
from ai_exec.semantics.powers import power
from ai_exec.tensor import Tensor

_PRODUCT = by_type(per_byte(170), per_byte())
_QUOTIENT = by_type(per_byte(170), per_element(14_000))
"""Results below the normal numbers take ten times as long as others."""
_REST = by_type(by_width(per_element(220_000), per_element(1_800_000)), per_element(14_000))
"""A rest of floats is found bit by bit: there are as many as the quotient has."""


@operator("Add", since=(7, 13, 14), infer=broadcast, cost=per_byte(), values=NUMBERS)
def add(a: Tensor, b: Tensor) -> Tensor:
    """a + b; integers wrap."""
    return np.add(a, b)


@operator("Sub", since=(7, 13, 14), infer=broadcast, cost=per_byte(), values=NUMBERS)
def sub(a: Tensor, b: Tensor) -> Tensor:
    """a - b; integers wrap."""
    return np.subtract(a, b)


@operator("Mul", since=(7, 13, 14), infer=broadcast, cost=_PRODUCT, values=NUMBERS)
def mul(a: Tensor, b: Tensor) -> Tensor:
    """a b; integers wrap."""
    return np.multiply(a, b)


@operator("Div", since=(7, 13, 14), infer=broadcast, cost=_QUOTIENT, values=NUMBERS)
def div(a: Tensor, b: Tensor) -> Tensor:
    """a / b; integers are cut towards zero, and give 0 where b is 0."""
    return np.divide(a, b) if a.dtype.kind == "f" else numerics.divide_whole(a, b)


def _mod(call: Call) -> tuple[Operand, ...]:
    if call.at(0).dtype in FLOATS and not call.whole("fmod"):
        raise Mismatch("fmod must be 1 for floats")
    return broadcast(call)


@operator("Mod", since=(10, 13), infer=_mod, cost=_REST, values=NUMBERS)
def mod_10(a: Tensor, b: Tensor, *, fmod: int = 0) -> Tensor:
    """As later versions, but floats only with `fmod`."""
    return mod(a, b, fmod=fmod)


@operator("Mod", since=28, infer=broadcast, cost=_REST, values=NUMBERS)
def mod(a: Tensor, b: Tensor, *, fmod: int = 0) -> Tensor:
    """Rest of a / b with the sign of b, or of a if `fmod`; integers give 0 where b is 0.

    Of floats the rest with the sign of a is exact; where the signs differ, b is added and rounded.
    """
    if a.dtype.kind == "f":
        rest = np.fmod(a, b)
        if fmod:
            return rest
        moved = np.where((rest < 0) != (b < 0), rest + b, rest)
        return np.where(rest == 0, np.copysign(a.dtype.type(0), b), moved)
    safe = np.where(b == 0, 1, b).astype(a.dtype)
    rest = np.fmod(a, safe) if fmod else np.mod(a, safe)
    return np.asarray(np.where(b == 0, a.dtype.type(0), rest))


def _pow(call: Call) -> tuple[Operand, ...]:
    require_dtype(call.at(1), NUMBERS, "Y")
    return (Operand(call.at(0).dtype, broadcast_inputs(call)),)


POWERED = (*FLOATS, "int32", "int64")
SIMPLE_EXPONENTS = (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0)
"""Constants whose powers cost the same whatever the numbers are."""


def _pow_cost(call: Call) -> int:
    """Integers are squared up to 64 times; powers in binary64 are found in pairs of numbers.

    So are those of binary32 that nearly lie half-way between two numbers, and all may.
    """
    base, exponent = call.at(0).dtype, call.at(1).dtype
    if base in FLOATS:
        value = call.at(1).value
        simple = value is not None and bool(np.isin(value, SIMPLE_EXPONENTS).all())
        doubtful = 3_000_000 if base == "float64" else 700_000
        return per_element(25_000 if simple and base != "float64" else doubtful)(call)
    return per_element(2_500_000 if exponent in FLOATS else 120_000, start=300_000)(call)


@operator("Pow", since=(12, 13, 15), infer=_pow, cost=_pow_cost, values=POWERED)
def pow(x: Tensor, y: Tensor) -> Tensor:
    """x^y, correctly rounded; integers wrap, or go through binary64 where y is a float."""
    if x.dtype.kind == "f":
        return power(x, y)
    if y.dtype.kind == "f":
        return numerics.cast(power(x.astype(np.float64), y), x.dtype.name)
    return _whole_power(x, y)


@operator("Pow", since=7, infer=_pow, cost=_pow_cost, values=FLOATS)
def pow_7(x: Tensor, y: Tensor) -> Tensor:
    """As later versions, of floats only."""
    return power(x, y)


def _whole_power(x: Tensor, y: Tensor) -> Tensor:
    """x^y in wrapping integers; below y = 0 the quotient 1 / x^-y cut towards zero, 0 of 0."""
    base, exponent = np.broadcast_arrays(x, y)
    left: Tensor = np.where(exponent < 0, 0, exponent).astype(np.uint64)
    result: Tensor = np.ones_like(base)
    square: Tensor = base
    while left.any():
        result = np.where(left & 1, result * square, result)
        square, left = square * square, np.right_shift(left, 1)
    odd = np.where(exponent & 1, base, 1)
    inverse = np.where(np.abs(base) == 1, odd, 0).astype(x.dtype)
    return np.where(exponent < 0, inverse, result)


@operator("Neg", since=(6, 13), infer=same, cost=per_byte(), values=SIGNED)
def neg(x: Tensor) -> Tensor:
    """-x."""
    return np.negative(x)


@operator("Abs", since=(6, 13), infer=same, cost=per_byte(), values=NUMBERS)
def abs(x: Tensor) -> Tensor:
    """Magnitude of x; the least integer keeps its sign."""
    return np.asarray(np.abs(x))


@operator("Sign", since=(9, 13), infer=same, cost=per_element(2_500), values=NUMBERS)
def sign(input: Tensor) -> Tensor:
    """-1, +0 or 1."""
    return np.asarray(np.sign(input) + input.dtype.type(0))


@operator("Reciprocal", since=(6, 13), infer=same, cost=per_byte(250), values=FLOATS)
def reciprocal(x: Tensor) -> Tensor:
    """1 / x."""
    return np.asarray(np.divide(x.dtype.type(1), x))


@operator("Sqrt", since=(6, 13), infer=same, cost=per_byte(1_000), values=FLOATS)
def sqrt(x: Tensor) -> Tensor:
    """Square root, which IEEE 754 rounds correctly."""
    return np.sqrt(x)


@operator("Floor", since=(6, 13), infer=same, cost=per_byte(), values=FLOATS)
def floor(x: Tensor) -> Tensor:
    """Greatest whole number not above x."""
    return np.floor(x)


@operator("Ceil", since=(6, 13), infer=same, cost=per_byte(), values=FLOATS)
def ceil(x: Tensor) -> Tensor:
    """Least whole number not below x."""
    return np.ceil(x)


@operator("Round", since=(11, 22), infer=same, cost=per_byte(), values=FLOATS)
def round(x: Tensor) -> Tensor:
    """Nearest whole number, half to even."""
    return np.rint(x)


@operator("Min", since=(8, 12, 13), infer=broadcast, cost=per_byte(150), values=NUMBERS)
def min(*data_0: Tensor) -> Tensor:
    """Least of the inputs; NaN if one is NaN; a zero is +0."""
    least = data_0[0]
    for other in data_0[1:]:
        least = numerics.minimum(least, other)
    return least


@operator("Max", since=(8, 12, 13), infer=broadcast, cost=per_byte(150), values=NUMBERS)
def max(*data_0: Tensor) -> Tensor:
    """Greatest of the inputs; NaN if one is NaN; a zero is +0."""
    greatest = data_0[0]
    for other in data_0[1:]:
        greatest = numerics.maximum(greatest, other)
    return greatest


@operator("Sum", since=(8, 13), infer=broadcast, cost=per_byte(), values=FLOATS)
def sum(*data_0: Tensor) -> Tensor:
    """Inputs added one after the other, each sum rounded."""
    total = data_0[0]
    for other in data_0[1:]:
        total = np.add(total, other)
    return total


@operator("Mean", since=(8, 13), infer=broadcast, cost=per_byte(180), values=FLOATS)
def mean(*data_0: Tensor) -> Tensor:
    """The sum of the inputs as `Sum` gives it, divided by their number."""
    return np.asarray(np.divide(sum(*data_0), data_0[0].dtype.type(len(data_0))))


@operator("Clip", since=6, infer=same, cost=per_element(), values=FLOAT32)
def clip_6(
    input: Tensor, *, max: float = 3.4028234663852886e38, min: float = -3.4028234663852886e38
) -> Tensor:
    """min(max(input, min), max); a zero is +0."""
    return clip(input, np.array(min, np.float32), np.array(max, np.float32))


def _clip(call: Call) -> tuple[Operand, ...]:
    first = call.at(0)
    for index, name in ((1, "min"), (2, "max")):
        bound = call.optional(index)
        if bound is not None:
            require_dtype(bound, (first.dtype,), name)
            if bound.shape not in ((), (1,)):
                raise Mismatch(f"{name} is {bound}, not a scalar")
    return same(call)


@operator("Clip", since=(11, 12, 13), infer=_clip, cost=per_element(2_500), values=NUMBERS)
def clip(input: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:
    """min(max(input, min), max); a zero is +0, unless no bound is given."""
    clipped = input
    if min is not None:
        clipped = numerics.maximum(clipped, np.asarray(min).reshape(()))
    if max is not None:
        clipped = numerics.minimum(clipped, np.asarray(max).reshape(()))
    return clipped
