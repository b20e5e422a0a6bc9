"""Resize in compiled passes gives the bits of the operator's own kernel."""

from typing import Any

import numpy as np
import pytest

from tests.support.single_node import assert_same_bits, hostile, one_node

PLACES = [
    *("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners"),
    *("asymmetric", "tf_crop_and_resize"),
]


@pytest.mark.parametrize("mode", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize("place", PLACES)
def test_sizes(mode: str, place: str) -> None:
    for share in (0.0, 0.05):
        inputs = {"x": hostile(1, 2, 4, 5, share=share)}
        for sizes in ((1, 2, 7, 9), (1, 2, 2, 3), (1, 2, 4, 1), (1, 3, 4, 5)):
            constants: dict[str, Any] = {"s": np.array(sizes)}
            names = ("x", "", "", "s")
            if place == "tf_crop_and_resize":
                constants["r"] = np.float32([0, 0, 0, 0, 1, 1, 0.7, 1.2])
                names = ("x", "r", "", "s")
            program = one_node(
                *("Resize", inputs, constants),
                names=names,
                mode=mode,
                coordinate_transformation_mode=place,
            )
            assert_same_bits(program, inputs)


@pytest.mark.parametrize("opset", [10, 11, 13, 18])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_scales(opset: int, mode: str) -> None:
    inputs = {"x": hostile(2, 1, 3, 4)}
    names = ("x", "s") if opset == 10 else ("x", "", "s")
    constants = {"s": np.float32([1, 1, 2, 1.7])}
    if opset == 11:
        names, constants = ("x", "r", "s"), {**constants, "r": np.zeros(0, np.float32)}
    assert_same_bits(
        one_node("Resize", inputs, constants, names=names, opset=opset, mode=mode), inputs
    )


def test_more_taps() -> None:
    inputs = {"x": hostile(1, 1, 9, 8, share=0.0)}
    constants = {"s": np.float32([0.4, 0.7])}
    for given in ({"antialias": 1}, {"exclude_outside": 1}, {"antialias": 1, "axes": [3, 2]}):
        attributes = {"axes": [2, 3], **given}
        for mode in ("linear", "cubic"):
            program = one_node(
                *("Resize", inputs, constants), names=("x", "", "s"), mode=mode, **attributes
            )
            assert_same_bits(program, inputs)
