"""DeformConv beside Conv and a plain loop; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "w", "attributes"),
    [
        ((2, 4, 5, 6), (3, 4, 3, 2), {"pads": [1, 0, 1, 1]}),
        ((1, 4, 6), (4, 2, 3), {"group": 2, "offset_group": 4}),
        ((1, 2, 3, 4, 3), (1, 2, 2, 2, 2), {"dilations": [1, 2, 1]}),
    ],
)
def test_unmoved_is_conv(x: Any, w: Any, attributes: dict[str, Any]) -> None:
    plain = {name: value for name, value in attributes.items() if name != "offset_group"}
    inputs, constants = {"x": random_tensor(*x)}, {"w": random_tensor(*w)}
    conv = helper.make_node("Conv", ["x", "w"], ["y"], **plain)
    (expected,) = ours(conv, inputs, constants)
    places = attributes.get("offset_group", 1) * int(np.prod(w[2:]))
    moves = np.zeros((x[0], places * (len(x) - 2), *expected.shape[2:]), np.float32)

    node = helper.make_node("DeformConv", ["x", "w", "o"], ["y"], **attributes)
    (found,) = ours(node, {**inputs, "o": moves}, constants)

    assert found.tobytes() == expected.tobytes()


def test_moved_and_masked() -> None:
    x, w, bias = random_tensor(1, 2, 4, 5), random_tensor(2, 2, 2, 2), random_tensor(2)
    moves, mask = 2 * random_tensor(1, 16, 3, 4), random_tensor(1, 8, 3, 4)
    node = helper.make_node("DeformConv", ["x", "w", "o", "b", "m"], ["y"], offset_group=2)

    (found,) = ours(node, {"x": x, "o": moves, "m": mask}, {"w": w, "b": bias})

    expected = np.zeros((1, 2, 3, 4)) + bias[:, None, None]
    padded = np.pad(x.astype("f8"), ((0, 0), (0, 0), (20, 20), (20, 20)))
    for row, column, channel, at in np.ndindex(3, 4, 2, 4):
        part = channel * 4 + at
        y = row + at // 2 + float(moves[0, 2 * part, row, column]) + 20
        z = column + at % 2 + float(moves[0, 2 * part + 1, row, column]) + 20
        low, left = int(np.floor(y)), int(np.floor(z))
        corner = padded[0, channel, low : low + 2, left : left + 2]
        value = np.array([1 - y + low, y - low]) @ corner @ np.array([1 - z + left, z - left])
        expected[0, :, row, column] += (
            value * mask[0, part, row, column] * w[:, channel, at // 2, at % 2]
        )
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("moves", "attributes", "reason"),
    [
        ((1, 7, 3, 3), {}, "offset is float32[1, 7, 3, 3], not [1, 8, 3, 3]"),
        ((1, 8, 3, 3), {"offset_group": 3}, "offset_group is 3, X is float32[1, 2, 4, 4]"),
        (
            (1, 8, 3, 3),
            {"group": 2},
            "group is 2, X is float32[1, 2, 4, 4], W is float32[2, 2, 2, 2]",
        ),
    ],
)
def test_refusals(moves: Any, attributes: dict[str, Any], reason: str) -> None:
    node = helper.make_node("DeformConv", ["x", "w", "o"], ["y"], **attributes)
    inputs = {"x": random_tensor(1, 2, 4, 4), "o": random_tensor(*moves)}

    found = reasons(node, inputs, {"w": random_tensor(2, 2, 2, 2)})

    assert found == (f"node 0 (DeformConv): {reason}",)
