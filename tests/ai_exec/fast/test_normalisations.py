"""Compiled normalisations give the bits of the operators' own kernels."""

from typing import Any

import numpy as np
import pytest

from tests.support.single_node import assert_same_bits, hostile, one_node

SHARES = (0.0, 0.01, 0.2)


def channels(count: int, names: str) -> dict[str, Any]:
    return {name: hostile(count, share=0.0, seed=ord(name)) for name in names}


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("operator", ["LogSoftmax", "LpNormalization", "Softmax"])
@pytest.mark.parametrize("opset", [11, 22])
def test_along_an_axis(operator: str, share: float, opset: int) -> None:
    for shape in ((3, 5, 7), (2, 1, 4), (1, 300, 2), (2, 3, 64)):
        inputs = {"x": hostile(*shape, share=share)}
        for axis in range(-1, 3):
            assert_same_bits(one_node(operator, inputs, opset=opset, axis=axis), inputs)
            if operator == "LpNormalization":
                program = one_node(operator, inputs, opset=opset, axis=axis, p=1)
                assert_same_bits(program, inputs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38])
@pytest.mark.parametrize("operator", ["LogSoftmax", "LpNormalization", "Softmax"])
def test_rows_of_one_number(operator: str, value: float) -> None:
    for length in (1, 6):
        inputs = {"x": np.full((2, length), value, np.float32)}
        assert_same_bits(one_node(operator, inputs, axis=-1), inputs)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("shape", [(2, 4, 5), (1, 4, 3, 3), (2, 4, 1), (3, 4, 2, 2, 2)])
def test_by_channels(share: float, shape: tuple[int, ...]) -> None:
    inputs = {"x": hostile(*shape, share=share), **channels(4, "sb")}
    assert_same_bits(one_node("InstanceNormalization", inputs), inputs)
    for groups in (1, 2, 4):
        assert_same_bits(one_node("GroupNormalization", inputs, num_groups=groups), inputs)
    batch = {**inputs, "m": channels(4, "m")["m"], "v": np.abs(channels(4, "v")["v"])}
    assert_same_bits(one_node("BatchNormalization", batch), batch)
    program = one_node("BatchNormalization", batch, outputs=3, training_mode=1)
    assert_same_bits(program, batch)


def test_group_normalisation_of_the_first_version() -> None:
    inputs = {"x": hostile(2, 4, 5, share=0.0), **channels(2, "sb")}
    assert_same_bits(one_node("GroupNormalization", inputs, opset=18, num_groups=2), inputs)


def test_batch_normalisation_of_rows() -> None:
    inputs = {"x": hostile(5, 4, share=0.1), **channels(4, "sbm"), "v": np.ones(4, np.float32)}
    assert_same_bits(one_node("BatchNormalization", inputs), inputs)


@pytest.mark.parametrize("share", SHARES)
def test_over_other_axes(share: float) -> None:
    inputs = {"x": hostile(2, 3, 4, 5, share=share)}
    assert_same_bits(one_node("MeanVarianceNormalization", inputs), inputs)
    assert_same_bits(one_node("MeanVarianceNormalization", inputs, axes=[2, 3]), inputs)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_by_roots(share: float, axis: int) -> None:
    inputs = {"x": hostile(2, 3, 5, share=share), **channels(5, "s")}
    assert_same_bits(one_node("RMSNormalization", inputs, opset=23, axis=axis), inputs)
