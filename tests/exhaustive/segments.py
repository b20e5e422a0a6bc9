"""All binary32 numbers cut into segments on each of which a function is known, with a proved error.

A segment is a run of bit patterns.  It is *constant* (an enclosure of the function over it rounds
to one number), a *polynomial* in binary64, *half* (x / 2 and a little more), or *single* numbers,
which MPFR decides one by one.  A polynomial is Taylor's at the middle.  Its error has two parts,
both bounded for each segment: what the series leaves out, by an enclosure of the next derivative
over the segment, and the roundings of binary64, of which the k-th term meets 2 k + 2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from tests.exhaustive.enclosures import ENCLOSURES, Enclosure
from tests.exhaustive.intervals import (
    DOWN,
    UP,
    Interval,
    Series,
    Unbounded,
    point,
    size_of,
    variable,
)
from tests.support.true_functions import BINARY32

CONSTANT, POLYNOMIAL, HALF, SINGLE, ANGLE = range(5)
DEGREE = 10
ERROR_MAX = 2.0**-50
"""A polynomial's, relative to the function's value: above, segments are cut in two."""
SIGN, INFINITY = 0x8000_0000, 0x7F80_0000
HALF_END = 0x0D80_0000
"""The bits of 2^-100: below this size, x^2 is far below half a unit of x / 2."""
FEW = 4
"""A segment of so few numbers is not cut further."""
UNDEFINED: Any = (gmpy2.InvalidOperationError, gmpy2.DivisionByZeroError, Unbounded)


@dataclass(frozen=True)
class Segment:
    """Bit patterns, from the first one up to the next segment's, and what is known there."""

    first: int
    kind: int
    value: float = 0.0
    """Of a constant."""
    center: float = 0.0
    scale: float = 1.0
    """A power of two: the polynomial is one in (x - center) / scale, at most 1."""
    terms: tuple[float, ...] = ()
    error: float = 0.0
    """Of a polynomial, relative: the proved bound."""


def number_of(bits: int) -> float:
    """The binary32 number of a bit pattern."""
    return float(np.uint32(bits).view(np.float32))


def bits_of(number: float) -> int:
    """The bit pattern of a binary32 number."""
    return int(np.float32(number).view(np.uint32))


@cache
def segments_of(name: str) -> tuple[Segment, ...]:
    """Give the segments of a function, in the order of their bit patterns."""
    return tuple(all_segments(name))


def segments_between(name: str, first: int, last: int) -> tuple[Segment, ...]:
    """Give the segments of finite numbers of one sign, up to the last pattern, in the domain."""
    return tuple(_cut(ENCLOSURES[name], first, last))


def all_segments(name: str) -> Iterator[Segment]:
    """Give the segments of a function, one after the other."""
    for sign in (0, SIGN):
        yield Segment(sign, SINGLE)
        if name not in ENCLOSURES:
            yield Segment(sign + 1, ANGLE)
        else:
            yield from _of_sign(ENCLOSURES[name], sign)
        yield Segment(sign | INFINITY, SINGLE)
        yield Segment((sign | INFINITY) + 1, CONSTANT, nan)


def _of_sign(function: Enclosure, sign: int) -> Iterator[Segment]:
    """Cut the finite numbers of a sign, zero aside, by the domain."""
    start, end = 1, INFINITY - 1
    low, high = (-function.domain[1], -function.domain[0]) if sign else function.domain
    if high <= 0:
        yield Segment(sign + start, CONSTANT, nan)
        return
    if low > 0:
        yield Segment(sign + start, CONSTANT, nan)
        start = bits_of(low)
    if function.factor is not None and _starts_as_half(function.factor):
        yield Segment(sign + start, HALF)
        start = HALF_END
    last = min(end, bits_of(high)) if high < inf else end
    yield from _cut(function, sign + start, sign + last)
    if last < end:
        yield Segment(sign + last + 1, CONSTANT, nan)


def _starts_as_half(factor: Any) -> bool:
    """Tell whether a factor is 1/2 at 0 and rises by at most the size of x up to 2^-100."""
    around = mpfr(-(2.0**-100)), mpfr(2.0**-100)
    slope = factor(variable(around, 2))[1]
    return bool(factor(variable(point(0), 1))[0] == point(0.5) and 0 < slope[0] <= slope[1] <= 1)


