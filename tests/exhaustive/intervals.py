"""Intervals and power series of intervals by MPFR, every step rounded outwards.

A series holds the derivatives of a function, each divided by its factorial: at a point, or for all
points of an interval at once.  So the last one bounds what a polynomial leaves out.
"""

from collections.abc import Sequence
from typing import Any

import gmpy2
from gmpy2 import mpfr

PRECISION = 128
DOWN: Any = gmpy2.context(
    precision=PRECISION, round=gmpy2.RoundDown, trap_invalid=True, trap_divzero=True
)
UP: Any = gmpy2.context(
    precision=PRECISION, round=gmpy2.RoundUp, trap_invalid=True, trap_divzero=True
)
ZERO = mpfr(0)

Interval = tuple[mpfr, mpfr]
Series = Sequence[Interval]


class Unbounded(Exception):
    """An interval holds a number where the function is not defined: cut it."""


def point(number: float) -> Interval:
    """A number that 128 bits hold."""
    return mpfr(number, PRECISION), mpfr(number, PRECISION)


ONE, NOTHING = point(1), point(0)


def increasing(function: str, x: Interval) -> Interval:
    """Values of a function of gmpy2 that never falls."""
    return getattr(DOWN, function)(x[0]), getattr(UP, function)(x[1])


def falling(function: str, x: Interval) -> Interval:
    """Values of a function of gmpy2 that never rises."""
    return getattr(DOWN, function)(x[1]), getattr(UP, function)(x[0])


def negative(a: Interval) -> Interval:
    """-a, by contexts: Python's own minus rounds to 53 bits."""
    return DOWN.minus(a[1]), UP.minus(a[0])


def size_of(a: Interval) -> mpfr:
    """The largest size of a number of an interval."""
    return max(UP.minus(a[0]), a[1])


def total(a: Interval, b: Interval) -> Interval:
    """a + b."""
    return DOWN.add(a[0], b[0]), UP.add(a[1], b[1])


def product(a: Interval, b: Interval) -> Interval:
    """a b."""
    if a[1] <= 0 and a[0] < 0:
        return negative(product(negative(a), b))
    if a[0] < 0:
        if b[0] >= 0 or b[1] <= 0:
            return product(b, a)
        low = min(DOWN.mul(a[0], b[1]), DOWN.mul(a[1], b[0]))
        return low, max(UP.mul(a[0], b[0]), UP.mul(a[1], b[1]))
    return (
        DOWN.mul(a[0] if b[0] >= 0 else a[1], b[0]),
        UP.mul(a[1] if b[1] >= 0 else a[0], b[1]),
    )


def quotient(a: Interval, b: Interval) -> Interval:
    """a / b."""
    if b[0] <= 0 <= b[1]:
        raise Unbounded
    return product(a, (DOWN.div(1, b[1]), UP.div(1, b[0])))


def variable(x: Interval, length: int) -> Series:
    """The series of x itself."""
    return ([x, ONE] + [NOTHING] * length)[:length]


def constant(number: float, length: int) -> Series:
    """The series of a number."""
    return ([point(number)] + [NOTHING] * length)[:length]


def sums(a: Series, b: Series) -> Series:
    """a + b."""
    return [total(one, other) for one, other in zip(a, b, strict=True)]


def scaled(factor: Interval, a: Series) -> Series:
    """A number times a."""
    return [product(factor, term) for term in a]


def products(a: Series, b: Series) -> Series:
    """a b."""
    return [_folded(a, b, order) for order in range(len(a))]


def quotients(a: Series, b: Series) -> Series:
    """a / b."""
    found: list[Interval] = [quotient(a[0], b[0])]
    for order in range(1, len(a)):
        less = _folded([*found, NOTHING], b, order)
        found.append(quotient(total(a[order], negative(less)), b[0]))
    return found


def roots(a: Series) -> Series:
    """Square root of a."""
    if a[0][0] <= 0:
        raise Unbounded
    found: list[Interval] = [increasing("sqrt", a[0])]
    for order in range(1, len(a)):
        less = _folded([NOTHING, *found[1:], NOTHING], [NOTHING, *found[1:], NOTHING], order)
        found.append(quotient(total(a[order], negative(less)), product(point(2), found[0])))
    return found


def powers(a: Series) -> Series:
    """e^a."""
    slopes = [product(point(order), term) for order, term in enumerate(a)]
    found: list[Interval] = [increasing("exp", a[0])]
    for order in range(1, len(a)):
        found.append(quotient(_folded([*found, NOTHING], slopes, order), point(order)))
    return found


def integral(start: Interval, derivative: Series) -> Series:
    """The function with a value and a derivative."""
    parts = [quotient(term, point(order)) for order, term in enumerate(derivative, 1)]
    return [start, *parts[: len(derivative) - 1]]


def _folded(a: Series, b: Series, order: int) -> Interval:
    """Sum of a_j b_(order - j); of one product the sign of a zero stays."""
    found = product(a[0], b[order])
    for index in range(1, order + 1):
        found = total(found, product(a[index], b[order - index]))
    return found
