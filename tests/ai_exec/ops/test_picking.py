"""GatherND, OneHot and ReverseSequence beside onnxruntime; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs


def counted(*shape: int) -> np.ndarray:
    return np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "indices", "batch"),
    [
        ((2, 3, 4), (3, 2), 0),
        ((2, 3, 4), (2, 5, 1), 1),
        ((2, 2, 4), (2, 2, 1), 2),
        ((2, 3), (4, 2), 0),
    ],
)
def test_gather_nd(shape: Any, indices: Any, batch: int) -> None:
    node = helper.make_node("GatherND", ["x", "i"], ["y"], batch_dims=batch)
    inputs = {"x": counted(*shape), "i": np.random.default_rng(3).integers(-2, 2, indices)}

    assert_same(ours(node, inputs), theirs(node, inputs))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["int64", "float32", "int32"])
def test_one_hot(dtype: str, axis: int) -> None:
    node = helper.make_node("OneHot", ["x", "d", "v"], ["y"], axis=axis)
    inputs = {"x": np.array([[0, -1, 3], [4, -4, -5]])}
    constants = {"d": np.array(4, np.int64), "v": np.array([7, 9], np.float32)}

    found = ours(node, {"x": inputs["x"].astype(dtype)}, constants)

    assert_same(found, theirs(node, inputs, constants))


@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
def test_reverse_sequence(axes: tuple[int, int]) -> None:
    node = helper.make_node(
        "ReverseSequence", ["x", "n"], ["y"], batch_axis=axes[0], time_axis=axes[1]
    )
    inputs = {"x": counted(3, 3, 2), "n": np.array([1, 3, 2])}

    assert_same(ours(node, inputs), theirs(node, inputs))
    assert ours(node, {**inputs, "n": np.array([0, 9, -2])})[0].shape == (3, 3, 2)


@pytest.mark.parametrize(
    ("operator", "x", "constants", "attributes", "reason"),
    [
        (
            "GatherND",
            counted(2, 3),
            {"i": [[0, 3]]},
            {},
            "indices from 3 to 3 of an axis of length 3",
        ),
        (
            "GatherND",
            counted(2),
            {"i": [[0, 0]]},
            {},
            "indices int64[1, 2] of float32[2] with 0 batch_dims",
        ),
        ("OneHot", counted(2), {"d": -3, "v": [0, 1]}, {}, "depth is -3"),
        (
            "OneHot",
            counted(2),
            {"d": 3, "v": [0, 1]},
            {"axis": 2},
            "axis 2 of a tensor with 2 axes",
        ),
        (
            "ReverseSequence",
            counted(2, 3),
            {"n": [1, 1, 3]},
            {},
            "indices from 1 to 3 of an axis of length 3",
        ),
        (
            "ReverseSequence",
            counted(2, 3),
            {"n": [1, 1, 2]},
            {"batch_axis": 0},
            "batch_axis and time_axis are [0, 0], not 0 and 1",
        ),
    ],
)
def test_refusals(
    operator: str, x: np.ndarray, constants: dict[str, Any], attributes: dict[str, Any], reason: str
) -> None:
    node = helper.make_node(operator, ["x", *constants], ["y"], **attributes)
    named = {name: np.array(given, np.int64) for name, given in constants.items()}

    assert reasons(node, {"x": x}, named) == (f"node 0 ({operator}): {reason}",)
