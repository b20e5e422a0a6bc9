"""Resize and Upsample beside onnxruntime; crops, policies, truth values and refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

import ai_exec
from tests.support.one_node import assert_same, encode_node, ours, reasons, theirs

PLACES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def random_tensor(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def resize(**attributes: Any) -> Any:
    return helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], **attributes)


def rescale(**attributes: Any) -> Any:
    return helper.make_node("Resize", ["x", "", "scales"], ["y"], **attributes)


@pytest.mark.parametrize("sizes", [(1, 1, 3, 11), (1, 1, 13, 1), (1, 1, 5, 7), (1, 1, 1, 9)])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_sizes(mode: str, place: str, sizes: tuple[int, ...]) -> None:
    inputs, constants = {"x": random_tensor(1, 1, 5, 7)}, {"sizes": np.array(sizes, np.int64)}
    exact = place != "half_pixel_symmetric"  # There the noise of onnxruntime decides.
    variants: list[dict[str, Any]] = [{"nearest_mode": name} for name in ROUNDINGS if exact]
    if mode == "cubic":
        variants = [{}, {"exclude_outside": 1}, {"cubic_coeff_a": -0.5}]
    for variant in variants if mode != "linear" else [{}]:
        node = resize(mode=mode, coordinate_transformation_mode=place, **variant)

        assert_same(ours(node, inputs, constants), theirs(node, inputs, constants), 3e-6)


@pytest.mark.parametrize(
    "scales", [(1, 1, 0.6, 2.6), (1, 1, 0.3, 0.7), (1, 1, 1.7, 1), (1, 1, 2, 3)]
)
@pytest.mark.parametrize("attributes", [{}, {"antialias": 1}])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_scales(mode: str, attributes: dict[str, Any], scales: tuple[float, ...]) -> None:
    inputs, constants = {"x": random_tensor(1, 1, 5, 7)}, {"scales": np.array(scales, np.float32)}
    node = rescale(mode=mode, **attributes)

    if mode == "nearest" and attributes:
        assert reasons(node, inputs, constants) == ("node 0 (Resize): antialias with mode nearest",)
    else:
        assert_same(ours(node, inputs, constants), theirs(node, inputs, constants), 3e-6)


def test_align_corners_counts_the_length_before_it_is_cut() -> None:
    x = np.arange(1, 5, dtype=np.float32).reshape(1, 4)
    node = rescale(mode="linear", coordinate_transformation_mode="align_corners")

    (found,) = ours(node, {"x": x}, {"scales": np.array([1, 0.6], np.float32)})

    np.testing.assert_array_equal(found, np.array([[1, 1 + 3 / (4 * 0.6000000238418579 - 1)]], "f"))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_crop(mode: str) -> None:
    node = helper.make_node(
        "Resize",
        ["x", "roi", "", "sizes"],
        ["y"],
        mode=mode,
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=10.0,
    )
    inputs = {
        "x": random_tensor(1, 1, 4, 4),
        "roi": np.array([0, 0, 0.4, 0.6, 1, 1, 1.2, 1.7], np.float32),
    }
    constants = {"sizes": np.array([1, 1, 3, 3], np.int64)}

    found = ours(node, inputs, constants)

    assert_same(found, theirs(node, inputs, constants), 3e-6)
    assert (found[0][..., 2, 2] == 10).all()


def test_policies_and_axes() -> None:
    inputs, constants = {"x": random_tensor(2, 6, 9)}, {"sizes": np.array([7, 4], np.int64)}
    shapes = {
        policy: ours(resize(axes=[-1, 1], keep_aspect_ratio_policy=policy), inputs, constants)[
            0
        ].shape
        for policy in ("stretch", "not_larger", "not_smaller")
    }

    assert shapes == {"stretch": (2, 4, 7), "not_larger": (2, 4, 6), "not_smaller": (2, 5, 7)}


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", "bool"])
def test_element_types(dtype: str) -> None:
    x = np.array([[0, 250, 3]]).astype(dtype)
    sizes = {"sizes": np.array([1, 5], np.int64)}

    (picked,) = ours(resize(), {"x": x}, sizes)
    np.testing.assert_array_equal(picked, x[:, [0, 0, 1, 2, 2]])
    if dtype == "bool":
        refused = ("node 0 (Resize): mode linear of truth values",)
        assert reasons(resize(mode="linear"), {"x": x}, sizes) == refused
    else:
        (mixed,) = ours(resize(mode="linear"), {"x": x}, sizes)
        expected = np.array([[0, 99.99999999999999, 250, 101.80000000000004, 3]])
        rounded = expected if dtype == "float64" else np.rint(expected)
        np.testing.assert_allclose(mixed, rounded.astype(dtype), rtol=1e-15)


def test_shrinking_by_old_versions_rounds_up() -> None:
    x = np.arange(1, 9, dtype=np.float32).reshape(1, 1, 2, 4)
    scales = np.array([1, 1, 0.6, 0.6], np.float32)
    node = helper.make_node("Resize", ["x", "scales"], ["y"])
    upsample = helper.make_node("Upsample", ["x"], ["y"], scales=[1.0, 1.0, 2.0, 1.5])

    assert ours(node, {"x": x}, {"scales": scales}, 10)[0].tolist() == [[[[1, 3]]]]
    assert ours(upsample, {"x": x}, None, 8)[0][0, 0, 3].tolist() == [5, 5, 6, 7, 7, 8]


def test_nothing_of_nothing() -> None:
    sizes = {"sizes": np.array([0, 4], np.int64)}

    assert ours(resize(mode="linear"), {"x": random_tensor(0, 3)}, sizes)[0].shape == (0, 4)
    assert ours(resize(mode="cubic"), {"x": random_tensor(2, 3)}, sizes)[0].shape == (0, 4)


@pytest.mark.parametrize(
    ("sizes", "attributes", "reason"),
    [
        ([2, -1], {}, "sizes [2, -1] for 2 axes"),
        ([2], {}, "sizes [2] for 2 axes"),
        ([2, 3], {"mode": "sinc"}, "mode is sinc, not one of nearest, linear, cubic, bilinear"),
        ([2, 3], {"axes": [0, -2]}, "axes [0, 0] name one twice"),
        ([1, 1 << 30], {}, "an axis of length 1073741824, allowed are 0 to 16777216"),
    ],
)
def test_refusals(sizes: list[int], attributes: dict[str, Any], reason: str) -> None:
    constants = {"sizes": np.array(sizes, np.int64)}

    found = reasons(resize(**attributes), {"x": random_tensor(2, 3)}, constants)

    assert found == (f"node 0 (Resize): {reason}",)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 3e38])
def test_scales_that_mean_nothing(scale: float) -> None:
    constants = {"scales": np.array([1, scale], np.float32)}

    (reason,) = reasons(rescale(), {"x": random_tensor(2, 3)}, constants)

    assert reason == f"node 0 (Resize): scale {float(np.float32(scale))} of an axis of length 3"


def test_shrinking_much_with_antialias_has_its_price() -> None:
    inputs, constants = {"x": random_tensor(2000, 500)}, {"sizes": np.array([1, 500], np.int64)}

    costs = [
        ai_exec.admit(
            encode_node(resize(mode="linear", antialias=antialias), inputs, constants)
        ).cost
        for antialias in (0, 1)
    ]

    assert costs[1] > 400 * costs[0]


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("scale", [1e-30, 1e-8])
def test_nothing_is_left_of_an_axis_without_counting_taps(mode: str, scale: float) -> None:
    constants = {"scales": np.array([1, 1, 2, scale], np.float32)}
    node = rescale(mode=mode, antialias=1)

    (found,) = ours(node, {"x": random_tensor(1, 1, 5, 7)}, constants)
    assert found.shape == (1, 1, 10, 0)
