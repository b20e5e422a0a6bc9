"""Reductions beside onnxruntime and fractions: types, empty sets, no axes, ends."""

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, computed, ours, reasons, theirs

NAMES = [
    *("ReduceSum", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd"),
    *("ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMin"),
]
TYPED = sorted(
    {(name, dtype) for name in NAMES for dtype in ("float32", "float64", "int32")}
    - {("ReduceMean", "int32")}
)
"""onnxruntime rounds means of integers otherwise."""
X = np.abs(np.random.default_rng(0).normal(size=(3, 2, 4))) + 0.1


@pytest.mark.parametrize(("name", "dtype"), TYPED)
def test_beside_onnxruntime(name: str, dtype: str) -> None:
    x = (X * (1 if dtype[0] == "f" else 3)).astype(dtype)
    for attributes in ({"axes": [1]}, {"axes": [0, -1], "keepdims": 0}, {}):
        node = helper.make_node(name, ["x"], ["y"], **attributes)
        assert_same(ours(node, {"x": x}, opset=11), theirs(node, {"x": x}, opset=11), 2e-6)


def test_binary64_is_finer_than_binary32() -> None:
    (found,) = computed("ReduceSum", 13, X)
    (mean,) = computed("ReduceMean", 18, X, keepdims=0)
    (product,) = computed("ReduceProd", 18, X, keepdims=0)

    exact = sum(map(Fraction, X.ravel().tolist()))
    assert found.tolist() == [[[float(exact)]]]
    assert mean == float(exact) / X.size
    np.testing.assert_allclose(product, float(prod(map(Fraction, X.ravel().tolist()))), 1e-15)


@pytest.mark.parametrize(
    ("name", "dtype", "expected"),
    [
        ("ReduceSum", "float32", 0.0),
        ("ReduceProd", "float64", 1.0),
        ("ReduceProd", "int64", 1),
        ("ReduceLogSum", "float32", -np.inf),
        ("ReduceLogSumExp", "float64", -np.inf),
        ("ReduceMax", "float32", -np.inf),
        ("ReduceMin", "float32", np.inf),
        ("ReduceMax", "int8", -128),
        ("ReduceMin", "uint16", 65535),
        ("ReduceMax", "bool", False),
        ("ReduceMin", "bool", True),
    ],
)
def test_of_nothing(name: str, dtype: str, expected: Any) -> None:
    version = {"ReduceSum": 13, "ReduceMax": 20, "ReduceMin": 20}.get(name, 18)

    (found,) = computed(name, version, np.zeros((2, 0), dtype), np.array([1]))

    assert (found.dtype, found.tolist()) == (np.dtype(dtype), [[expected]] * 2)


@pytest.mark.parametrize("name", NAMES)
def test_no_axes_leave_each_element_alone(name: str) -> None:
    x = np.array([[2.0, 0.5]], np.float32)
    functions: dict[str, Any] = {"ReduceSumSquare": np.square, "ReduceLogSum": np.log}

    version = 13 if name == "ReduceSum" else 18
    (found,) = computed(name, version, x, noop_with_empty_axes=1)

    np.testing.assert_allclose(found, functions.get(name, np.asarray)(x), rtol=1e-7)


def test_integers() -> None:
    x = np.array([[-7, 2], [1 << 30, 1 << 30]], np.int32)

    (mean,) = computed("ReduceMean", 18, x, np.array([1]), keepdims=0)
    (total,) = computed("ReduceSum", 13, x, keepdims=0)
    (norm,) = computed("ReduceL2", 18, x[:1], keepdims=0)

    assert mean.tolist() == [-2, -(1 << 30)]
    assert total == (1 << 31) - 5
    assert norm == 7


def test_odd_numbers() -> None:
    x = np.array([np.inf, -np.inf, np.nan, 1.0], np.float32).reshape(4, 1)

    for name, expected in (
        ("ReduceSum", [np.inf, -np.inf, np.nan, 1]),
        ("ReduceLogSumExp", [np.inf, -np.inf, np.nan, 1]),
        ("ReduceProd", [np.inf, -np.inf, np.nan, 1]),
        ("ReduceL2", [np.inf, np.inf, np.nan, 1]),
    ):
        for dtype in (np.float32, np.float64):
            (found,) = computed(name, 11, x.astype(dtype), axes=(1,), keepdims=0)
            np.testing.assert_array_equal(found, expected)


def test_a_mean_of_nothing_is_refused() -> None:
    node = helper.make_node("ReduceMean", ["x"], ["y"])

    assert reasons(node, {"x": np.zeros((0, 2), np.float32)}) == (
        "node 0 (ReduceMean): nothing to reduce in float32[0, 2]",
    )


def test_products_of_several_empty_axes() -> None:
    (found,) = computed("ReduceProd", 18, np.zeros((0, 2, 0)), np.array([1]), keepdims=0)

    assert found.shape == (0, 0)
