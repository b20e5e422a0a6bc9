"""Regions of images beside onnxruntime; odd regions; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs

REGIONS = np.array(
    [[0, 0, 6, 5], [1.5, 2.25, 3, 9], [-3, -2, 4, 4], [5, 5, 2, 1], [0, 0, 0, 0]], np.float32
)


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def align(**attributes: Any) -> Any:
    return helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], **attributes)


@pytest.mark.parametrize("place", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("ratio", [0, 1, 3])
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_align(mode: str, ratio: int, place: str) -> None:
    node = align(
        mode=mode,
        sampling_ratio=ratio,
        coordinate_transformation_mode=place,
        output_height=2,
        output_width=3,
        spatial_scale=0.8,
    )
    inputs = {"x": random_tensor(2, 3, 8, 7), "r": REGIONS, "b": np.array([0, 1, 1, 0, 1])}

    found, expected = ours(node, inputs), theirs(node, inputs)

    certain = [0, 1, 2, 4] if ratio or place == "output_half_pixel" else [0, 1, 2]
    assert_same([found[0][certain]], [expected[0][certain]], 5e-6)


@pytest.mark.parametrize("place", [np.nan, np.inf, -np.inf, 3e38])
def test_regions_that_are_none(place: float) -> None:
    inputs = {
        "x": random_tensor(1, 2, 4, 4),
        "r": np.array([[place, 0, 3, 3], [0, 0, place, 3]], np.float32),
        "b": np.array([0, 0]),
    }

    (found,) = ours(align(output_height=2, output_width=2), inputs)

    assert np.isfinite(found).all()


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_greatest_of_regions(scale: float) -> None:
    rois = np.array([[0, 0, 0, 6, 5], [1, 1, 2, 3, 9], [1, 9, 9, 9, 9]], np.float32)
    node = helper.make_node(
        "MaxRoiPool", ["x", "r"], ["y"], pooled_shape=[2, 3], spatial_scale=scale
    )
    inputs = {"x": random_tensor(2, 3, 8, 7), "r": rois}

    assert_same(ours(node, inputs), theirs(node, inputs))


@pytest.mark.parametrize(
    ("batch", "attributes", "reason"),
    [
        ([2], {}, "indices from 2 to 2 of an axis of length 2"),
        ([0], {"mode": "sum"}, "mode is sum, not one of avg, max"),
        ([0], {"sampling_ratio": 1 << 40}, "[1, 1] bins of 1099511627776 samples"),
        ([0, 1], {}, "rois is float32[1, 4], not [2, 4]"),
    ],
)
def test_refusals(batch: list[int], attributes: dict[str, Any], reason: str) -> None:
    inputs = {"x": random_tensor(2, 3, 4, 4), "r": random_tensor(1, 4)}

    found = reasons(align(**attributes), inputs, {"b": np.array(batch)})

    assert found == (f"node 0 (RoiAlign): {reason}",)
