"""Quantising to small integers and back, beside onnxruntime and at the edges."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons, theirs

RANDOM = np.random.default_rng(7)
VALUES = RANDOM.normal(0, 40, (2, 6, 5)).astype(np.float32)
TIES = np.arange(-9, 9, dtype=np.float32)[:, np.newaxis] / np.float32(2)
WIDE_TYPES = {"uint8": 2, "int8": 3, "uint16": 4, "int16": 5}


def quantise(inputs: int = 3, **attributes: Any) -> Any:
    names = ["x", "scale", "zero"][:inputs]
    return helper.make_node("QuantizeLinear", names, ["y"], **attributes)


def dequantise(inputs: int = 3, **attributes: Any) -> Any:
    names = ["x", "scale", "zero"][:inputs]
    return helper.make_node("DequantizeLinear", names, ["y"], **attributes)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("x", [VALUES, TIES], ids=["values", "ties"])
def test_whole_tensors_as_onnxruntime(dtype: str, x: np.ndarray) -> None:
    given = {"x": x, "scale": np.float32(1.0), "zero": np.array(3, dtype)}
    given["scale"] = np.array(1.0 if x is TIES else 0.37, np.float32)

    assert np.array_equal(ours(quantise(), given, opset=21), theirs(quantise(), given, opset=21))
    back = {**given, "x": ours(quantise(), given, opset=21)[0]}
    found = ours(dequantise(), back, opset=21)
    assert np.array_equal(found, theirs(dequantise(), back, opset=21))


@pytest.mark.parametrize("axis", [1, -2, 2])
def test_axes_as_onnxruntime(axis: int) -> None:
    length = VALUES.shape[axis]
    given = {
        "x": VALUES,
        "scale": RANDOM.uniform(0.1, 2, length).astype(np.float32),
        "zero": RANDOM.integers(0, 255, length).astype(np.uint8),
    }
    node = quantise(axis=axis)

    found = ours(node, given)
    assert np.array_equal(found, theirs(node, given))
    node, given = dequantise(axis=axis), {**given, "x": found[0]}
    assert np.array_equal(ours(node, given), theirs(node, given))


def test_blocks_as_onnxruntime() -> None:
    given = {
        "x": VALUES,
        "scale": RANDOM.uniform(0.1, 2, (2, 2, 5)).astype(np.float32),
        "zero": RANDOM.integers(-9, 9, (2, 2, 5)).astype(np.int8),
    }
    node = quantise(axis=1, block_size=4)

    found = ours(node, given, opset=21)
    assert np.array_equal(found, theirs(node, given, opset=21))
    node, given = dequantise(axis=1, block_size=4), {**given, "x": found[0]}
    assert np.array_equal(ours(node, given, opset=21), theirs(node, given, opset=21))


def test_edges_saturate_and_nan_is_the_zero_point() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, -0.0, 1e-40, 2.5, 3.5], np.float32)
    given = {"x": x, "scale": np.array(1.0, np.float32), "zero": np.array(7, np.int8)}

    assert ours(quantise(), given)[0].tolist() == [7, 127, -128, 127, -128, 7, 7, 9, 11]
    by_zero = {**given, "scale": np.array(0.0, np.float32)}
    assert ours(quantise(), by_zero)[0].tolist() == [7, 127, -128, 127, -128, 7, 127, 127, 127]


def test_type_of_the_result() -> None:
    given = {"x": VALUES, "scale": np.array(0.5, np.float32)}

    assert ours(quantise(2), given)[0].dtype == np.uint8
    for dtype, number in WIDE_TYPES.items():
        node = quantise(2, output_dtype=number)
        assert ours(node, given, opset=21)[0].dtype.name == dtype
    whole = {"x": np.arange(-4, 4, dtype=np.int32), "scale": np.array(1.5, np.float32)}
    assert ours(quantise(2), whole, opset=13)[0].tolist() == [0, 0, 0, 0, 0, 1, 1, 2]


def test_large_integers_round_once_before_the_scale() -> None:
    x = np.array([2**31 - 1, -(2**31), 16777217, 0], np.int32)
    given = {"x": x, "scale": np.array(0.1, np.float32)}
    expected = x.astype(np.float32) * np.float32(0.1)

    assert np.array_equal(ours(dequantise(2), given)[0], expected)
    assert np.array_equal(theirs(dequantise(2), given)[0], expected)


@pytest.mark.parametrize(
    ("shapes", "attributes", "reason"),
    [
        (((4,), (4,)), {"axis": 1}, "the scale is float32[4], not [6]"),
        (((6,), (5,)), {"axis": 1}, "the zero point is uint8[5], not [6]"),
        (((6,), (6,)), {"axis": 3}, "axis 3 of a tensor with 3 axes"),
        (((2, 3, 5), (2, 3, 5)), {"axis": 1, "block_size": 4}, "not [2, 2, 5]"),
        (((6,), (6,)), {"axis": 1, "block_size": -1}, "block_size is -1"),
        (((), ()), {"output_dtype": 3}, "y_zero_point is uint8[], not of int8"),
        (((), ()), {"output_dtype": 99}, "output_dtype 99 is not supported"),
        (((), ()), {"output_dtype": 1}, "y_zero_point is uint8[], not of float32"),
    ],
)
def test_refused(shapes: Any, attributes: dict[str, int], reason: str) -> None:
    given = {
        "x": VALUES,
        "scale": np.ones(shapes[0], np.float32),
        "zero": np.zeros(shapes[1], np.uint8),
    }

    assert reason in reasons(quantise(**attributes), given, opset=21)[0]


@pytest.mark.parametrize(
    "x",
    [
        VALUES,
        np.abs(VALUES),
        -np.abs(VALUES),
        np.array([1e-38, -3e38, 5.0], np.float32),
        np.array([-1.5, 0.25, 255.0], np.float32),
    ],
)
def test_dynamic_as_onnxruntime(x: np.ndarray) -> None:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])

    for found, expected in zip(ours(node, {"x": x}), theirs(node, {"x": x}), strict=True):
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)


def test_dynamic_edges() -> None:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])

    def run(*values: float) -> list[Any]:
        return [array.tolist() for array in ours(node, {"x": np.array(values, np.float32)})]

    assert run(0.0, -0.0) == [[0, 0], 0.0, 0]
    assert run() == [[], 0.0, 0]
    assert run(np.inf, 1.0, -1.0) == [[0, 0, 0], np.inf, 0]
    found = run(np.nan, 1.0)
    assert (found[0], found[2]) == ([0, 0], 0)
    assert np.isnan(found[1])
