"""Angles to quarter turns and a rest, for any binary64 number (used by sin, cos and tan)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ai_exec.semantics.numerics import Floats
from ai_exec.semantics.pairs import Pair, constant, exact_sum_of, pair_product
from ai_exec.semantics.wide import pi_of_bits

Whole = npt.NDArray[np.int64]
Limbs = npt.NDArray[np.uint64]

NEAR: Final = 2.0**20
"""Up to this size, products of the count of quarter turns with parts of pi/2 are exact."""
TWO_OVER_PI: Final = float.fromhex("0x1.45f306dc9c883p-1")
HALF_PI: Final = constant("0x1.921fb54442d18p+0", "0x1.1a62633145c07p-54")
HALF_PI_PARTS: Final = tuple(
    float.fromhex(part)
    for part in (
        *("0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2ep-69"),
        "0x1.b839a252049c1p-104",
    )
)
"""pi/2 in three parts of at most 33 bits and a rest."""

LIMB_BITS: Final = 32
LIMBS: Final = 7
"""Kept limbs of a product: 2 bits of quarter turns, 222 bits of a fraction."""
_LEADING: Final = 2
_COUNT: Final = 42
_TABLE_BITS: Final = LIMB_BITS * (_COUNT - _LEADING)
_MASK: Final = np.uint64((1 << LIMB_BITS) - 1)


def _limbs_of_two_over_pi() -> Limbs:
    """2/pi in base 2^32, after two limbs of zero."""
    digits = (2 << 2 * _TABLE_BITS) // pi_of_bits(_TABLE_BITS)
    shifts = range(_TABLE_BITS - LIMB_BITS, -1, -LIMB_BITS)
    found = [digits >> shift & (1 << LIMB_BITS) - 1 for shift in shifts]
    return np.array([0] * _LEADING + found, np.uint64)


TABLE: Final = _limbs_of_two_over_pi()


def quarter_turns(x: Floats) -> tuple[Whole, Pair]:
    """Give n modulo 4 and r with x = n pi/2 + r, |r| at most about pi/4; r is NaN at infinity."""
    far = (np.abs(x) > NEAR) & np.isfinite(x)
    turns, (high, low) = _near_turns(np.where(far | np.isinf(x), np.nan, x))
    if far.any():
        turns[far], (high[far], low[far]) = _far_turns(x[far])
    return turns, (high, low)


def _near_turns(x: Floats) -> tuple[Whole, Pair]:
    count = np.rint(x * TWO_OVER_PI)
    count = np.where(np.isnan(count), 0.0, count)
    first, second, third, fourth = HALF_PI_PARTS
    rest, lost = exact_sum_of(x - count * first, -count * second)
    rest, lost_too = exact_sum_of(rest, -count * third)
    small = (lost + lost_too) - count * fourth
    high = rest + small
    return count.astype(np.int64) & 3, (high, (rest - high) + small)


def _far_turns(x: Floats) -> tuple[Whole, Pair]:
    """Multiply the mantissa by the digits of 2/pi that matter, in whole numbers modulo 4 turns."""
    mantissa, exponent = np.frexp(np.abs(x))
    whole = np.ldexp(mantissa, 53).astype(np.uint64)
    place = exponent.astype(np.int64) - 53 + LIMB_BITS * _LEADING - 2
    start, shift = place // LIMB_BITS, (place % LIMB_BITS).astype(np.uint64)
    lower = (whole & _MASK) << shift
    upper = ((whole >> np.uint64(LIMB_BITS)) << shift) + (lower >> np.uint64(LIMB_BITS))
    factors = (lower & _MASK, upper & _MASK, upper >> np.uint64(LIMB_BITS))
    product = _product(factors, start)
    top = product[0]
    turns = ((top >> np.uint64(29)) + np.uint64(1) >> np.uint64(1)).astype(np.int64)
    above = (top >> np.uint64(29)) & np.uint64(1) == 1
    product[0] = top & np.uint64((1 << 30) - 1)
    sizes = [np.where(above, limb ^ _MASK, limb) for limb in product]
    sizes[0] = np.where(above, sizes[0] & np.uint64((1 << 30) - 1), sizes[0])
    high, low = _fraction([size.astype(np.float64) for size in sizes])
    negative = above ^ (x < 0)
    turns = np.where(x < 0, -turns, turns) & 3
    return turns, (np.where(negative, -high, high), np.where(negative, -low, low))


def _product(factors: tuple[Limbs, Limbs, Limbs], start: Whole) -> list[Limbs]:
    """Limbs of the product with a window of the table, the highest first, modulo 2^224."""
    columns = [np.zeros_like(factors[0]) for _ in range(LIMBS + 1)]
    for index in range(LIMBS):
        limb = TABLE[start + index]
        for position, factor in enumerate(factors):
            column = index - position
            if column < 0:
                continue
            part = limb * factor
            columns[column] = columns[column] + (part & _MASK)
            if column > 0:
                columns[column - 1] = columns[column - 1] + (part >> np.uint64(LIMB_BITS))
    for column in range(LIMBS - 1, 0, -1):
        columns[column - 1] = columns[column - 1] + (columns[column] >> np.uint64(LIMB_BITS))
        columns[column] = columns[column] & _MASK
    columns[0] = columns[0] & _MASK
    return columns[:LIMBS]


def _fraction(limbs: list[Floats]) -> Pair:
    """The limbs, 30 bits before the rest of 32 each, as a share of a quarter turn times pi/2."""
    scaled = [limb * 2.0 ** (-30 - LIMB_BITS * place) for place, limb in enumerate(limbs[:5])]
    total, lost = exact_sum_of(scaled[0], scaled[1])
    total, lost_too = exact_sum_of(total, scaled[2])
    small = lost + (lost_too + (scaled[3] + scaled[4]))
    return pair_product((total, small), HALF_PI)
