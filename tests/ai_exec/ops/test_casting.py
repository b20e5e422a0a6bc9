"""Casts to a type that is named, or that another tensor has; bits as another type."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.registry import find
from tests.support.one_node import applied, ours, reasons

ODD = np.array([1.5, -2.5, np.nan, np.inf, -np.inf, -0.0, 1e10, -1e-40], np.float32)


def operator(name: str, version: int) -> Any:
    found = find("", name, version)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint64", "int64", "bool"])
@pytest.mark.parametrize("version", [15, 19, 25])
def test_cast_like_is_cast(dtype: str, version: int) -> None:
    number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    with np.errstate(all="ignore"):
        (expected,) = applied(operator("Cast", 13), [ODD], to=number)
        (found,) = applied(operator("CastLike", version), [ODD, np.zeros(2, dtype)])

    assert found.dtype == expected.dtype == dtype
    assert found.tobytes() == expected.tobytes()


def test_a_node() -> None:
    node = helper.make_node("CastLike", ["x", "like"], ["y"])

    (found,) = ours(node, {"x": ODD, "like": np.zeros((0, 3), np.int8)})

    assert found.tolist() == [1, -2, 0, 127, -128, 0, 127, 0]


def test_first_cast_names_the_type() -> None:
    (found,) = applied(operator("Cast", 1), [ODD], to="UINT8")

    assert found.tolist() == [1, 0, 0, 255, 0, 0, 255, 0]


def test_bits() -> None:
    number = helper.np_dtype_to_tensor_dtype
    negative_nan = np.array([0xFFC00001, 0x80000000], np.uint32).view(np.float32)

    (bits,) = applied(operator("BitCast", 26), [negative_nan], to=number(np.dtype("int32")))
    (truth,) = applied(operator("BitCast", 26), [np.array([0, 1, 255], np.uint8)], to=9)
    (double,) = applied(operator("BitCast", 26), [np.array(1 << 62, np.int64)], to=11)

    assert bits.tolist() == [0x7FC00000, -0x80000000]
    assert truth.tolist() == [False, True, True]
    assert (double.shape, float(double)) == ((), 2.0)


def test_refusals() -> None:
    node = helper.make_node("Cast", ["x"], ["y"], to=8)

    assert reasons(node, {"x": ODD}) == ("node 0 (Cast): element type number 8 is not supported",)
