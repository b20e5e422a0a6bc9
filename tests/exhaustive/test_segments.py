"""The true values that the proof relies on, beside MPFR's own functions."""

from itertools import islice

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

from tests.exhaustive import angles, intervals
from tests.exhaustive.enclosures import ENCLOSURES
from tests.exhaustive.intervals import DOWN, UP, negative, point, variable
from tests.exhaustive.segments import (
    HALF,
    POLYNOMIAL,
    Segment,
    all_segments,
    bits_of,
    number_of,
    segments_between,
    segments_of,
)
from tests.support.true_functions import BITS, true_value

STARTS = (2.0, 1.0, 0.0625, 2.0**-40, -0.5, -1.0)
COUNT = 1 << 19


def runs(name: str) -> list[tuple[int, int]]:
    """Some runs of bit patterns in the domain of a function."""
    low, high = ENCLOSURES[name].domain
    found = []
    for start in STARTS:
        first, last = bits_of(start), bits_of(start) + COUNT - 1
        if all(low < number_of(end) < high for end in (first, last)):
            found.append((first, last))
    return found


def error_at(name: str, segment: Segment, x: float) -> float:
    t, value = (x - segment.center) / segment.scale, 0.0
    for term in reversed(segment.terms):
        value = value * t + term
    with gmpy2.context(precision=BITS):
        true = true_value(name, x)
        return abs(float((mpfr(value) - true) / true))


@pytest.mark.parametrize("name", sorted(ENCLOSURES))
def test_polynomials_are_as_exact_as_told(name: str) -> None:
    random, seen = np.random.default_rng(3), 0
    for first, last in runs(name):
        found = segments_between(name, first, last)
        ends = [*(one.first for one in found[1:]), last + 1]
        for one, end in zip(found, ends, strict=True):
            for bits in (one.first, end - 1, *random.integers(one.first, end, 3).tolist()):
                if one.kind == POLYNOMIAL:
                    seen += 1
                    assert error_at(name, one, number_of(bits)) <= one.error
    assert seen > 0


@pytest.mark.parametrize("name", sorted(ENCLOSURES))
def test_enclosures_hold_values_and_slopes(name: str) -> None:
    for first, last in runs(name):
        ends = sorted((number_of(first), number_of(last)))
        value, slope = ENCLOSURES[name].series(variable((mpfr(ends[0]), mpfr(ends[1])), 2))
        with gmpy2.context(precision=BITS):
            low, high = (true_value(name, end) for end in ends)
            middle = (high - low) / (mpfr(ends[1]) - mpfr(ends[0]))
            assert value[0] <= low <= value[1]
            assert value[0] <= high <= value[1]
            assert slope[0] <= middle <= slope[1]


@pytest.mark.parametrize("name", angles.NAMES)
def test_angles_are_as_exact_as_told(name: str) -> None:
    bits = np.random.default_rng(4).integers(0x3000_0000, 0x7F80_0000, 1500)
    for one in (*bits.tolist(), bits_of(NEAREST), bits_of(0.75), bits_of(0.7500001)):
        x = number_of(one)
        value = angles.angle(angles.NAMES.index(name), x, np.int64(one))
        with gmpy2.context(precision=BITS):
            true = true_value(name, x)
            assert abs((mpfr(value) - true) / true) < angles.ERROR


NEAREST = float.fromhex("0x1.8bc48p+122")
"""Among the binary32 numbers nearest to a multiple of pi / 2."""


def test_signs_change_without_rounding() -> None:
    third = DOWN.div(1, 3), UP.div(1, 3)
    assert negative(negative(third)) == third
    assert third[0] < third[1]


def test_an_interval_with_zero_does_not_divide() -> None:
    with pytest.raises(intervals.Unbounded):
        intervals.quotient(point(1), (mpfr(-1), mpfr(1)))


def test_segments_cover_everything() -> None:
    firsts = [one.first for one in segments_of("erf")]
    assert firsts[0] == 0
    assert firsts == sorted(set(firsts))


@pytest.mark.parametrize(("name", "kind"), [("silu", HALF), ("gelu", HALF), ("sinh", POLYNOMIAL)])
def test_least_numbers(name: str, kind: int) -> None:
    assert kind in {one.kind for one in islice(all_segments(name), 12)}
