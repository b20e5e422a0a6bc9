"""Scattering beside plain loops: order, duplicates, odd floats; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons

FOLD: dict[str, Any] = {
    "none": lambda old, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "max": np.maximum,
    "min": np.minimum,
}


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return (np.random.default_rng(shape).normal(size=shape) * 50).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint32"])
@pytest.mark.parametrize("reduction", list(FOLD))
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_elements(axis: int, reduction: str, dtype: str) -> None:
    data, updates = numbers(3, 4, 2, dtype=dtype), numbers(3, 3, 2, dtype=dtype)
    indices = np.random.default_rng(axis + 9).integers(-2, 2, (3, 3, 2))
    node = helper.make_node(
        "ScatterElements", ["x", "i", "u"], ["y"], axis=axis, reduction=reduction
    )

    expected = data.copy()
    for place in np.ndindex(indices.shape):
        target = list(place)
        target[axis] = indices[place]
        expected[tuple(target)] = FOLD[reduction](expected[tuple(target)], updates[place])

    found = ours(node, {"x": data, "i": indices, "u": updates})
    np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("reduction", list(FOLD))
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_slices(depth: int, reduction: str) -> None:
    data = numbers(2, 3, 4)
    indices = np.random.default_rng(depth).integers(-2, 2, (3, 2, depth))
    updates = numbers(3, 2, *data.shape[depth:])
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], reduction=reduction)

    expected = data.copy()
    for place in np.ndindex(indices.shape[:-1]):
        target = tuple(indices[place])
        expected[target] = FOLD[reduction](expected[target], updates[place])

    found = ours(node, {"x": data, "i": indices, "u": updates})
    np.testing.assert_array_equal(found[0], expected)


def test_order_and_zeros_decide_bits() -> None:
    data = np.array([0, -0.0, -0.0, 1], np.float32)
    indices = np.array([0, 0, 0, 1, 3])
    updates = np.array([1e8, 1, -1e8, -0.0, np.nan], np.float32)

    def scatter(reduction: str) -> np.ndarray:
        node = helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], reduction=reduction)
        return ours(node, {"x": data, "i": indices, "u": updates})[0]

    assert scatter("add")[:1].tolist() == [0.0]
    assert np.signbit(scatter("add")).tolist()[:3] == [False, True, True]
    assert np.signbit(scatter("max")).tolist()[:3] == [False, False, True]
    assert np.isnan(scatter("min")[3])


def test_old_versions_and_indices_outside() -> None:
    inputs = {"x": np.arange(4), "i": np.array([5, -1]), "u": np.array([70, 80])}
    node = helper.make_node("Scatter", ["x", "i", "u"], ["y"])

    assert ours(node, inputs, opset=9)[0].tolist() == [0, 70, 2, 80]


@pytest.mark.parametrize("mode", ["linear", "circular"])
def test_cache(mode: str) -> None:
    cache, update = np.zeros((2, 4, 1), np.float32), np.arange(1, 7, dtype=np.float32)
    node = helper.make_node("TensorScatter", ["x", "u", "i"], ["y"], mode=mode)
    inputs = {
        "x": cache,
        "u": update.reshape(2, 3, 1),
        "i": np.array([1, 3 if mode == "circular" else 0]),
    }

    found = ours(node, inputs, opset=24)[0][..., 0].tolist()

    assert found == [[0, 1, 2, 3], [5, 6, 0, 4] if mode == "circular" else [4, 5, 6, 0]]


@pytest.mark.parametrize(
    ("operator", "shapes", "indices", "attributes", "reason"),
    [
        ("ScatterElements", ((3,), (2,)), [0, 3], {}, "indices from 0 to 3 of an axis of length 3"),
        ("ScatterElements", ((0,), (1,)), [0], {}, "indices int64[1] of an axis of length 0"),
        ("ScatterElements", ((3,), (1,)), [0, 1], {}, "updates is float32[1], not [2]"),
        (
            "ScatterElements",
            ((3,), (1,)),
            [0],
            {"reduction": "mean"},
            "reduction is mean, not one of none, add, mul, max, min",
        ),
        ("ScatterND", ((3, 2), (1, 2)), [[3]], {}, "indices from 3 to 3 of an axis of length 3"),
        ("ScatterND", ((3, 2), (1, 2)), [[0, 0]], {}, "updates is float32[1, 2], not [1]"),
        ("ScatterND", ((3,), (1, 3)), [[]], {}, "indices float32[1, 0] of float32[3]"),
    ],
)
def test_refusals(
    operator: str, shapes: Any, indices: Any, attributes: dict[str, Any], reason: str
) -> None:
    node = helper.make_node(operator, ["x", "i", "u"], ["y"], **attributes)
    inputs = {"x": numbers(*shapes[0]), "u": numbers(*shapes[1])}

    found = reasons(node, inputs, {"i": np.array(indices, np.int64)}, 18)

    assert found == (f"node 0 ({operator}): {reason.replace('indices float32', 'indices int64')}",)
