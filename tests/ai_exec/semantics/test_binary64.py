"""Pinned functions of binary64 against MPFR: a few units over the whole range."""

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

from ai_exec.semantics import angles, binary64
from ai_exec.semantics.functions import FUNCTIONS
from tests.support.true_functions import true_value

SEED = 2026
UNITS = {"gelu": 5.0, "gelu_tanh": 4.0, "mish": 4.0, "silu": 3.0}
"""How far from the true value a function may be, in units of its last place; others 2."""


def inputs(name: str) -> np.ndarray:
    random = np.random.default_rng(SEED)
    count = 60 if name.startswith("gelu") else 150
    parts = [
        random.integers(0, 1 << 64, count, dtype=np.uint64).view(np.float64),
        random.uniform(-1, 1, count),
        random.normal(size=count) * 4,
        random.uniform(-40, 40, count),
        random.uniform(-745, 710, count),
        np.exp2(random.uniform(-1074, -20, count)) * random.choice([-1, 1], count),
        np.exp2(random.uniform(15, 60, count)) * random.choice([-1, 1], count),
        np.arange(1, 200) * (np.pi / 4),
    ]
    x = np.concatenate(parts)
    x = x[np.isfinite(x)]
    if name in ("log", "acosh"):
        x = np.abs(x) + (name == "acosh")
    return x


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_few_units_from_the_true_value(name: str) -> None:
    x = inputs(name)
    with np.errstate(all="ignore"):
        found = getattr(binary64, name)(x)
    units = UNITS.get(name, 2.0)
    with gmpy2.context(precision=1300, emax=1 << 40, emin=-(1 << 40)):
        for number, value in zip(x.tolist(), found.tolist(), strict=True):
            true = true_value(name, number)
            rounded = float(true)
            if np.isnan(rounded) or np.isinf(rounded):
                assert np.isnan(value) == np.isnan(rounded), number
                assert np.isnan(value) or value == rounded, number
            else:
                assert abs(mpfr(value) - true) <= units * np.spacing(abs(rounded)), number


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", [-np.inf, np.inf, -0.0], [0.0, np.inf, 1.0]),
        ("expm1", [-np.inf, np.inf, -0.0], [-1.0, np.inf, -0.0]),
        ("log", [0.0, -0.0, -1.0, np.inf], [-np.inf, -np.inf, np.nan, np.inf]),
        ("log1p", [-1.0, -2.0, -0.0, np.inf], [-np.inf, np.nan, -0.0, np.inf]),
        ("sigmoid", [-np.inf, np.inf, 0.0], [0.0, 1.0, 0.5]),
        ("softplus", [-np.inf, np.inf], [0.0, np.inf]),
        ("silu", [-np.inf, np.inf, -0.0], [-0.0, np.inf, -0.0]),
        ("mish", [-np.inf, np.inf, -0.0], [-0.0, np.inf, -0.0]),
        ("tanh", [-np.inf, np.inf, -0.0], [-1.0, 1.0, -0.0]),
        ("sinh", [-np.inf, np.inf, -0.0], [-np.inf, np.inf, -0.0]),
        ("cosh", [-np.inf, np.inf, -0.0], [np.inf, np.inf, 1.0]),
        ("asinh", [-np.inf, np.inf, -0.0], [-np.inf, np.inf, -0.0]),
        ("acosh", [1.0, 0.5, np.inf], [0.0, np.nan, np.inf]),
        ("atanh", [-1.0, 1.0, 2.0, -0.0], [-np.inf, np.inf, np.nan, -0.0]),
        ("sin", [np.inf, -0.0], [np.nan, -0.0]),
        ("cos", [-np.inf, 0.0], [np.nan, 1.0]),
        ("tan", [np.inf, -0.0], [np.nan, -0.0]),
        ("asin", [1.0, -1.0, 2.0, -0.0], [np.pi / 2, -np.pi / 2, np.nan, -0.0]),
        ("acos", [1.0, -1.0, 2.0], [0.0, np.pi, np.nan]),
        ("atan", [-np.inf, np.inf, -0.0], [-np.pi / 2, np.pi / 2, -0.0]),
        ("erf", [-np.inf, np.inf, -0.0], [-1.0, 1.0, -0.0]),
        ("gelu", [-np.inf, np.inf, -0.0], [-0.0, np.inf, -0.0]),
        ("gelu_tanh", [-np.inf, np.inf, -0.0], [-0.0, np.inf, -0.0]),
    ],
)
def test_ends(name: str, x: list[float], expected: list[float]) -> None:
    with np.errstate(all="ignore"):
        found = getattr(binary64, name)(np.array([*x, np.nan]))
    np.testing.assert_array_equal(found, [*expected, np.nan])
    known = ~np.isnan(found)
    assert np.signbit(found)[known].tolist() == np.signbit([*expected, np.nan])[known].tolist()


def test_angles_of_all_sizes() -> None:
    """The number nearest to a multiple of pi/2 is one of them."""
    x = np.array([6381956970095103.0 * 2.0**797, 1e300, 2.0**21 + 0.5, 1e22, -3e15, 1e6, 1e-300])
    turns, (high, low) = angles.quarter_turns(x)
    with gmpy2.context(precision=1400):
        half_pi = gmpy2.const_pi() / 2
        for number, count, rest, more in zip(x, turns, high, low, strict=True):
            whole = gmpy2.rint(mpfr(float(number)) / half_pi)
            true = mpfr(float(number)) - whole * half_pi
            assert int(whole) % 4 == count
            assert abs(mpfr(float(rest)) + mpfr(float(more)) - true) < abs(true) * mpfr(2) ** -68
