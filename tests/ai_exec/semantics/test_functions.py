"""R2 against MPFR: every result is the true value rounded once, half to even."""

import numpy as np
import pytest

from ai_exec.semantics import functions, wide
from tests.support.true_functions import true_rounded

SEED = 2026
NAMES = sorted(functions.FUNCTIONS)


def inputs() -> np.ndarray:
    """Random bits, usual values, neighbours of 0 and 1, subnormals, both infinities, NaN."""
    random = np.random.default_rng(SEED)
    bits = random.integers(0, 1 << 32, 600, dtype=np.uint64).astype(np.uint32)
    parts = [
        bits.view(np.float32),
        random.normal(size=400) * 4,
        random.uniform(-1, 1, 300),
        random.uniform(-106, 92, 400),
        np.arange(-100, 100) * 2.0**-24,
        1 + np.arange(-60, 60) * 2.0**-24,
        random.integers(-(1 << 23), 1 << 23, 100) * 2.0**-149,
        np.exp2(np.arange(-149, 128)),
        -np.exp2(np.arange(-149, 128)),
        np.arange(-110, 95),
        np.arange(1, 60) * np.pi / 4,
        [0.0, -0.0, np.inf, -np.inf, np.nan],
    ]
    return np.concatenate([np.asarray(part).astype(np.float32) for part in parts])


@pytest.mark.parametrize("name", NAMES)
def test_correctly_rounded(name: str) -> None:
    x = inputs()
    with np.errstate(all="ignore"):
        found = functions.apply(name, x)

    right = np.array([true_rounded(name, value) for value in x.tolist()], np.float32)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), np.isnan(right))
    wrong = (found.view(np.uint32) != right.view(np.uint32)) & ~np.isnan(right)
    assert x[wrong].tolist() == []


@pytest.mark.parametrize("name", NAMES)
def test_integers_alone_round_correctly(name: str) -> None:
    random = np.random.default_rng(SEED)
    numbers = (random.normal(size=15) * np.exp2(random.integers(-12, 5, 15))).astype(np.float32)
    if name in ("log", "acosh"):
        numbers = np.abs(numbers) + (name == "acosh")
    if name in ("asin", "acos", "atanh"):
        numbers = np.clip(numbers, -0.99, 0.99)

    for number in numbers.tolist():
        assert wide.rounded(name, number) == true_rounded(name, number)


def test_shapes_stay() -> None:
    assert functions.exp(np.float32(0.0)[()].reshape(())).shape == ()
    assert functions.sin(np.zeros((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("alpha", [1.0, 1.702, -0.5, 0.0, 1e30])
def test_swish_is_correctly_rounded(alpha: float) -> None:
    alpha = float(np.float32(alpha))
    x = np.concatenate([inputs()[:1500], np.float32([0.0, -0.0])])
    x = x[np.isfinite(x)]
    with np.errstate(all="ignore"):
        found = functions.swish(x, alpha)
    right = np.array([true_rounded("swish", value, alpha) for value in x.tolist()], np.float32)
    assert x[found.view(np.uint32) != right.view(np.uint32)].tolist() == []


def test_hard_inputs_are_few() -> None:
    """What goes to the integers must be a small part of all inputs, or runs would be slow."""
    before = wide.rounded.cache_info().currsize
    x = np.random.default_rng(1).normal(size=50_000).astype(np.float32)

    for name in NAMES:
        with np.errstate(all="ignore"):
            functions.apply(name, np.abs(x) + np.float32(0.01))

    assert wide.rounded.cache_info().currsize - before < 10
