"""Powers (R2): of binary32 numbers correctly rounded, of binary64 numbers by a pinned sequence.

x^y = e^(y log x) in pairs of binary64 numbers: log(x) is one step of Newton's rule from the rounded
logarithm, and e^r squares the power of a small part ten times.  The result is wrong by less than
2^-80.  What that cannot decide is asked of integers (`wide.power_rounded`): exact powers half-way
between two binary32 numbers, and hardly anything else.
"""

from typing import Final

import numpy as np

from ai_exec.semantics.binary64 import LN_2_HIGH, LN_2_LOW, LOG_2_E, horner, log, split
from ai_exec.semantics.numerics import Floats
from ai_exec.semantics.pairs import (
    Pair,
    exact_product,
    exact_sum_of,
    of,
    pair_product,
    pair_sum,
)
from ai_exec.semantics.wide import power_rounded
from ai_exec.tensor import Tensor

PAIR_DOUBT: Final = 2.0**-76
"""Relative error that the pairs stay below, with room to spare."""
LN_2_THIRD: Final = float.fromhex("-0x1.c4c67fc0d0951p-76")
"""What ln 2 has beyond its first two parts."""
REACH: Final = 800.0
"""Beyond e^800 and below e^-800 a power has left binary64."""
SQUARINGS: Final = 10
_SIXTH: Final = (float.fromhex("0x1.5555555555555p-3"), float.fromhex("0x1.5555555555555p-57"))
_TERMS: Final = tuple(1.0 / factorial for factorial in (24.0, 120.0, 720.0, 5040.0, 40320.0))


def power(base: Tensor, exponent: Tensor) -> Tensor:
    """base^exponent in the base's type, with the special cases of IEEE 754 `pow`."""
    x, y = np.broadcast_arrays(base.astype(np.float64), exponent.astype(np.float64))
    size = np.abs(x)
    usual = np.isfinite(x) & np.isfinite(y) & (size > 0) & (size != 1) & (y != 0)
    value = _special(size, y)
    for simple, result in _simple(size):
        value = np.where(y == simple, result, value)
        usual &= y != simple
    if usual.any():
        value[usual] = _general(size[usual], y[usual], odd=base.dtype == np.float32)
    is_whole = (np.rint(y) == y) & np.isfinite(y)
    odd = is_whole & (np.abs(y) < 2.0**53) & (np.rint(y * 0.5) * 2.0 != y)
    signed = np.where(odd & np.signbit(x), -value, value)
    signed = np.where((x < 0) & np.isfinite(x) & np.isfinite(y) & ~is_whole, np.nan, signed)
    return signed.astype(base.dtype)


def _simple(size: Floats) -> tuple[tuple[float, Floats], ...]:
    """Exponents whose power one operation rounds, so that a second rounding does no harm."""
    return (1.0, size), (2.0, size * size), (0.5, np.sqrt(size)), (-1.0, 1.0 / size)


def _special(size: Floats, y: Floats) -> Floats:
    """The power of a magnitude where one of the two is 0, 1, infinite or NaN."""
    grows = (size > 1) == (y > 0)
    value = np.where(grows, np.inf, 0.0)
    value = np.where(np.isnan(size) | np.isnan(y), np.nan, value)
    return np.where((y == 0) | (size == 1), 1.0, value)


def _general(x: Floats, y: Floats, *, odd: bool) -> Floats:
    """x^y for a finite x > 0; if `odd`, a number that rounds to binary32 as x^y does."""
    logarithm = _log(x)
    estimate = logarithm[0] * y
    inside = np.abs(estimate) < REACH
    product = pair_product(logarithm, of(np.where(inside, y, 0.0)))
    beyond = np.where(inside, product[0], np.copysign(REACH, estimate))
    (high, low), count = _exp((beyond, np.where(inside, product[1], 0.0)))
    value = np.ldexp(high, count)
    return _odd_or_exact(value, np.ldexp(low, count), x, y) if odd else value


def _log(x: Floats) -> Pair:
    """log(x) as a pair: y + (m e^-y - 1) + k ln 2 for y = log(m) rounded and x = m 2^k."""
    mantissa, exponent = split(x)
    near = log(mantissa)
    change = pair_product(_expm1(of(-near)), of(mantissa))
    found = pair_sum(of(near), pair_sum(of(mantissa - 1.0), change))
    found = pair_sum(found, exact_product(exponent, np.full_like(x, LN_2_LOW)))
    found = pair_sum(found, of(exponent * LN_2_THIRD))
    return pair_sum(of(exponent * LN_2_HIGH), found)


def _exp(x: Pair) -> tuple[Pair, Tensor]:
    """e^x as a pair times a power of two."""
    count = np.rint(x[0] * LOG_2_E)
    rest = pair_sum(exact_sum_of(x[0], -count * LN_2_HIGH), of(x[1]))
    low, lost = exact_product(-count, np.full_like(count, LN_2_LOW))
    rest = pair_sum(rest, (low, lost - count * LN_2_THIRD))
    return pair_sum(of(np.ones_like(count)), _expm1(rest)), count.astype(np.int32)


def _expm1(x: Pair) -> Pair:
    """e^x - 1 for |x| up to 0.35, by its series at x / 1024."""
    small = 2.0**-SQUARINGS
    r = (x[0] * small, x[1] * small)
    square = pair_product(r, r)
    sixth = (np.full_like(r[0], _SIXTH[0]), np.full_like(r[0], _SIXTH[1]))
    more = pair_product(pair_product(square, r), sixth)
    more = pair_sum(more, of(square[0] * square[0] * horner(_TERMS, r[0])))
    less = pair_sum(r, pair_sum((square[0] * 0.5, square[1] * 0.5), more))
    for _ in range(SQUARINGS):
        less = pair_sum((less[0] * 2.0, less[1] * 2.0), pair_product(less, less))
    return less


def _odd_or_exact(high: Floats, low: Floats, x: Floats, y: Floats) -> Floats:
    """Give what rounds to binary32 as high + low does; where that is a tie, ask the integers."""
    lower, upper = high * (1 - 2.0**-51), high * (1 + 2.0**-51)
    near = lower.astype(np.float32) != upper.astype(np.float32)
    value = np.where(near & (low != 0), _to_odd(high, low), high)
    doubtful = near & (np.abs(low) < high * PAIR_DOUBT) & np.isfinite(high)
    if doubtful.any():
        given = np.stack([x[doubtful], y[doubtful]])
        pairs, places = np.unique(given, axis=1, return_inverse=True)
        exact = [power_rounded(first, second) for first, second in pairs.T.tolist()]
        value[doubtful] = np.array(exact)[places]
    return value


def _to_odd(high: Floats, low: Floats) -> Floats:
    """Cut high + low to binary64, the last bit set if that lost anything: it never looks a tie."""
    bits = high.view(np.int64)
    moved: Floats = (bits + np.where(bits & 1, 0, np.where(low > 0, 1, -1))).view(np.float64)
    return moved
