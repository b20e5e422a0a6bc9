"""ConvTranspose beside onnxruntime and as the adjoint of Conv; paddings; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def transpose(**attributes: Any) -> Any:
    return helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], **attributes)


@pytest.mark.parametrize(
    ("x", "w", "attributes"),
    [
        ((2, 3, 5), (3, 2, 3), {}),
        ((1, 4, 3, 4), (4, 2, 3, 2), {"strides": [2, 3], "pads": [1, 0, 0, 1]}),
        ((1, 4, 3, 4), (4, 3, 2, 2), {"group": 2, "dilations": [2, 3]}),
        ((2, 6, 3, 3), (6, 1, 3, 3), {"group": 6, "strides": [2, 2], "output_padding": [1, 0]}),
        ((1, 2, 3, 3), (2, 1, 3, 3), {"strides": [3, 2], "output_shape": [10, 8]}),
        (
            (1, 2, 3, 3),
            (2, 1, 3, 3),
            {"strides": [3, 2], "output_shape": [6, 6], "auto_pad": "SAME_UPPER"},
        ),
        ((1, 2, 3, 3), (2, 2, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ((1, 2, 3, 3), (2, 2, 4, 3), {"strides": [1, 2], "auto_pad": "SAME_LOWER"}),
        ((1, 2, 3, 3), (2, 2, 3, 3), {"auto_pad": "VALID"}),
        ((1, 1, 2, 3, 2), (1, 2, 2, 2, 2), {"strides": [2, 1, 2]}),
        ((1, 300, 3, 3), (300, 2, 3, 3), {"strides": [2, 2]}),
    ],
)
def test_beside_onnxruntime(x: Any, w: Any, attributes: dict[str, Any]) -> None:
    inputs = {"x": random_tensor(*x)}
    maps = w[1] * attributes.get("group", 1)
    constants = {"w": random_tensor(*w), "b": random_tensor(maps)}
    node = transpose(**attributes)

    found = ours(node, inputs, constants)

    assert_same(found, theirs(node, inputs, constants), 2e-6)


def test_what_is_not_finite_takes_its_sample() -> None:
    x = np.ones((2, 1, 2), np.float32)
    x[0, 0, 0] = np.inf
    constants = {"w": np.ones((1, 1, 2), np.float32), "b": np.zeros(1, np.float32)}

    (found,) = ours(transpose(), {"x": x}, constants)

    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [[1, 2, 1]]


@pytest.mark.parametrize(
    ("x", "w", "attributes", "reason"),
    [
        ((1, 2, 3), (3, 1, 2), {}, "group is 1, X is float32[1, 2, 3], W is float32[3, 1, 2]"),
        ((1, 1, 3), (1, 1, 2), {"pads": [3, 3]}, "pads [3, 3] cut off more than there is: [4]"),
        ((1, 1, 3), (1, 1, 2), {"strides": [0]}, "strides is [0] for 1 spatial axes"),
        ((1, 1, 0), (1, 1, 2), {}, "a kernel [2] on [0]"),
        (
            (1, 1, 3),
            (1, 1, 2),
            {"dilations": [1 << 40]},
            "a result of more than 67108864 elements before it is cut",
        ),
    ],
)
def test_refusals(x: Any, w: Any, attributes: dict[str, Any], reason: str) -> None:
    constants = {"w": random_tensor(*w), "b": random_tensor(w[1])}

    found = reasons(transpose(**attributes), {"x": random_tensor(*x)}, constants)

    assert found == (f"node 0 (ConvTranspose): {reason}",)
