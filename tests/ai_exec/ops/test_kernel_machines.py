"""Support vector machines beside onnxruntime, and their parts against plain formulas."""

from typing import Any

import numpy as np
import pytest

from ai_exec.ops.kernel_machines import coupled, pair_coefficients, votes_of
from tests.support.ml_node import ours, reasons, theirs

RANDOM = np.random.default_rng(23)
X = RANDOM.normal(0, 1, (30, 4)).astype(np.float32)
KERNELS = {
    "LINEAR": [1.0, 0.0, 1.0],
    "POLY": [0.5, 1.0, 3.0],
    "RBF": [0.25, 0.0, 0.0],
    "SIGMOID": [0.125, -0.5, 0.0],
}


def numbers(count: int, scale: float = 1.0) -> list[float]:
    return RANDOM.normal(0, scale, count).astype(np.float32).tolist()


def machine(classes: int, kernel: str = "RBF", *, likely: bool = False) -> dict[str, Any]:
    counts = [3, 5, 2, 4][:classes]
    pairs = classes * (classes - 1) // 2
    given: dict[str, Any] = {
        "classlabels_ints": [9, 2, 7, 4][:classes],
        "coefficients": numbers(sum(counts) * (classes - 1)),
        "kernel_params": KERNELS[kernel],
        "kernel_type": kernel,
        "rho": numbers(pairs, 0.2),
        "support_vectors": numbers(sum(counts) * 4),
        "vectors_per_class": counts,
    }
    if likely:
        given |= {"prob_a": [-1.5] * pairs, "prob_b": numbers(pairs, 0.2)}
    return given


def assert_near(found: list[np.ndarray], expected: list[np.ndarray], within: float = 3e-6) -> None:
    assert np.array_equal(found[0], expected[0])
    assert found[1].shape == expected[1].shape
    np.testing.assert_allclose(found[1], expected[1], rtol=within, atol=within)


@pytest.mark.parametrize("kernel", list(KERNELS))
@pytest.mark.parametrize("classes", [2, 4])
def test_classifier_as_onnxruntime(kernel: str, classes: int) -> None:
    given = machine(classes, kernel)

    assert_near(
        ours("SVMClassifier", X, 2, version=1, **given),
        theirs("SVMClassifier", X, 2, version=1, **given),
        2e-5 if kernel == "POLY" else 3e-6,
    )


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_probabilities_as_onnxruntime(classes: int) -> None:
    given = machine(classes, likely=True)
    found = ours("SVMClassifier", X, 2, version=1, **given)

    assert_near(found, theirs("SVMClassifier", X, 2, version=1, **given), 1e-4)
    np.testing.assert_allclose(found[1].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("transform", ["LOGISTIC", "SOFTMAX"])
def test_transforms_as_onnxruntime(transform: str) -> None:
    given = {**machine(3), "post_transform": transform}

    assert_near(
        ours("SVMClassifier", X, 2, version=1, **given),
        theirs("SVMClassifier", X, 2, version=1, **given),
    )


def test_classifier_without_vectors() -> None:
    given = {
        "classlabels_ints": [3, 1, 2],
        "coefficients": numbers(12),
        "kernel_params": [1.0, 0.0, 0.0],
        "rho": [0.5],
    }

    assert_near(
        ours("SVMClassifier", X, 2, version=1, **given),
        theirs("SVMClassifier", X, 2, version=1, **given),
    )


@pytest.mark.parametrize("kernel", list(KERNELS))
@pytest.mark.parametrize("one_class", [0, 1])
def test_regressor_as_onnxruntime(kernel: str, one_class: int) -> None:
    given = {
        "coefficients": numbers(6),
        "kernel_params": KERNELS[kernel],
        "kernel_type": kernel,
        "n_supports": 6,
        "one_class": one_class,
        "rho": [0.25],
        "support_vectors": numbers(24),
    }

    found = ours("SVMRegressor", X, version=1, **given)
    expected = theirs("SVMRegressor", X, version=1, **given)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def test_regressor_without_vectors() -> None:
    given = {"coefficients": [1.0, 2.0, -3.0, 0.5], "rho": [0.5], "kernel_params": [1.0, 0.0, 0.0]}
    expected = X.astype(np.float64) @ np.array(given["coefficients"]) + 0.5

    found = ours("SVMRegressor", X.astype(np.float64), version=1, **given)[0]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_each_pair_takes_its_own_coefficients() -> None:
    rows = np.arange(1, 13, dtype=np.float32).reshape(2, 6)

    found = pair_coefficients(rows, (1, 2, 3))
    assert found.T.tolist() == [
        [1, 2, 3, 0, 0, 0],
        [7, 0, 0, 4, 5, 6],
        [0, 8, 9, 10, 11, 12],
    ]


def test_votes() -> None:
    decisions = np.array([[1.0, -1.0, 0.0], [np.nan, 2.0, 3.0]])

    assert votes_of(decisions, 3).tolist() == [[1, 0, 2], [1, 2, 0]]


def plainly_coupled(shares: np.ndarray) -> list[float]:
    """Do for one row, number by number, what is written of `coupled`."""
    classes = len(shares)
    matrix = [[-float(shares[j, i] * shares[i, j]) for j in range(classes)] for i in range(classes)]
    for i in range(classes):
        matrix[i][i] = 0.0
        for j in range(classes):
            matrix[i][i] += float(shares[j, i]) * float(shares[j, i])
    likely = [1.0 / classes] * classes
    for _ in range(100):
        products = [0.0] * classes
        for i in range(classes):
            for j in range(classes):
                products[i] += matrix[i][j] * likely[j]
        whole = 0.0
        for i in range(classes):
            whole += likely[i] * products[i]
        if max(abs(product - whole) for product in products) < 0.005 / classes:
            break
        for i in range(classes):
            step = (whole - products[i]) / matrix[i][i]
            likely[i] += step
            more = 1.0 + step
            whole += step * (step * matrix[i][i] + 2.0 * products[i])
            whole = whole / more / more
            for j in range(classes):
                products[j] = (products[j] + step * matrix[i][j]) / more
                likely[j] /= more
    return likely


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_coupling_number_by_number(classes: int) -> None:
    likely = RANDOM.uniform(0.01, 0.99, (9, classes, classes))
    shares = np.triu(likely, 1)
    shares += np.swapaxes(np.triu(1 - likely, 1), 1, 2)

    assert coupled(shares).tolist() == [plainly_coupled(row) for row in shares]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kernel_type": "CUBE"}, "kernel_type CUBE is not one of"),
        ({"kernel_params": [1.0]}, "1 kernel_params, not 3"),
        ({"vectors_per_class": [3, 5]}, "vectors_per_class is [3, 5] for 3 labels"),
        ({"rho": [0.0]}, "1 values of rho, not 3"),
        ({"support_vectors": [0.0]}, "1 values of support_vectors, not 40"),
        ({"coefficients": [0.0]}, "1 values of coefficients, not 20"),
        ({"prob_a": [0.0] * 3, "prob_b": [0.0]}, "1 values of prob_b, not 3"),
        ({"classlabels_ints": None, "classlabels_strings": ["a", "b", "c"]}, "labels are texts"),
        ({"vectors_per_class": [-1, 5, 6]}, "vectors_per_class is [-1, 5, 6]"),
        ({"post_transform": "PROBIT"}, "post_transform PROBIT is not one of"),
    ],
)
def test_refused(more: dict[str, Any], reason: str) -> None:
    given = {name: value for name, value in {**machine(3), **more}.items() if value is not None}

    assert reason in reasons("SVMClassifier", X, 2, version=1, **given)
