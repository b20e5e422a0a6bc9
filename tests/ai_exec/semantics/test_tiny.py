"""Small floats and integers against ml_dtypes: every code, and numbers beside each boundary."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from ai_exec.semantics import tiny
from ai_exec.semantics.numerics import cast
from ai_exec.tensor import ELEMENT_BITS, NAN_BITS, TINY, canonical, decode_tensors, encode_tensors

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38], np.float32)


def codes(dtype: str) -> np.ndarray:
    return np.arange(1 << ELEMENT_BITS[dtype]).astype(np.uint8).view(dtype)


def bits(tensor: np.ndarray) -> list[int]:
    listed: list[int] = canonical(tensor).view(np.uint8).tolist()
    return listed


def hard_numbers(dtype: str) -> np.ndarray:
    """Give every number of a type, what lies halfway, the neighbours of that, and specials."""
    known = tiny.magnitudes(dtype).astype(np.float32)
    beyond = known[-1] * np.array([1.03, 1.0625, 1.1, 1.25, 1.5, 2.0], np.float32)
    middle = (known[1:] + known[:-1]) / np.float32(2)
    places = np.concatenate([known, beyond, middle])
    near = [np.nextafter(places, np.float32(0)), places, np.nextafter(places, np.float32(np.inf))]
    sizes = np.concatenate(near)
    return np.concatenate([sizes, -sizes, SPECIAL])


@pytest.mark.parametrize("dtype", TINY)
def test_every_code_is_read(dtype: str) -> None:
    with np.errstate(invalid="ignore"):
        expected = codes(dtype).astype(np.float32)

    found = cast(codes(dtype), "float32")
    np.testing.assert_array_equal(found, expected)
    known = ~np.isnan(expected)
    assert np.array_equal(np.signbit(found[known]), np.signbit(expected[known]))


@pytest.mark.parametrize("dtype", tiny.LAYOUTS)
def test_numbers_are_rounded_once(dtype: str) -> None:
    x = hard_numbers(dtype)
    most = np.float32(ml_dtypes.finfo(dtype).max)
    with np.errstate(invalid="ignore"):
        plain, held = x.astype(dtype), np.clip(x, -most, most).astype(dtype)
    has_nan = dtype in NAN_BITS
    counted = np.ones(x.size, bool) if has_nan else ~np.isnan(x)

    assert bits(cast(x, dtype, saturate=False)[counted]) == bits(plain[counted])
    assert bits(cast(x, dtype)[counted]) == bits(held[counted])
    assert has_nan or set(bits(cast(x, dtype)[~counted])) == {0}


@pytest.mark.parametrize("dtype", tiny.LAYOUTS)
def test_binary64_and_long_integers_are_rounded_once(dtype: str) -> None:
    known = tiny.magnitudes(dtype)
    middle = (known[1:] + known[:-1]) / 2
    above, below = np.nextafter(middle, np.inf), np.nextafter(middle, 0)

    assert cast(above, dtype).astype(np.float64).tolist() == known[1:].tolist()
    assert cast(below, dtype).astype(np.float64).tolist() == known[:-1].tolist()
    assert cast(np.array([2**63 - 1, -(2**63)]), dtype).astype(np.float64).tolist() == [
        known[-1],
        -known[-1],
    ]


@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_powers_of_two(mode: str, saturate: bool) -> None:
    x = np.array([1e-300, 2.0**-127, 2.0**-126 * 1.25, 0.3, 1.0, 1.4999, 1.5, 1.75, 3.0, 1e300])
    expected = []
    for number in x.tolist():
        size = Fraction(number)
        power = next(e for e in range(-1100, 1100) if Fraction(2) ** (e + 1) > size)
        share = size / Fraction(2) ** power
        power += {"up": share > 1, "down": False, "nearest": share >= Fraction(3, 2)}[mode]
        inside = min(max(power, -127), 127)
        expected.append(inside + 127 if saturate or inside == power else 255)

    assert bits(cast(x, tiny.POWERS, saturate=saturate, round_mode=mode)) == expected
    assert bits(cast(-x, tiny.POWERS, saturate=saturate, round_mode=mode)) == expected
    ends = cast(np.array([0.0, np.inf, np.nan]), tiny.POWERS, saturate=saturate, round_mode=mode)
    assert bits(ends) == ([0, 254, 255] if saturate else [255, 255, 255])


@pytest.mark.parametrize("dtype", tiny.SMALL_INTEGERS)
def test_integers_wrap(dtype: str) -> None:
    whole = np.arange(-300, 300)

    assert bits(cast(whole, dtype)) == bits(whole.astype(dtype))
    assert bits(cast(whole.astype(np.float32) + np.float32(0.5), dtype)) == bits(
        np.trunc(whole + 0.5).astype(np.int64).astype(dtype)
    )
    assert bits(cast(np.array([np.nan, True]), dtype)) == [0, 1]


def test_small_to_small() -> None:
    x = codes("float8_e5m2")

    found = cast(x, "float8_e4m3fn", saturate=False)
    with np.errstate(invalid="ignore"):
        assert bits(found) == bits(x.astype(np.float32).astype("float8_e4m3fn"))
    assert bits(cast(codes("int4"), "uint2")) == [code % 4 for code in range(16)]
    assert cast(codes("float4_e2m1fn"), "bool").tolist() == [c not in (0, 8) for c in range(16)]


@pytest.mark.parametrize("dtype", TINY)
def test_bytes_have_one_element_each(dtype: str) -> None:
    whole = {"x": codes(dtype)}

    encoded = encode_tensors(whole)
    assert encoded[-whole["x"].size :] == canonical(whole["x"]).tobytes()
    assert decode_tensors(encoded)["x"].tobytes() == canonical(whole["x"]).tobytes()
