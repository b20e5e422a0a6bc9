"""Transforms with tables that are kept give the bits of the operators' own kernels."""

import numpy as np
import pytest

from tests.support.single_node import assert_same_bits, hostile, one_node


@pytest.mark.parametrize("share", [0.0, 0.05])
@pytest.mark.parametrize(
    ("parts", "inverse", "onesided"), [(1, 0, 0), (2, 0, 0), (1, 0, 1), (2, 1, 0), (2, 1, 1)]
)
def test_transforms(share: float, parts: int, inverse: int, onesided: int) -> None:
    inputs = {"x": hostile(2, 6, 5, parts, share=share)}
    given = {"inverse": inverse, "onesided": onesided}
    assert_same_bits(one_node("DFT", inputs, **given), inputs)
    for axis in (1, 2, -2):
        for length in (4, 9):
            constants = {"l": np.array(length), "a": np.array(axis)}
            assert_same_bits(one_node("DFT", inputs, constants, **given), inputs)
    assert_same_bits(one_node("DFT", inputs, opset=17, axis=2, **given), inputs)


def test_frames() -> None:
    for parts, onesided in ((1, 1), (1, 0), (2, 0)):
        inputs = {"x": hostile(2, 40, parts, share=0.01)}
        constants = {"s": np.array(7), "w": hostile(16, share=0.0)}
        assert_same_bits(one_node("STFT", inputs, constants, onesided=onesided), inputs)
        names = ("x", "s", "", "n")
        constants = {"s": np.array(7), "n": np.array(12)}
        program = one_node("STFT", inputs, constants, names=names, onesided=onesided)
        assert_same_bits(program, inputs)


def test_long_tables_are_made_at_each_run() -> None:
    inputs = {"x": hostile(1, 1100, 1, share=0.0)}
    assert_same_bits(one_node("DFT", inputs), inputs)
