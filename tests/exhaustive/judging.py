"""Judges results, bit pattern by bit pattern, by what segments say the true values are."""

from typing import Any

import numpy as np
from numba import njit

from tests.exhaustive.angles import angle
from tests.exhaustive.segments import ANGLE, CONSTANT, DEGREE, HALF, POLYNOMIAL

RIGHT, CANDIDATE, WRONG = 0, 1, 2
NAN_BITS = np.uint32(0x7FC0_0000)
DOUBT = 2.0**-48
"""Relative; more than twice the error of any value here and of the two products with it."""


@njit(error_model="numpy", cache=True)
def verdict(value: float, bits: Any) -> int:
    """Judge a result by a value that is wrong by less than DOUBT."""
    low = np.float32(value * (1.0 - DOUBT)).view(np.uint32)
    high = np.float32(value * (1.0 + DOUBT)).view(np.uint32)
    return CANDIDATE if low != high else (RIGHT if bits == low else WRONG)


@njit(error_model="numpy", cache=True)
def judge_polynomial(
    x: Any, bits: Any, center: float, inverse_scale: float, terms: Any, verdicts: Any
) -> None:
    """Judge results by a polynomial."""
    for place in range(x.size):
        t = (np.float64(x[place]) - center) * inverse_scale
        value = terms[DEGREE]
        for order in range(DEGREE - 1, -1, -1):
            value = value * t + terms[order]
        verdicts[place] = verdict(value, bits[place])


@njit(error_model="numpy", cache=True)
def judge_angles(x: Any, bits: Any, function: int, verdicts: Any) -> None:
    """Judge results of sine, cosine or tangent."""
    for place in range(x.size):
        value = angle(
            function, np.float64(x[place]), np.int64(np.float32(x[place]).view(np.uint32))
        )
        known = value == value
        verdicts[place] = verdict(value, bits[place]) if known else CANDIDATE


@njit(error_model="numpy", cache=True)
def judge(
    first: int,
    x: Any,
    bits: Any,
    starts: Any,
    kinds: Any,
    constants: Any,
    centers: Any,
    inverse_scales: Any,
    terms: Any,
    function: int,
    verdicts: Any,
) -> None:
    """Judge the bits of results of all patterns from the first one on; NaNs become one."""
    for place in range(bits.size):
        bits[place] = NAN_BITS if bits[place] & 0x7FFF_FFFF > 0x7F80_0000 else bits[place]
    segment = np.searchsorted(starts, first, side="right") - 1
    place = 0
    while place < x.size:
        end = min(starts[segment + 1] - first, x.size)
        numbers, found, told = x[place:end], bits[place:end], verdicts[place:end]
        kind = kinds[segment]
        if kind == CONSTANT:
            constant = np.float32(constants[segment]).view(np.uint32)
            constant = NAN_BITS if constant & 0x7FFF_FFFF > 0x7F80_0000 else constant
            for index in range(found.size):
                told[index] = RIGHT if found[index] == constant else WRONG
        elif kind == POLYNOMIAL:
            judge_polynomial(
                *(numbers, found, centers[segment], inverse_scales[segment], terms[segment], told)
            )
        elif kind == ANGLE:
            judge_angles(numbers, found, function, told)
        elif kind == HALF:
            for index in range(found.size):
                wide = np.float64(numbers[index])
                half = np.float32(0.5 * wide + abs(wide) * 2.0**-50).view(np.uint32)
                told[index] = RIGHT if found[index] == half else WRONG
        else:
            told[:] = CANDIDATE
        place, segment = end, segment + 1
