"""Losses beside formulas in fractions and onnxruntime; weights, ignored classes, refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, computed, ours, reasons, theirs

TYPES = ["float32", "float64"]


def given(dtype: str, weighted: bool) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    inputs = {
        "x": random.normal(size=(4, 5, 3)).astype(dtype),
        "t": random.integers(0, 5, (4, 3)),
    }
    if weighted:
        inputs["w"] = np.abs(random.normal(size=5)).astype(dtype)
    return inputs


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, 2])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("name", ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"])
def test_beside_onnxruntime(
    name: str, reduction: str, ignored: int | None, weighted: bool, dtype: str
) -> None:
    inputs = given(dtype, weighted)
    node = helper.make_node(name, list(inputs), ["y"], reduction=reduction, ignore_index=ignored)
    logarithms = inputs["x"].astype(float)
    if name.startswith("Softmax"):
        logarithms = logarithms - np.log(np.exp(logarithms).sum(1, keepdims=True))
    target = inputs["t"]
    losses = -np.take_along_axis(logarithms, target[:, np.newaxis], 1)[:, 0]
    weights = inputs["w"][target] if weighted else np.ones(target.shape)
    weights = np.where(target == ignored, 0.0, weights)
    losses = losses * weights
    expected = {
        "none": losses,
        "sum": np.array(losses.sum()),
        "mean": np.array(losses.sum() / weights.sum()),
    }[reduction].astype(dtype)

    found = ours(node, inputs)

    assert_same(found, [expected])
    if dtype == "float32":
        assert_same(found, theirs(node, inputs, opset=13))


def test_second_output_and_classes_outside() -> None:
    x = given("float32", False)["x"]

    loss, logarithms = computed(
        "SoftmaxCrossEntropyLoss", 13, x, np.full((4, 3), 7), count=2, reduction="none"
    )

    assert logarithms.tobytes() == computed("LogSoftmax", 13, x, axis=1)[0].tobytes()
    assert loss.tobytes() == (-logarithms[:, 2]).tobytes()


def test_all_ignored() -> None:
    x, target = given("float32", False)["x"], np.full((4, 3), -1)

    (mean,) = computed("NegativeLogLikelihoodLoss", 22, x, target, ignore_index=-1)
    (total,) = computed(
        "NegativeLogLikelihoodLoss", 22, x, target, ignore_index=-1, reduction="sum"
    )

    assert np.isnan(mean)
    assert total == 0


@pytest.mark.parametrize(
    ("changes", "attributes", "reason"),
    [
        ({}, {"reduction": "max"}, "reduction is max, not one of none, sum, mean"),
        ({"w": np.ones(4, np.float32)}, {}, "input 2 is float32[4], not [5]"),
        ({"t": np.zeros((4, 2), np.int64)}, {}, "input 1 is int64[4, 2], not [4, 3]"),
        ({"x": np.ones((4, 0, 3), np.float32)}, {}, "no classes in float32[4, 0, 3]"),
    ],
)
def test_refusals(changes: Any, attributes: Any, reason: str) -> None:
    node = helper.make_node("NegativeLogLikelihoodLoss", ["x", "t", "w"], ["y"], **attributes)

    assert reasons(node, {**given("float32", True), **changes}) == (
        f"node 0 (NegativeLogLikelihoodLoss): {reason}",
    )
