"""Powers against MPFR: of binary32 correctly rounded, of binary64 within one unit."""

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

from ai_exec.semantics import wide
from ai_exec.semantics.powers import power
from tests.support.true_functions import BINARY32

SEED = 2026


def pairs() -> tuple[np.ndarray, np.ndarray]:
    """Usual pairs, random bits, exact powers and halves, bases near 1 with great exponents."""
    random = np.random.default_rng(SEED)
    bits = random.integers(0, 0x7F80_0000, 1500).astype(np.uint32).view(np.float32)
    x = [
        np.exp2(random.uniform(-20, 20, 1500)),
        bits,
        random.integers(2, 6000, 1500),
        1 + random.normal(size=1500) * 2.0**-20,
        random.integers(1, 300, 1500) ** 2,
        np.arange(257, 323, 2),
    ]
    y = [
        random.uniform(-6, 6, 1500),
        random.uniform(-3, 3, 1500),
        random.integers(-8, 9, 1500),
        random.normal(size=1500) * 1e7,
        random.integers(-9, 9, 1500) / 4,
        np.full(33, 3),
    ]
    return np.concatenate(x).astype(np.float32), np.concatenate(y).astype(np.float32)


def test_correctly_rounded() -> None:
    x, y = pairs()
    with np.errstate(all="ignore"):
        found = power(x, y)
    right = []
    for base, exponent in zip(x.tolist(), y.tolist(), strict=True):
        with gmpy2.context(precision=320, emax=1 << 40, emin=-(1 << 40)):
            value = mpfr(base) ** mpfr(exponent)
        with gmpy2.context(BINARY32):
            right.append(float(+value))
    wrong = found != np.array(right, np.float32)
    assert list(zip(x[wrong].tolist(), y[wrong].tolist(), strict=True)) == []


def test_of_binary64_within_one_unit() -> None:
    random = np.random.default_rng(SEED)
    x = np.concatenate(
        [
            np.exp2(random.uniform(-20, 20, 800)),
            random.integers(1, 0x7FF0 << 48, 800).view(np.float64),
            1 + random.normal(size=800) * 2.0**-40,
        ]
    )
    y = np.concatenate(
        [random.uniform(-60, 60, 800), random.uniform(-1, 1, 800), random.normal(size=800) * 1e12]
    )
    with np.errstate(all="ignore"):
        found = power(x, y)
    for base, exponent, value in zip(x.tolist(), y.tolist(), found.tolist(), strict=True):
        with gmpy2.context(precision=200, emax=1 << 40, emin=-(1 << 40)):
            true = mpfr(base) ** mpfr(exponent)
            rounded = float(true)
            assert value == rounded or abs(mpfr(value) - true) <= np.spacing(rounded)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (4097.0, 2.0, 16785408.0),
        (9.0, 1.5, 27.0),
        (0.25, -0.5, 2.0),
        (8.0, 0.1, None),
        (257.0, 3.0, 16974593.0),
        (3.0, 100.0, None),
        (0.5, 149.0, 2.0**-149),
    ],
)
def test_integers_alone(x: float, y: float, expected: float | None) -> None:
    with np.errstate(all="ignore"):
        if expected is None:
            expected = float(power(np.float32(x), np.float32(y)))
        assert wide.power_rounded(x, float(np.float32(y))) == float(np.float32(expected))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (2.0, 10.0, 1024.0),
        (-3.0, 3.0, -27.0),
        (9.0, 0.5, 3.0),
        (2.0, -1.0, 0.5),
        (0.0, 0.0, 1.0),
        (np.nan, 0.0, 1.0),
        (1.0, np.nan, 1.0),
        (-1.0, np.inf, 1.0),
        (-1.0, 5.0, -1.0),
        (-1.0, 0.5, np.nan),
        (-2.0, 0.3, np.nan),
        (np.nan, 2.0, np.nan),
        (2.0, np.nan, np.nan),
        (0.0, -1.0, np.inf),
        (-0.0, -1.0, -np.inf),
        (-0.0, 3.0, -0.0),
        (-0.0, 0.5, 0.0),
        (-0.0, 2.0, 0.0),
        (-np.inf, 3.0, -np.inf),
        (-np.inf, 0.5, np.inf),
        (-np.inf, -3.0, -0.0),
        (0.5, np.inf, 0.0),
        (0.5, -np.inf, np.inf),
        (2.0, -np.inf, 0.0),
        (-2.0, np.inf, np.inf),
        (2.0, 5000.0, np.inf),
        (2.0, -5000.0, 0.0),
        (-2.0, -5001.0, -0.0),
    ],
)
def test_special_cases(base: float, exponent: float, expected: float, dtype: type) -> None:
    with np.errstate(all="ignore"):
        found = power(np.array([base], dtype), np.array([exponent], dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array([expected], dtype))
    assert np.signbit(found) == np.signbit(expected) or np.isnan(expected)
