"""Quantising to small integers and back, beside onnxruntime and at the edges."""

from typing import Any

import numpy as np
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from tests.support.one_node import encode_node, ours, reasons, theirs

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


SMALL = ("uint4", "int4", "uint2", "int2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2")


@pytest.mark.parametrize("dtype", [*SMALL, "float8_e5m2fnuz", "float4_e2m1fn", "float6_e3m2fn"])
@pytest.mark.parametrize("source", ["float32", "float16", "bfloat16"])
def test_small_types_and_back_as_onnx(dtype: str, source: str) -> None:
    scale = np.linspace(0.5, 4, 12).reshape(2, 6, 1).astype(source)
    given = {"x": VALUES.astype(source), "scale": scale, "zero": np.zeros((2, 6, 1), dtype)}
    node = quantise(axis=2, block_size=5)

    found = ours(node, given, opset=28)[0]
    assert found.view(np.uint8).tolist() == by_onnx(node, given)[0].view(np.uint8).tolist()
    node, given = dequantise(axis=2, block_size=5), {**given, "x": found}
    back = ours(node, given, opset=28)[0]
    assert back.dtype == source
    np.testing.assert_array_equal(back, by_onnx(node, given)[0])


def by_onnx(node: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Run a node by ONNX's own evaluator."""
    found = ReferenceEvaluator(encode_node(node, given, opset=28)).run(None, given)
    return list(found)


def test_the_quotient_has_the_precision_of_the_scale() -> None:
    # 2049 is no float16: it becomes 2048, as does the quotient 2049 / 1 of binary32 numbers.
    given = {"x": np.array([2049.0], np.float32), "zero": np.array(0, np.uint16)}
    single = {**given, "scale": np.array(1.0, np.float32)}
    half = {**given, "scale": np.array(1.0, np.float16)}

    assert ours(quantise(), single, opset=23)[0].tolist() == [2049]
    assert ours(quantise(), half, opset=23)[0].tolist() == [2048]
    assert ours(quantise(precision=10), single, opset=23)[0].tolist() == [2048]
    assert ours(quantise(precision=1), half, opset=23)[0].tolist() == [2049]


def test_integers_are_divided_by_integers() -> None:
    given = {"x": np.array([5, -5, 7, 2**31 - 1], np.int32), "scale": np.array(2, np.int32)}
    given["zero"] = np.array(0, np.int16)

    assert ours(quantise(), given, opset=21)[0].tolist() == [2, -2, 4, 32767]


def test_powers_of_two_as_scales() -> None:
    scale = np.array([0.25, 4.0], np.float32).astype("float8_e8m0fnu")
    given = {"x": np.array([[3.0, 10.0]], np.float32), "scale": scale}
    node = quantise(2, axis=1, output_dtype=3)

    found = ours(node, given, opset=24)[0]
    assert found.tolist() == [[12, 2]]
    back = {"x": found, "scale": scale}
    assert ours(dequantise(2, axis=1, output_dtype=1), back, opset=24)[0].tolist() == [[3, 8]]


def test_small_floats_saturate_unless_told() -> None:
    given = {"x": np.array([1e9, -1e9, np.inf, np.nan, 0.1], np.float32)}
    given |= {"scale": np.array(1.0, np.float32), "zero": np.zeros((), "float8_e4m3fn")}

    held = ours(quantise(), given, opset=19)[0].view(np.uint8).tolist()
    free = ours(quantise(saturate=0), given, opset=19)[0].view(np.uint8).tolist()
    assert held == [0x7E, 0xFE, 0x7E, 0x7F, 0x1D]
    assert free == [0x7F, 0x7F, 0x7F, 0x7F, 0x1D]
