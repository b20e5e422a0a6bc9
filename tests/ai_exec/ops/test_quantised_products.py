"""Products and convolutions of bytes: exact against integers, and beside onnxruntime."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons, theirs

RANDOM = np.random.default_rng(11)


def bytes_of(dtype: str, *shape: int) -> np.ndarray:
    bounds = np.iinfo(dtype)
    return RANDOM.integers(bounds.min, bounds.max + 1, shape).astype(dtype)


def scale(*shape: int) -> np.ndarray:
    return np.asarray(RANDOM.uniform(0.01, 0.2, shape), np.float32)


def whole(operand: np.ndarray, zero: np.ndarray) -> np.ndarray:
    return operand.astype(np.int64) - zero.astype(np.int64)


@pytest.mark.parametrize("types", [("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")])
def test_integer_products_are_exact(types: tuple[str, str]) -> None:
    given = {
        "a": bytes_of(types[0], 2, 5, 300),
        "b": bytes_of(types[1], 300, 7),
        "az": bytes_of(types[0], 2, 5, 1),
        "bz": bytes_of(types[1], 7),
    }
    node = helper.make_node("MatMulInteger", list(given), ["y"])
    expected = whole(given["a"], given["az"]) @ whole(given["b"], given["bz"])

    found = ours(node, given)[0]
    assert found.dtype == np.int32
    assert np.array_equal(found, expected)
    rows = {**given, "az": given["az"][0, :, 0]}
    expected = whole(given["a"], given["az"][0]) @ whole(given["b"], given["bz"])
    assert np.array_equal(ours(node, rows)[0], expected)


def test_long_sums_wrap() -> None:
    given = {"a": np.full((1, 40_000), 255, np.uint8), "b": np.full((40_000, 1), 255, np.uint8)}
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])

    assert ours(node, given)[0].tolist() == [[40_000 * 255 * 255 - 2**32]]


def quantised_product(given: dict[str, np.ndarray]) -> Any:
    return helper.make_node("QLinearMatMul", list(given), ["y"])


@pytest.mark.parametrize("types", [("uint8", "uint8"), ("int8", "int8")])
@pytest.mark.parametrize("columns", [False, True])
def test_quantised_products_as_onnxruntime(types: tuple[str, str], columns: bool) -> None:
    per_column = (9,) if columns else ()
    given = {
        "a": bytes_of(types[0], 6, 33),
        "as": scale(),
        "az": np.array(100, types[0]),
        "b": bytes_of(types[1], 33, 9),
        "bs": scale(*per_column),
        "bz": np.full(per_column, 128 if types[1] == "uint8" else 0, types[1]),
        "ys": np.array(15.0, np.float32),
        "yz": bytes_of(types[0]),
    }

    found = ours(quantised_product(given), given)
    assert np.array_equal(found, theirs(quantised_product(given), given))
    assert len(np.unique(found)) > 10


def test_scales_of_rows_and_one_dimension() -> None:
    given = {
        "a": bytes_of("int8", 2, 4, 8),
        "as": scale(4),
        "az": bytes_of("int8", 4),
        "b": bytes_of("int8", 8),
        "bs": scale(),
        "bz": bytes_of("int8"),
        "ys": np.array(0.9, np.float32),
        "yz": np.array(-3, np.int8),
    }
    sums = whole(given["a"], given["az"][:, np.newaxis]) @ whole(given["b"], given["bz"])
    factor = given["as"] * given["bs"] / given["ys"]
    expected = np.clip(np.rint(sums.astype(np.float32) * factor) - 3, -128, 127)

    assert np.array_equal(ours(quantised_product(given), given)[0], expected)
    turned = {
        **given,
        "a": given["b"],
        "as": given["bs"],
        "az": given["bz"],
        "b": np.swapaxes(given["a"], 1, 2),
        "bs": np.stack([given["as"][np.newaxis]] * 2),
        "bz": np.stack([given["az"][np.newaxis]] * 2),
    }
    assert np.array_equal(ours(quantised_product(turned), turned)[0], expected)


def convolution(
    channels: int, maps: int, group: int, per_map: bool, dtype: str = "uint8"
) -> dict[str, np.ndarray]:
    of_maps = (maps,) if per_map else ()
    return {
        "x": bytes_of(dtype, 2, channels, 9, 8),
        "xs": scale(),
        "xz": np.array(100, dtype),
        "w": bytes_of(dtype, maps, channels // group, 3, 3),
        "ws": scale(*of_maps),
        "wz": np.full(of_maps, 0 if per_map else 125, dtype),
        "ys": np.array(15.0, np.float32),
        "yz": bytes_of(dtype),
        "b": RANDOM.integers(-5000, 5000, maps).astype(np.int32),
    }


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize(
    ("group", "attributes"),
    [
        (1, {"pads": [1, 1, 1, 1]}),
        (1, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        (2, {"dilations": [2, 1], "pads": [0, 1, 2, 0]}),
        (6, {"kernel_shape": [3, 3]}),
    ],
)
def test_quantised_convolutions_as_onnxruntime(
    dtype: str, group: int, attributes: dict[str, Any]
) -> None:
    given = convolution(6, 12, group, dtype == "int8", dtype)
    node = helper.make_node("QLinearConv", list(given), ["y"], group=group, **attributes)

    found = ours(node, given)
    assert np.array_equal(found, theirs(node, given))
    assert len(np.unique(found)) > 10


def test_integer_convolutions_as_onnxruntime() -> None:
    given = convolution(4, 6, 2, False)
    given = {name: given[name] for name in ("x", "w", "xz", "wz")}
    node = helper.make_node("ConvInteger", list(given), ["y"], group=2, pads=[1, 0, 2, 1])

    assert np.array_equal(ours(node, given), theirs(node, given))


def test_zero_points_of_maps() -> None:
    given = {"x": bytes_of("int8", 1, 2, 5), "w": bytes_of("int8", 3, 2, 1)}
    given |= {"xz": bytes_of("int8"), "wz": bytes_of("int8", 3)}
    node = helper.make_node("ConvInteger", list(given), ["y"])
    kernels = whole(given["w"], given["wz"].reshape(3, 1, 1))[:, :, 0]

    assert np.array_equal(ours(node, given)[0], kernels @ whole(given["x"], given["xz"]))


def test_refused() -> None:
    given = {"a": bytes_of("uint8", 4, 5), "b": bytes_of("uint8", 5, 6), "az": bytes_of("uint8", 3)}
    node = helper.make_node("MatMulInteger", ["a", "b", "az"], ["y"])
    assert "input 2 is uint8[3] for uint8[4, 5]" in reasons(node, given)[0]

    signed = {**given, "az": bytes_of("int8")}
    assert "input 2 is int8[], not of uint8" in reasons(node, signed)[0]

    image = convolution(4, 6, 1, True)
    node = helper.make_node("QLinearConv", list(image), ["y"])
    assert "B is int32[3], not [6]" in reasons(node, {**image, "b": image["b"][:3]})[0]
    assert "another shape than its zero point" in reasons(node, {**image, "wz": image["xz"]})[0]
    assert (
        "kernel_shape is [2, 2]"
        in reasons(helper.make_node("QLinearConv", list(image), ["y"], kernel_shape=[2, 2]), image)[
            0
        ]
    )
