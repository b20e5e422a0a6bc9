"""GridSample beside onnxruntime and at odd places; AffineGrid; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def sample(**attributes: Any) -> Any:
    return helper.make_node("GridSample", ["x", "grid"], ["y"], **attributes)


@pytest.mark.parametrize("align_corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_images_and_volumes(mode: str, padding: str, align_corners: int) -> None:
    node = sample(mode=mode, padding_mode=padding, align_corners=align_corners)
    shapes = [((2, 3, 4, 5), (2, 6, 3, 2)), ((1, 2, 1, 3), (1, 2, 5, 2))]
    if mode != "cubic":
        shapes.append(((2, 1, 3, 2, 4), (2, 3, 2, 2, 3)))
    for data, grid in shapes:
        inputs = {"x": random_tensor(*data), "grid": 2 * random_tensor(*grid)}

        assert_same(ours(node, inputs, opset=20), theirs(node, inputs, opset=20), 5e-6)


def test_places_that_are_no_places() -> None:
    x = np.array([[[[1, 2, 3]]]], np.float32)
    odd = [np.nan, np.inf, -np.inf, 3e38, -3e38]
    grid = np.array([[[[place, 0] for place in odd]]], np.float32)
    found = {
        (mode, padding): ours(
            sample(mode=mode, padding_mode=padding), {"x": x, "grid": grid}, opset=20
        )[0]
        for mode in ("nearest", "linear")
        for padding in ("zeros", "border", "reflection")
    }

    assert found["nearest", "zeros"].ravel().tolist() == [1, 0, 0, 0, 0]
    assert found["nearest", "border"].ravel().tolist() == [1, 3, 1, 3, 1]
    np.testing.assert_array_equal(found["linear", "zeros"].ravel(), [np.nan, np.nan, np.nan, 0, 0])
    np.testing.assert_array_equal(found["linear", "border"].ravel(), [np.nan, 3, 1, 3, 1])
    assert np.isnan(found["linear", "reflection"].ravel()[:3]).all()
    assert np.isin(found["nearest", "reflection"].ravel(), [1, 2, 3]).all()


def test_integers_are_cut() -> None:
    x, grid = np.array([[[[1, 4], [-1, -4]]]], np.int8), np.zeros((1, 1, 1, 2), np.float64)

    assert ours(sample(), {"x": x, "grid": grid}, opset=22)[0].tolist() == [[[[0]]]]
    assert ours(sample(), {"x": x[:, :, :1], "grid": grid}, opset=22)[0].tolist() == [[[[2]]]]


@pytest.mark.parametrize(
    ("x", "grid", "attributes", "reason"),
    [
        ((1, 1, 2, 2), (2, 3, 3, 2), {}, "grid is float32[2, 3, 3, 2], not [1, 3, 3, 2]"),
        ((1, 1, 0, 2), (1, 3, 3, 2), {}, "nothing to sample in float32[1, 1, 0, 2]"),
        ((1, 1), (1, 0), {}, "X is float32[1, 1]: its number of axes is not supported"),
        (
            (1, 1, 2, 2),
            (1, 3, 3, 2),
            {"padding_mode": "wrap"},
            "padding_mode is wrap, not one of zeros, border, reflection",
        ),
    ],
)
def test_refusals(x: Any, grid: Any, attributes: dict[str, Any], reason: str) -> None:
    inputs = {"x": random_tensor(*x), "grid": random_tensor(*grid)}

    assert reasons(sample(**attributes), inputs) == (f"node 0 (GridSample): {reason}",)


@pytest.mark.parametrize("align_corners", [0, 1])
@pytest.mark.parametrize("lengths", [(2, 3, 4, 5), (2, 1, 3, 2, 4)])
def test_affine_grid(lengths: tuple[int, ...], align_corners: int) -> None:
    rank = len(lengths) - 2
    inputs = {"theta": random_tensor(2, rank, rank + 1)}
    constants = {"size": np.array(lengths, np.int64)}
    node = helper.make_node("AffineGrid", ["theta", "size"], ["y"], align_corners=align_corners)

    found = ours(node, inputs, constants, 20)

    assert_same(found, theirs(node, inputs, constants, 20), 1e-6)


def test_affine_grid_of_one_element_is_the_centre() -> None:
    theta = np.array([[[2, 0, 0.5], [0, 2, 0.25]]], np.float32)
    node = helper.make_node("AffineGrid", ["theta", "size"], ["y"], align_corners=1)

    found = ours(node, {"theta": theta}, {"size": np.array([1, 1, 1, 1], np.int64)}, 20)

    assert found[0].tolist() == [[[[0.5, 0.25]]]]
