"""Functions of two binary32 numbers cannot be enumerated: drawn and known hard pairs against MPFR.

Beside the results, the errors that decisions rely on are measured: of the reference's pairs and of
the fast engine's pass.
"""

from collections.abc import Callable
from math import log

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_exec.fast import powers as fast_powers
from ai_exec.fast.scalar import exp_f64, log_f64
from ai_exec.semantics import functions, powers
from tests.exhaustive.proof import canonical_bits
from tests.support.true_functions import BINARY32, true_rounded

Pair = tuple[float, float]

LEAST, GREATEST = 2.0**-149, float(np.finfo(np.float32).max)
LIMITS = (2.0**128, 2.0**-126, 2.0**-149, 2.0**-150)
"""Where powers leave the normal numbers, and binary32."""
TIES = [
    *((float(base), 2.0) for base in range(4097, 5793, 211)),
    *((float(base), 3.0) for base in range(257, 323, 2)),
    *((float(base * base), 1.5) for base in range(257, 323, 8)),
    *((float(base**4), 0.75) for base in (257, 259, 261)),
    (float(np.float32(1 + 2.0**-12)), 2.0),
    (2.0**-75, 2.0),
    (2.0**-50, 3.0),
    (2.0**-149, 1.0),
    (0.5, 150.0),
    (2.0**-30, 5.0),
]
"""Pairs whose power is half-way between two numbers, or a power of two at the end."""
NEAR_ONE = [
    (float(np.float32(base)), float(np.float32(exponent)))
    for base in (1 + 2.0**-23, 1 - 2.0**-24, 1 + 3 * 2.0**-23, 1.5, GREATEST, LEAST)
    for exponent in (
        0.5,
        2.0**-24,
        -(2.0**-24),
        1 / 3,
        2.0**-30,
        1e-38,
        2.0**24,
        -8388609.0,
        0.5625,
    )
]

numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
positive = st.floats(LEAST, GREATEST, width=32)
near_one = st.integers(-5000, 5000).map(lambda count: float(np.float32(1 + count * 2.0**-23)))
quarters = st.integers(-64, 64).map(lambda count: count / 4)


@st.composite
def at_a_limit(draw: st.DrawFn) -> Pair:
    """A pair whose power is a few units from where numbers end."""
    base = draw(positive.filter(lambda number: number != 1))
    exponent = np.float32(log(draw(st.sampled_from(LIMITS))) / log(base))
    for _ in range(draw(st.integers(0, 3))):
        exponent = np.nextafter(exponent, np.float32(draw(st.sampled_from([-np.inf, np.inf]))))
    return base, float(exponent)


pairs = st.one_of(
    st.tuples(numbers, numbers),
    st.tuples(positive, st.floats(-16, 16, width=32)),
    st.tuples(near_one, numbers),
    st.tuples(st.integers(1, 1 << 24).map(float), quarters),
    at_a_limit(),
)


def true_power(base: float, exponent: float) -> float:
    with gmpy2.context(precision=400, emax=1 << 60, emin=-(1 << 60)):
        value = mpfr(base) ** mpfr(exponent)
    with gmpy2.context(BINARY32):
        return float(+value)


def differing(power: Callable[..., np.ndarray], given_pairs: list[Pair]) -> list[Pair]:
    """Give the pairs whose power is not the true one."""
    x, y = np.array(given_pairs, np.float32).T
    right = np.float32([true_power(*pair) for pair in zip(x.tolist(), y.tolist(), strict=True)])
    with np.errstate(all="ignore"):
        found = power(np.ascontiguousarray(x), np.ascontiguousarray(y))
    wrong = np.flatnonzero(canonical_bits(found) != canonical_bits(right))
    return [given_pairs[place] for place in wrong]


@pytest.mark.parametrize("power", [powers.power, fast_powers.power])
def test_known_hard_powers(power: Callable[..., np.ndarray]) -> None:
    assert differing(power, TIES + NEAR_ONE) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(pairs, min_size=20, max_size=60))
def test_powers(given_pairs: list[Pair]) -> None:
    assert differing(powers.power, given_pairs) == []
    assert differing(fast_powers.power, given_pairs) == []


def hard_pairs() -> list[Pair]:
    random = np.random.default_rng(11)
    base = np.concatenate(
        [
            random.integers(1, 0x7F80_0000, 600).astype(np.uint32).view(np.float32),
            np.float32(1 + random.integers(-3000, 3000, 600) * 2.0**-23),
        ]
    ).astype(np.float64)
    base = base[base != 1]
    exponent = np.float32(random.uniform(-104, 88.7, base.size) / np.log(base))
    return list(zip(base.tolist(), exponent.tolist(), strict=True))


def worst(found: list[mpfr], true: list[mpfr]) -> float:
    return max(abs(float((one - other) / other)) for one, other in zip(found, true, strict=True))


def test_errors_leave_room() -> None:
    """The reference relies on 2^-76, the fast engine on 2^-42."""
    chosen = hard_pairs()
    x, y = np.array(chosen).T
    (high, low), count = powers._exp(powers.pair_product(powers._log(x), powers.of(y)))
    with gmpy2.context(precision=400, emax=1 << 60, emin=-(1 << 60)):
        true = [mpfr(base) ** mpfr(exponent) for base, exponent in chosen]
        parts = zip(high.tolist(), low.tolist(), count.tolist(), strict=True)
        found = [(mpfr(one) + mpfr(other)) * mpfr(2) ** scale for one, other, scale in parts]
        passed = [mpfr(exp_f64(exponent * log_f64(base))) for base, exponent in chosen]
        assert worst(found, true) < 2.0**-84
        assert worst(passed, true) < 2.0**-43


@settings(max_examples=20, deadline=None)
@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.lists(st.floats(-200, 200, width=32), min_size=10, max_size=40),
)
def test_swish(alpha: float, given_numbers: list[float]) -> None:
    x = np.array([*given_numbers, 0.0, -0.0, LEAST, -LEAST, GREATEST, -GREATEST], np.float32)
    right = np.float32([true_rounded("swish", number, alpha) for number in x.tolist()])
    with np.errstate(all="ignore"):
        found = functions.swish(x, alpha)
    assert x[canonical_bits(found) != canonical_bits(right)].tolist() == []
