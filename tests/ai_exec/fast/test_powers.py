"""The compiled power gives the bits of the reference."""

import numpy as np
import pytest

from ai_exec.fast import powers as fast_powers
from ai_exec.semantics.powers import power

ODD = np.float32([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0, -3.0, 0.5, 1e-45, 3.4e38])


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    both = np.isnan(found) & np.isnan(expected)
    return bool((both | (found.view(np.uint32) == expected.view(np.uint32))).all())


def test_random_pairs() -> None:
    random = np.random.default_rng(7)
    x = np.exp2(random.uniform(-30, 30, 6000)).astype(np.float32) * random.choice([-1, 1], 6000)
    y = random.normal(size=6000) * 3
    y[::3] = random.integers(-6, 7, 2000)
    x, y = x.astype(np.float32), y.astype(np.float32)
    with np.errstate(all="ignore"):
        assert same_bits(fast_powers.power(x, y), power(x, y))


def test_odd_pairs() -> None:
    x, y = np.meshgrid(ODD, ODD)
    with np.errstate(all="ignore"):
        assert same_bits(fast_powers.power(x, y), power(x, y))


@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, -0.5])
def test_one_exponent_for_all(exponent: float) -> None:
    x = np.random.default_rng(8).normal(size=(40, 50)).astype(np.float32)
    with np.errstate(all="ignore"):
        assert same_bits(fast_powers.power(x, np.float32(exponent)), power(x, np.float32(exponent)))


def test_halves_between_two_numbers_go_to_even() -> None:
    x = np.arange(4097, 5793, 2).astype(np.float32)
    y = np.float32([2.0])
    assert same_bits(fast_powers.power(x, y), power(x, y))
    cubes = np.arange(257, 323, 2).astype(np.float32)
    assert same_bits(
        fast_powers.power(cubes, np.float32([3.0])), (cubes.astype(float) ** 3).astype(np.float32)
    )


def test_whole_exponents_of_another_type() -> None:
    x = np.float32([-2.0, 3.0, 0.5])
    y = np.array([3, -2, 7], np.int64)
    assert same_bits(fast_powers.power(x, y), power(x, y))


def test_shapes() -> None:
    one, row = np.array(3.0, np.float32), np.float32([[1.5, 2.5]])
    assert fast_powers.power(one, one).shape == ()
    assert fast_powers.power(row, np.float32([[3.0], [2.0], [0.5]])).shape == (3, 2)
    assert fast_powers.power(row[:, :0], one).shape == (1, 0)


def test_cubes_of_all_kinds_of_numbers() -> None:
    bits = np.random.default_rng(9).integers(0, 1 << 32, 30_000, dtype=np.uint64)
    small = np.exp2(np.random.default_rng(9).uniform(-50, -40, 3000))
    whole = np.arange(-3000, 3000)
    x = np.concatenate([bits.astype(np.uint32).view(np.float32), small, whole, [-0.0]])
    x = x.astype(np.float32)
    three = np.float32(3)
    with np.errstate(all="ignore"):
        found, expected = fast_powers.power(x, three), power(x, three)
    is_nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), is_nan)
    assert x[(found.view(np.uint32) != expected.view(np.uint32)) & ~is_nan].tolist() == []


def test_cubes() -> None:
    """Those of short numbers lie half-way between two; and the ends of binary32."""
    random = np.random.default_rng(9)
    short = (2 * random.integers(0, 256, 4000) + 1) * np.ldexp(1.0, random.integers(-60, 40, 4000))
    small = np.arange(1, 3000, dtype=np.int32).view(np.float32)
    near = np.cbrt(np.float64(2.0**-149) * np.arange(1, 400)).astype(np.float32)
    x = np.concatenate([short, random.normal(size=4000), small, near, 1e13 * near, ODD])
    x = np.concatenate([x, -x]).astype(np.float32)
    with np.errstate(all="ignore"):
        assert same_bits(fast_powers.power(x, np.float32(3)), power(x, np.float32(3)))


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_simple_exponents_never_need_pairs(
    exponent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their price does not allow for it."""
    monkeypatch.setattr("ai_exec.semantics.powers._general", None)
    random = np.random.default_rng(10)
    x = random.integers(0, 1 << 31, 100_000).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        assert fast_powers.power(x, np.float32(exponent)).shape == x.shape
