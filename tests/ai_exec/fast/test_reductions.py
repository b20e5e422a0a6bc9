"""Compiled reductions give the bits of the operators' own kernels."""

import numpy as np
import pytest

from ai_exec.fast import reductions
from ai_exec.fast.reductions import REDUCTIONS
from ai_exec.semantics import binary64
from tests.support.single_node import assert_same_bits, hostile, one_node

AXES = [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2), (-1, 0)]
SHAPES = [(3, 5, 7), (2, 1, 300), (4, 70, 1), (1, 1, 1), (2, 300, 3), (2, 2, 600)]


@pytest.mark.parametrize("operator", sorted(REDUCTIONS))
@pytest.mark.parametrize("axes", AXES)
def test_same_bits(operator: str, axes: tuple[int, ...]) -> None:
    for shape in SHAPES:
        for share in (0.0, 0.02, 0.3):
            inputs = {"x": hostile(*shape, share=share)}
            constants = {"axes": np.array(axes, np.int64)}
            keepdims = len(axes) % 2
            assert_same_bits(one_node(operator, inputs, constants, keepdims=keepdims), inputs)


@pytest.mark.parametrize("operator", sorted(REDUCTIONS))
def test_axes_that_are_left_out(operator: str) -> None:
    inputs = {"x": hostile(3, 4, share=0.0)}
    assert_same_bits(one_node(operator, inputs), inputs)
    assert_same_bits(one_node(operator, inputs, noop_with_empty_axes=1), inputs)
    assert_same_bits(one_node(operator, inputs, opset=11, axes=[1]), inputs)


@pytest.mark.parametrize("operator", ["ReduceSum", "ReduceMax", "ReduceLogSumExp"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0, 3e38, 1e-45])
def test_rows_of_one_number(operator: str, value: float) -> None:
    inputs = {"x": np.full((2, 9), value, np.float32)}
    assert_same_bits(one_node(operator, inputs, {"axes": np.array([1])}), inputs)
    assert_same_bits(one_node(operator, inputs, {"axes": np.array([0])}), inputs)


@pytest.mark.parametrize("operator", ["ReduceSum", "ReduceMax", "ReduceL2"])
def test_nothing(operator: str) -> None:
    inputs = {"x": np.zeros((2, 0, 3), np.float32)}
    assert_same_bits(one_node(operator, inputs, {"axes": np.array([1])}), inputs)
    assert_same_bits(one_node(operator, inputs, {"axes": np.array([0])}), inputs)


def test_logarithm_is_that_of_the_specification() -> None:
    random = np.random.default_rng(3)
    x = np.exp2(random.uniform(-150, 150, 2000))
    x = np.concatenate([x, [0.0, 1.0, 0.5, 2.0, np.inf, np.nan, -1.0, 0.7071067811865476]])
    with np.errstate(all="ignore"):
        expected = binary64.log(x)
    found = np.array([reductions.logarithm(value) for value in x])
    np.testing.assert_array_equal(found, expected)
