"""Sine, cosine and tangent of binary32 numbers in binary64, by whole numbers and Taylor's series.

A number beyond 0.75 is M 2^q.  128 binary digits of the fraction of 2^q / (2 pi), times M < 2^24,
give its turns, wrong by less than 2^-104.  In units u = 2^-53 of itself: the rest of a quarter
turn is wrong by 4 u (conversion, sum, constant, product) and 2^-60 if it is not below 2^-40;
smaller rests, of which there are none, are left to MPFR.  For |r| <= pi/4, series to r^19 and r^18
leave out less than 2^-58.  Rounding wrongs the sine by 3 u and the cosine by 5 u.  The rest's 4 u
become at most 4, 3.2 and 6.3 u of the sine, the cosine and the tangent.  So the sine and the cosine
are wrong by less than 9 u, the tangent, with its division, by less than 16 u: 2^-49.
"""

from math import factorial
from typing import Any

import gmpy2
import numpy as np
from numba import njit

SIN, COS, TAN = range(3)
NAMES = ("sin", "cos", "tan")
ERROR = 2.0**-49
NEAR = 0.75
REST_MIN = 2.0**-40
_EXPONENTS = 255
_BITS = 128
_KEPT = 400


def _digits_of_turns() -> Any:
    """For each exponent, four limbs of 32 binary digits of the fraction of 2^q / (2 pi)."""
    with gmpy2.context(precision=600):
        digits = int(gmpy2.exp2(_KEPT) / (2 * gmpy2.const_pi()))
    found = np.zeros((_EXPONENTS, 4), np.uint64)
    for exponent in range(_EXPONENTS):
        shift = _KEPT - _BITS - (max(exponent, 1) - 150)
        whole = (digits >> shift) % (1 << _BITS)
        found[exponent] = [(whole >> 32 * limb) & 0xFFFF_FFFF for limb in range(4)]
    return found


TURNS = _digits_of_turns()
_TWO_PI = float(2 * gmpy2.const_pi())
_LIMB = np.uint64(0xFFFF_FFFF)
_SINE = tuple((-1) ** n / factorial(2 * n + 1) for n in range(1, 10))
_COSINE = tuple((-1) ** n / factorial(2 * n) for n in range(2, 10))


@njit(error_model="numpy", cache=True)
def rest_of(bits: Any) -> tuple[int, float]:
    """Quarter turns, modulo 4, and rest of the size of a number with these bits, beyond NEAR."""
    exponent = (bits >> 23) & 0xFF
    whole = np.uint64((bits & 0x7FFFFF) | 0x800000)
    first = whole * TURNS[exponent, 0]
    second = whole * TURNS[exponent, 1] + (first >> np.uint64(32))
    third = whole * TURNS[exponent, 2] + (second >> np.uint64(32))
    fourth = whole * TURNS[exponent, 3] + (third >> np.uint64(32))
    high = ((fourth & _LIMB) << np.uint64(32)) | (third & _LIMB)
    low = ((second & _LIMB) << np.uint64(32)) | (first & _LIMB)
    quarters = (high + np.uint64(1 << 61)) >> np.uint64(62)
    signed = np.int64(high - (quarters << np.uint64(62)))
    rest = np.float64(signed) + np.float64(low) * 2.0**-64
    return np.int64(quarters) & 3, rest * 2.0**-64 * _TWO_PI


@njit(error_model="numpy", cache=True)
def series(coefficients: tuple[float, ...], square: float) -> float:
    """Sum of the coefficients times rising powers."""
    value = coefficients[len(coefficients) - 1]
    for place in range(len(coefficients) - 2, -1, -1):
        value = value * square + coefficients[place]
    return value


@njit(error_model="numpy", cache=True)
def angle(function: int, x: float, bits: Any) -> float:
    """Give the function of a number that has these bits; NaN if it is left to MPFR."""
    turns, rest = 0, abs(x)
    if rest > NEAR:
        turns, rest = rest_of(bits)
        if abs(rest) < REST_MIN:
            return np.nan
    square = rest * rest
    sine = rest * (1.0 + square * series(_SINE, square))
    cosine = 1.0 - square * (0.5 - square * series(_COSINE, square))
    if function == TAN:
        value = -cosine / sine if turns & 1 else sine / cosine
    elif function == SIN:
        value = cosine if turns & 1 else sine
        value = -value if turns & 2 else value
    else:
        value = sine if turns & 1 else cosine
        value = -value if (turns + 1) & 2 else value
    return -value if x < 0.0 and function != COS else value