def _cut(function: Enclosure, first: int, last: int) -> Iterator[Segment]:
    """Cut a run of bit patterns of one sign until each part is known."""
    ends = sorted((number_of(first), number_of(last)))
    found = _constant(function, first, (mpfr(ends[0]), mpfr(ends[1])))
    if found is None and last - first >= FEW and abs(sum(ends)) <= 3 * min(map(abs, ends)):
        found = _polynomial(function, first, ends[0], ends[1])
    if found is not None:
        yield found
    elif last - first < FEW:
        yield Segment(first, SINGLE)
    else:
        middle = (first + last + 1) // 2
        yield from _cut(function, first, middle - 1)
        yield from _cut(function, middle, last)


def _constant(function: Enclosure, first: int, x: Interval) -> Segment | None:
    """Give a segment that rounds to one number, if it does."""
    try:
        low, high = function.series(variable(x, 1))[0]
    except UNDEFINED:
        return None
    with gmpy2.context(BINARY32):
        one, other = float(+low), float(+high)
    same = bits_of(one) == bits_of(other) and one == one
    return Segment(first, CONSTANT, one) if same else None


def _polynomial(function: Enclosure, first: int, low: float, high: float) -> Segment | None:
    """Give Taylor's polynomial at the middle, if it is exact enough."""
    center, half = (low + high) / 2, (high - low) / 2
    scale = 2.0 ** int(np.ceil(np.log2(half)))
    try:
        series = function.series(variable(point(center), DEGREE + 1))
        rest = function.series(variable((mpfr(low), mpfr(high)), DEGREE + 2))[-1]
    except UNDEFINED:
        return None
    terms, error = _rounded_terms(series, rest, scale, half / scale)
    kept = tuple(float(term) for term in terms)
    return (
        Segment(first, POLYNOMIAL, 0.0, center, scale, kept, error) if error <= ERROR_MAX else None
    )


def _rounded_terms(
    series: Series, rest: Interval, scale: float, reach: float
) -> tuple[list[mpfr], float]:
    """Give the terms of the polynomial in (x - center) / scale, and its largest relative error.

    The latter is infinite if terms, or the function, are too near to the ends of binary64.
    """
    terms, sizes, wrong = [], [], mpfr(0)
    for order, (low, high) in enumerate(series):
        power = UP.pow(scale, order)
        terms.append(UP.mul(high, power))
        grown = UP.pow(reach, order)
        sizes.append(UP.mul(size_of((terms[-1], terms[-1])), grown))
        wrong = UP.add(wrong, UP.mul(UP.mul(UP.sub(high, low), power), grown))
        wrong = UP.add(wrong, UP.mul(sizes[-1], (2 * order + 2) * 2.0**-53 * (1 + 2.0**-40)))
    size = size_of(rest)
    wrong = UP.add(
        wrong, UP.mul(UP.mul(size, UP.pow(scale, len(series))), UP.pow(reach, len(series)))
    )
    least = sizes[0]
    for other in (*sizes[1:], wrong):
        least = DOWN.sub(least, other)
    wrong = UP.add(wrong, 2.0**-1000)
    usual = least > 2.0**-200 and sizes[0] < 2.0**200
    return terms, float(UP.div(wrong, least)) if usual else inf


def largest_error(name: str) -> float:
    """Give the largest proved relative error of the polynomials of a function."""
    return max((segment.error for segment in segments_of(name)), default=0.0)


@dataclass(frozen=True)
class Table:
    """Segments as arrays, one entry each, for compiled code."""

    first: Any
    kind: Any
    value: Any
    center: Any
    inverse_scale: Any
    terms: Any


@cache
def table_of(found: tuple[Segment, ...]) -> Table:
    """Give segments as arrays; one more at the end starts beyond all."""
    padded = [(*one.terms, *(0.0,) * (DEGREE + 1 - len(one.terms))) for one in found]
    return Table(
        np.array([*(one.first for one in found), 1 << 32], np.int64),
        np.array([one.kind for one in found], np.int64),
        np.array([one.value for one in found], np.float32),
        np.array([one.center for one in found]),
        np.array([1 / one.scale for one in found]),
        np.array(padded),
    )
