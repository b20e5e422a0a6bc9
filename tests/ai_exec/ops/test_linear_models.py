"""Linear models beside onnxruntime and true values."""

from typing import Any

import numpy as np
import pytest

from tests.support.ml_node import ours, reasons, theirs

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(0, 3, (7, 4)).astype(np.float32)
COEFFICIENTS = RANDOM.normal(0, 1, 12).astype(np.float32).tolist()
INTERCEPTS = [0.25, -1.0, 0.5]


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_classifier_of_many(transform: str, dtype: str) -> None:
    given: dict[str, Any] = {
        "classlabels_ints": [9, 5, 7],
        "coefficients": COEFFICIENTS,
        "intercepts": INTERCEPTS,
        "post_transform": transform,
    }
    x = X.astype(dtype)
    labels, scores = ours("LinearClassifier", x, 2, version=1, **given)
    expected_labels, expected = theirs("LinearClassifier", x, 2, version=1, **given)

    assert np.array_equal(labels, expected_labels)
    np.testing.assert_allclose(scores, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
def test_one_score_for_two_labels(transform: str) -> None:
    given: dict[str, Any] = {
        "classlabels_ints": [3, 8],
        "coefficients": COEFFICIENTS[:4],
        "intercepts": [0.5],
        "post_transform": transform,
    }
    labels, scores = ours("LinearClassifier", X, 2, version=1, **given)
    expected_labels, expected = theirs("LinearClassifier", X, 2, version=1, **given)

    assert np.array_equal(labels, expected_labels)
    np.testing.assert_allclose(scores, expected, rtol=2e-6, atol=1e-6)


def test_regressor_is_the_true_value() -> None:
    x = np.array([[1e8, 1.0, -1e8, 2.0**-20]], np.float32)
    given = {"coefficients": [1.0, 0.5, 1.0, 1.0], "intercepts": [-0.5]}

    assert ours("LinearRegressor", x, version=1, **given)[0].tolist() == [[2.0**-20]]
    two = ours("LinearRegressor", X, version=1, coefficients=COEFFICIENTS[:8], targets=2)[0]
    weights = np.array(COEFFICIENTS[:8], np.float64).reshape(2, 4)
    np.testing.assert_allclose(two, X.astype(np.float64) @ weights.T, rtol=1e-6)
    assert ours("LinearRegressor", X[0], version=1, **given)[0].shape == (1, 1)


def test_softmax_zero_leaves_nothing_out() -> None:
    given = {"coefficients": [1.0, 0.0, 0.0, 1.0], "targets": 2, "post_transform": "SOFTMAX_ZERO"}
    x = np.array([[0.0, 0.0], [1.0, 0.0]], np.float32)

    found = ours("LinearRegressor", x, version=1, **given)[0]
    assert found.tolist() == [[0.5, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("LinearRegressor", {"coefficients": [1.0]}, "1 coefficients for 1 results"),
        ("LinearRegressor", {"coefficients": [1.0] * 4, "post_transform": "PROBIT"}, "PROBIT"),
        ("LinearRegressor", {"coefficients": [1.0] * 4, "intercepts": [1.0, 2.0]}, "2 intercepts"),
        (
            "LinearClassifier",
            {"coefficients": [1.0] * 4, "classlabels_strings": ["a", "b"]},
            "labels are texts: export the model with integer labels",
        ),
        ("LinearClassifier", {"coefficients": [1.0] * 4, "classlabels_ints": [1]}, "1 labels"),
    ],
)
def test_refused(operator: str, attributes: dict[str, object], reason: str) -> None:
    outputs = 2 if operator == "LinearClassifier" else 1

    assert reason in reasons(operator, X, outputs, version=1, **attributes)
