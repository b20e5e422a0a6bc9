"""Correctly rounded functions by a table and a short polynomial, where binary64 can decide.

The sequences differ from those of `ai_exec.semantics.functions`, the results do not: both
are the true value rounded, or the question goes to `ai_exec.semantics.functions`.
"""

from array import array
from collections.abc import Callable
from math import isfinite, ldexp
from typing import Final

import numpy as np

from ai_exec.ops.normalisation import softmax as plain_softmax
from ai_exec.semantics import functions
from ai_exec.semantics.functions import DOUBT
from ai_exec.semantics.numerics import Axes, Floats, ceil_log2
from ai_exec.semantics.wide import LN_2, ONE
from ai_exec.semantics.wide import exp as wide_exp
from ai_exec.tensor import Tensor

TABLE_BITS: Final = 12
TABLE_LENGTH: Final = 1 << TABLE_BITS
REACH: Final = 200.0
"""Beyond it e^x has reached its limit in binary32."""
SHORT: Final = 32
"""Elements of a row up to which numbers one by one are faster than arrays."""
LIMIT: Final = np.float32(REACH)

DOUBT_LOW: Final = 1.0 - DOUBT
DOUBT_HIGH: Final = 1.0 + DOUBT

STEP: Final = LN_2 / (ONE << TABLE_BITS)
"""ln 2 / 4096, rounded once: Python divides whole numbers correctly rounded."""
STEPS_PER_ONE: Final = (ONE << TABLE_BITS) / LN_2
STEP_HIGH: Final = float(round(STEP * 2.0**44)) / 2.0**44
"""31 bits, so that a whole number of 22 bits times it is exact."""
STEP_LOW: Final = (LN_2 - (round(STEP * 2.0**44) * ONE >> 44 - TABLE_BITS)) / (ONE << TABLE_BITS)


def _powers() -> Floats:
    """2^(index / 4096), each rounded once; the integers gather an error below 2^-490."""
    factor, power, found = wide_exp(LN_2 >> TABLE_BITS), ONE, []
    for _ in range(TABLE_LENGTH):
        found.append(power / ONE)
        power = power * factor // ONE
    return np.array(found)


POWERS: Final = _powers()
POWER_NUMBERS: Final = tuple(POWERS.tolist())


def exp_64(x: Floats) -> Floats:
    """e^x for |x| <= 200, wrong by less than 2^-50 of it: the rest below 2^-13 takes four terms."""
    count = np.rint(x * STEPS_PER_ONE)
    rest = x - count * STEP_HIGH
    rest -= count * STEP_LOW
    value = rest * (1 / 6)
    value += 0.5
    value *= rest
    value += 1.0
    value *= rest
    value += 1.0
    whole = count.astype(np.int32)
    value *= POWERS.take(whole & (TABLE_LENGTH - 1))
    result: Floats = np.ldexp(value, whole >> TABLE_BITS)
    return result


def exp(x: Tensor) -> Tensor:
    """e^x, correctly rounded."""
    if not _is_finite(x):
        return functions.exp(x)
    return _rounded(exp_64(np.clip(x, -REACH, REACH, dtype=np.float64)), x, functions.exp)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x), correctly rounded."""
    if not _is_finite(x):
        return functions.sigmoid(x)
    value = exp_64(np.clip(np.negative(x, dtype=np.float64), -REACH, REACH))
    value += 1.0
    return _rounded(np.divide(1.0, value), x, functions.sigmoid)


def softmax(rows: Tensor, axis: int) -> Tensor:
    """The operator's Softmax along one axis."""
    if rows.size == rows.shape[axis] <= SHORT:
        return _short_softmax(rows, axis)
    if not _is_finite(rows):
        return np.asarray(plain_softmax(rows, axis=axis))
    distance = np.maximum(rows - np.maximum.reduce(rows, axis=axis, keepdims=True), -LIMIT)
    powers = _rounded(exp_64(distance.astype(np.float64)), distance, functions.exp)
    return _shares(powers, (axis,), rows.shape[axis])


def _short_softmax(rows: Tensor, axis: int) -> Tensor:
    """A single short row: numbers one by one cost less than calls on so few elements."""
    greatest = rows.item(rows.argmax())
    distance = rows - np.float32(greatest)
    numbers = distance.reshape(-1).tolist()
    if not isfinite(greatest) or not all(map(isfinite, numbers)):
        return np.asarray(plain_softmax(rows, axis=axis))
    values = [_exp_number(number) for number in numbers]
    low = array("f", [value * DOUBT_LOW for value in values])
    high = array("f", [value * DOUBT_HIGH for value in values])
    if low != high:
        return np.asarray(plain_softmax(rows, axis=axis))
    powers = high.tolist()
    scale = 2.0 ** (52 - ceil_log2(len(powers)))
    total = sum([round(power * scale) for power in powers]) / scale
    return np.array([power / total for power in powers], np.float32).reshape(rows.shape)


def _exp_number(x: float) -> float:
    """`exp_64` of one number that is not positive."""
    x = max(x, -REACH)
    count = round(x * STEPS_PER_ONE)
    rest = (x - count * STEP_HIGH) - count * STEP_LOW
    value = 1.0 + rest * (1.0 + rest * (0.5 + rest * (1 / 6)))
    return ldexp(value * POWER_NUMBERS[count & (TABLE_LENGTH - 1)], count >> TABLE_BITS)


def _shares(powers: Tensor, axes: Axes, length: int) -> Tensor:
    """Each power by their sum.  The greatest power is 1, so the scale of R3 is known: 2^-bits."""
    scale = 2.0 ** (52 - ceil_log2(length))
    wide = powers.astype(np.float64)
    digits = wide * scale
    np.rint(digits, out=digits)
    total = np.add.reduce(digits, axis=axes, keepdims=True)
    total *= 1.0 / scale
    wide /= total
    return wide.astype(np.float32)


def _rounded(value: Floats, x: Tensor, slow: Callable[[Tensor], Tensor]) -> Tensor:
    """Round to binary32; elements for which both ends of the doubt differ are asked for again."""
    low = (value * DOUBT_LOW).astype(np.float32)
    high = (value * DOUBT_HIGH).astype(np.float32)
    doubtful = low != high
    if doubtful.any():
        high[doubtful] = slow(x[doubtful])
    return high


def _is_finite(x: Tensor) -> bool:
    """Tell whether there is no NaN and no infinity."""
    return bool(np.isfinite(x).all())
