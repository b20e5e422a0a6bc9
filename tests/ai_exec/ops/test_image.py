"""Blocks and depth, centred crops and columns, beside onnxruntime; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs


def counted(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_blocks(mode: str) -> None:
    inputs = {"x": counted(2, 8, 3, 2)}
    deep = helper.make_node("DepthToSpace", ["x"], ["y"], blocksize=2, mode=mode)

    (wide,) = ours(deep, inputs, opset=13)

    assert_same([wide], theirs(deep, inputs, opset=13))
    flat = helper.make_node("SpaceToDepth", ["x"], ["y"], blocksize=2)
    assert_same(ours(flat, {"x": wide}, opset=13), theirs(flat, {"x": wide}, opset=13))
    if mode == "DCR":
        assert ours(flat, {"x": wide}, opset=13)[0].tolist() == inputs["x"].tolist()


@pytest.mark.parametrize(
    ("lengths", "axes"), [([2, 9], None), ([7, 1], [-1, 0]), ([0, 5], None), ([6], [1])]
)
@pytest.mark.parametrize("dtype", ["float32", "bool", "uint64"])
def test_centre(lengths: list[int], axes: list[int] | None, dtype: str) -> None:
    node = helper.make_node("CenterCropPad", ["x", "shape"], ["y"], axes=axes)
    inputs, constants = {"x": counted(5, 4, dtype=dtype)}, {"shape": np.array(lengths, np.int64)}

    found = ours(node, inputs, constants)

    if dtype == "float32" and 0 not in lengths:
        assert_same(found, theirs(node, inputs, constants))
    shape = dict(zip([0, 1], (5, 4), strict=True))
    shape.update({axis % 2: length for axis, length in zip(axes or [0, 1], lengths, strict=True)})
    assert (found[0].dtype, found[0].shape) == (dtype, tuple(shape.values()))


@pytest.mark.parametrize(
    "attributes",
    [{}, {"dilations": [1, 2]}, {"pads": [1, 0, 2, 1]}, {"strides": [2, 2], "pads": [0, 1, 1, 1]}],
)
def test_columns(attributes: dict[str, Any]) -> None:
    node = helper.make_node("Col2Im", ["x", "image", "block"], ["y"], **attributes)
    image, block = np.array([5, 6]), np.array([2, 3])
    pads = np.array(attributes.get("pads", [0] * 4)).reshape(2, 2).sum(0)
    reach = (block - 1) * attributes.get("dilations", [1, 1]) + 1
    blocks = (image + pads - reach) // attributes.get("strides", [1, 1]) + 1
    x = np.random.default_rng(1).normal(size=(2, 12, int(blocks.prod()))).astype(np.float32)
    constants = {"image": image, "block": block}

    found = ours(node, {"x": x}, constants)

    assert_same(found, theirs(node, {"x": x}, constants), 1e-6)
    if not attributes:
        wrapping = ours(node, {"x": np.full(x.shape, 100, np.int8)}, constants)[0]
        assert wrapping[0, 0, 2, 3] == np.int64(600).astype(np.int8)


@pytest.mark.parametrize(
    ("operator", "shape", "constants", "attributes", "reason"),
    [
        (
            "DepthToSpace",
            (1, 6, 2, 2),
            [],
            {"blocksize": 2},
            "blocksize is 2 for float32[1, 6, 2, 2]",
        ),
        ("SpaceToDepth", (1, 6, 2, 2), [], {"blocksize": 0}, "blocksize is 0"),
        ("CenterCropPad", (2, 3), [[1]], {}, "shape [1] for 2 axes"),
        ("CenterCropPad", (2, 3), [[1, -1]], {}, "shape [1, -1] for 2 axes"),
        (
            "Col2Im",
            (1, 4, 4),
            [[3, 3], [2, 3]],
            {},
            "float32[1, 4, 4] is not [2, 1] blocks of [2, 3]",
        ),
        ("Col2Im", (1, 4, 4), [[3, 3], [4, 4]], {}, "block [4, 4] does not fit into image [3, 3]"),
        (
            "Col2Im",
            (1, 4, 4),
            [[3, 3], [2, 2]],
            {"pads": [1 << 40, 0, 0, 0]},
            "float32[1, 4, 4] is not [1099511627778, 2] blocks of [2, 2]",
        ),
    ],
)
def test_refusals(
    operator: str, shape: Any, constants: Any, attributes: dict[str, Any], reason: str
) -> None:
    named = {f"c{at}": np.array(given, np.int64) for at, given in enumerate(constants)}
    node = helper.make_node(operator, ["x", *named], ["y"], **attributes)

    found = reasons(node, {"x": counted(*shape)}, named)

    assert found == (f"node 0 ({operator}): {reason}",)
