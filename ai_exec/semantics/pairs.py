"""Numbers of twice the precision of binary64, as unevaluated sums of a large and a small part."""

from typing import Final

import numpy as np

from ai_exec.semantics.numerics import Floats

Pair = tuple[Floats, Floats]
"""The number is the sum; the second part is at most half a unit of the first."""

SPLITTER: Final = 2.0**27 + 1.0


def upper_half(x: Floats) -> Floats:
    """The upper 26 bits of x, rounded, so that its square is exact."""
    scaled = SPLITTER * x
    upper: Floats = scaled - (scaled - x)
    return upper


def exact_sum_of(a: Floats, b: Floats) -> Pair:
    """a + b rounded, and what that lost, exactly."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def exact_product(a: Floats, b: Floats) -> Pair:
    """a b rounded, and what that lost, exactly."""
    product = a * b
    a_high, b_high = upper_half(a), upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def settled(high: Floats, low: Floats) -> Pair:
    """The pair whose first part is the rounded sum; the first given part is the larger one."""
    total = high + low
    return total, low - (total - high)


def pair_sum(a: Pair, b: Pair) -> Pair:
    """a + b."""
    total, lost = exact_sum_of(a[0], b[0])
    return settled(total, lost + (a[1] + b[1]))


def pair_product(a: Pair, b: Pair) -> Pair:
    """a b."""
    product, lost = exact_product(a[0], b[0])
    return settled(product, lost + (a[0] * b[1] + a[1] * b[0]))


def constant(high: str, low: str) -> Pair:
    """A number written as two parts in hexadecimal."""
    return np.asarray(float.fromhex(high)), np.asarray(float.fromhex(low))


def of(x: Floats) -> Pair:
    """A binary64 number as a pair."""
    return x, np.zeros_like(x)
