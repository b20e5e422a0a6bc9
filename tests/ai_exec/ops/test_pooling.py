"""Pools beside onnxruntime: places, norms, small integers, unpooling; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs

SHAPES: list[dict[str, Any]] = [
    {"kernel_shape": [2, 3]},
    {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 1, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "dilations": [2, 3]},
    {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
]


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("storage_order", [0, 1])
@pytest.mark.parametrize("attributes", SHAPES, ids=str)
def test_places_of_the_greatest(attributes: dict[str, Any], storage_order: int) -> None:
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], storage_order=storage_order, **attributes)
    inputs = {"x": np.rint(2 * random_tensor(2, 3, 7, 8))}

    assert_same(ours(node, inputs), theirs(node, inputs))


def test_the_first_nan_is_the_greatest() -> None:
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[3])
    x = np.array([[[1, np.nan, 3, np.nan, -np.inf, -np.inf, -np.inf]]], np.float32)

    values, places = ours(node, {"x": x})

    np.testing.assert_array_equal(values[0, 0], [np.nan] * 4 + [-np.inf])
    assert places[0, 0].tolist() == [1, 1, 3, 3, 4]


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_small_integers(dtype: str) -> None:
    x = np.random.default_rng(1).integers(0, 256, (1, 2, 5, 5)).astype(dtype)
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], pads=[1, 1, 0, 0])

    assert_same(ours(node, {"x": x}), theirs(node, {"x": x}))


@pytest.mark.parametrize("attributes", SHAPES, ids=str)
@pytest.mark.parametrize("p", [1, 2, 3])
def test_norms(p: int, attributes: dict[str, Any]) -> None:
    node = helper.make_node("LpPool", ["x"], ["y"], p=p, **attributes)
    inputs = {"x": random_tensor(1, 2, 7, 8)}

    assert_same(ours(node, inputs), theirs(node, inputs), 2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [1, 2, 5])
def test_norms_of_all(p: int, dtype: str) -> None:
    x = random_tensor(2, 3, 4, 5).astype(dtype)
    node = helper.make_node("GlobalLpPool", ["x"], ["y"], p=p)

    (found,) = ours(node, {"x": x})

    expected = (np.abs(x.astype("f8")) ** p).sum((2, 3), keepdims=True) ** (1 / p)
    np.testing.assert_allclose(found, expected, rtol=1e-7 if dtype == "float32" else 1e-13)


def test_first_versions() -> None:
    inputs = {"x": random_tensor(1, 2, 6)}
    norm = helper.make_node("LpPool", ["x"], ["y"], p=1.5, kernel_shape=[3])
    expected = [
        (np.abs(inputs["x"][..., at : at + 3].astype("f8")) ** 1.5).sum(-1) ** (1 / 1.5)
        for at in range(4)
    ]

    found = ours_of_version_one(norm, inputs["x"])

    np.testing.assert_allclose(found, np.stack(expected, -1), rtol=1e-7)


def ours_of_version_one(node: Any, x: np.ndarray) -> np.ndarray:
    from ai_exec.registry import find

    operator = find("", node.op_type, 1)
    assert operator is not None
    given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    given = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return operator.run((x,), {**operator.defaults, **given}, 1)[0]


@pytest.mark.parametrize("output_shape", [None, [1, 1, 5, 6]])
def test_unpooling(output_shape: list[int] | None) -> None:
    names = ["x", "i", *(["s"] if output_shape else [])]
    node = helper.make_node("MaxUnpool", names, ["y"], kernel_shape=[2, 2], strides=[2, 2])
    x, i = np.array([[[[1, 2], [3, 4]]]], np.float32), np.array([[[[5, 7], [13, 13 + 16]]]])
    constants = {"s": np.array(output_shape, np.int64)} if output_shape else {}

    found = ours(node, {"x": x, "i": i}, constants)[0][0, 0]

    expected = np.zeros(found.shape)
    expected[1, 1], expected[1, 3], expected[3, 1] = 1, 2, 4
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("operator", "shape", "attributes", "reason"),
    [
        ("MaxPool", (1, 1, 4), {"kernel_shape": [5]}, "a window of 5 does not fit into 4 + 0 + 0"),
        (
            "MaxPool",
            (1, 1, 4),
            {"kernel_shape": [2], "pads": [2, 0]},
            "a window lies in the padding only",
        ),
        (
            "MaxPool",
            (1, 1, 1000, 1000),
            {"kernel_shape": [300, 300]},
            "a window of 90000 elements, at most 65536",
        ),
        ("LpPool", (1, 1, 4), {"kernel_shape": [2], "p": 0}, "p is 0"),
        ("GlobalLpPool", (1, 1), {}, "X is float32[1, 1]: its number of axes is not supported"),
        (
            "AveragePool",
            (1, 1, 4),
            {"kernel_shape": [2, 2]},
            "kernel_shape is [2, 2] for 1 spatial axes",
        ),
    ],
)
def test_refusals(operator: str, shape: Any, attributes: dict[str, Any], reason: str) -> None:
    node = helper.make_node(operator, ["x"], ["y"], **attributes)

    assert reasons(node, {"x": random_tensor(*shape)}) == (f"node 0 ({operator}): {reason}",)


@pytest.mark.parametrize("count_include_pad", [0, 1])
@pytest.mark.parametrize("attributes", SHAPES, ids=str)
def test_means_of_binary64(attributes: dict[str, Any], count_include_pad: int) -> None:
    node = helper.make_node(
        "AveragePool", ["x"], ["y"], count_include_pad=count_include_pad, **attributes
    )
    x = random_tensor(1, 2, 7, 8)

    (wide,) = ours(node, {"x": x.astype(np.float64)})
    (narrow,) = ours(node, {"x": x})

    assert (wide.dtype, wide.shape) == (np.float64, narrow.shape)
    np.testing.assert_allclose(wide, narrow, rtol=1e-6, atol=1e-7)
