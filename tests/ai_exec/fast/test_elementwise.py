"""Compiled elementwise functions give the bits of the operators' own kernels."""

from typing import Any

import numpy as np
import pytest

from tests.support.single_node import HOSTILE, assert_same_bits, hostile, one_node

NODES: list[tuple[str, dict[str, Any]]] = [
    ("Relu", {}),
    ("LeakyRelu", {"alpha": 0.01}),
    ("LeakyRelu", {"alpha": -2.0}),
    ("ThresholdedRelu", {"alpha": 1.0}),
    ("ThresholdedRelu", {"alpha": -1.0}),
    ("HardSigmoid", {}),
    ("HardSigmoid", {"alpha": -0.3, "beta": 0.7}),
    ("HardSwish", {}),
    ("Shrink", {"bias": 0.5, "lambd": 0.2}),
    ("Shrink", {"bias": 1.5, "lambd": -1.0}),
    ("IsInf", {}),
    ("IsInf", {"detect_negative": 0}),
    ("IsInf", {"detect_positive": 0}),
]


@pytest.mark.parametrize(("operator", "attributes"), NODES)
def test_same_bits(operator: str, attributes: dict[str, Any]) -> None:
    for x in (hostile(40, 50), HOSTILE, hostile(3, 0), hostile()):
        assert_same_bits(one_node(operator, {"x": x}, **attributes), {"x": x})


@pytest.mark.parametrize("low", [None, 0.0, -0.0, -1.0, 7.0, np.nan, np.inf])
@pytest.mark.parametrize("high", [None, 6.0, -0.0, np.nan, -np.inf])
def test_clip(low: float | None, high: float | None) -> None:
    x = hostile(500, share=0.3)
    bounds = {"low": low, "high": high}
    constants = {name: np.float32(value) for name, value in bounds.items() if value is not None}
    names = ("x", *(name if name in constants else "" for name in bounds))
    assert_same_bits(one_node("Clip", {"x": x}, constants, names=names), {"x": x})


def test_clip_by_attributes_and_by_inputs() -> None:
    inputs = {"x": hostile(300)}
    assert_same_bits(one_node("Clip", inputs, opset=6, min=-1.0, max=2.0), inputs)
    bounds = {"low": np.float32(-1), "high": np.float32(3)}
    assert_same_bits(one_node("Clip", {**inputs, **bounds}), {**inputs, **bounds})


@pytest.mark.parametrize(
    "slopes", [(), (1,), (3, 1, 1), (1, 3, 1, 1), (5,), (4, 1), (4, 5), (2, 3, 4, 5), (3, 1, 5)]
)
def test_p_relu(slopes: tuple[int, ...]) -> None:
    inputs = {"x": hostile(2, 3, 4, 5), "s": hostile(*slopes)}
    assert_same_bits(one_node("PRelu", inputs), inputs)
    only = {"x": inputs["x"]}
    assert_same_bits(one_node("PRelu", only, {"s": inputs["s"]}), only)


def test_first_slopes_are_those_of_channels() -> None:
    inputs = {"x": hostile(2, 3, 4, 5), "s": hostile(3)}
    assert_same_bits(one_node("PRelu", inputs, opset=6), inputs)
