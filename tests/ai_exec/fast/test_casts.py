"""Compiled casts give the bits of the operators' own kernel."""

from itertools import product

import numpy as np
import pytest

from ai_exec.fast import casts
from ai_exec.fast.casts import CASTS
from ai_exec.semantics.numerics import cast
from tests.support.single_node import HOSTILE, assert_same_bits, hostile, one_node

TO = {"float32": 1, "float16": 10, "bfloat16": 16, "int64": 7}


def numbers(dtype: str) -> np.ndarray:
    if dtype in ("float16", "bfloat16"):
        return np.arange(1 << 16, dtype=np.uint16).view(np.dtype(dtype))
    bits = np.random.default_rng(1).integers(0, 1 << 32, 60_000, dtype=np.uint64)
    near = (np.arange(-70_000, 70_000) / 2).astype(np.float32)
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = (halves.view(np.uint32) + np.uint32(1 << 12)).view(np.float32)
    tiny = (np.arange(4000) * 2.0**-26).astype(np.float32)
    parts = [bits.astype(np.uint32).view(np.float32), near, halves, between, tiny, HOSTILE]
    parts += [np.nextafter(between, np.float32(0)), np.nextafter(between, np.float32(np.inf))]
    return np.concatenate(parts).astype(dtype)


@pytest.mark.parametrize(("given", "made"), sorted(CASTS))
def test_same_bits(given: str, made: str) -> None:
    x = numbers(given)
    with np.errstate(all="ignore"):
        expected, found = cast(x, made), CASTS[given, made](x)
    assert found.dtype == expected.dtype
    is_nan = np.isnan(expected) if expected.dtype.kind in "fV" else np.zeros(x.shape, bool)
    size = expected.dtype.itemsize
    different = found.view(f"u{size}") != expected.view(f"u{size}")
    assert x[different & ~is_nan].tolist() == []
    if is_nan.any():
        np.testing.assert_array_equal(np.isnan(found), is_nan)


def test_nodes() -> None:
    x = hostile(5, 6)
    for given, made in product(("float32", "float16", "int64"), TO):
        inputs = {"x": cast(x, given)}
        assert_same_bits(one_node("Cast", inputs, to=TO[made]), inputs)
    like = {"x": x, "y": np.zeros(1, np.float16)}
    assert_same_bits(one_node("CastLike", like), like)
    assert casts.CASTS
