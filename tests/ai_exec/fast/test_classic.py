"""Linear models and support vector machines in passes against the reference, on hostile values."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.fast.ordered import COLUMNS_MAX, COLUMNS_MIN, sums_of
from ai_exec.fast.scores import best
from ai_exec.ops.linear_models import ordered_product
from tests.support.ml_node import assert_same, program_of

HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-45, -1e-38, 1e-9, 3.0, 0.7)


def numbers(seed: int, shape: tuple[int, ...], hostile: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = random.normal(size=shape).astype(np.float32)
    if found.size:
        places = random.integers(0, found.size, hostile)
        found.reshape(-1)[places] = random.choice(np.array(HOSTILE, np.float32), hostile)
    return found


def listed(values: np.ndarray) -> tuple[float, ...]:
    return tuple(values.reshape(-1).tolist())


ROWS = st.sampled_from([0, 1, 15, 16, 17, 33])
SEEDS = st.integers(0, 1 << 16)
HOW_MANY = st.sampled_from([0, 0, 1, 3])
TRANSFORMS = st.sampled_from(["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 20), st.sampled_from([1, 2, 5]), TRANSFORMS, SEEDS, HOW_MANY, st.data())
def test_linear_models(
    rows: int, features: int, results: int, transform: str, seed: int, hostile: int, data: Any
) -> None:
    x = numbers(seed, (rows, features), hostile)
    given_ = {
        "coefficients": listed(numbers(seed + 1, (results, features), hostile)),
        "intercepts": listed(numbers(seed + 2, (results,), 0)) if seed % 2 else None,
        "post_transform": transform,
    }
    assert_same(program_of("LinearRegressor", 1, {**given_, "targets": results}, x), x)
    labels = tuple(range(9, 9 - max(2, results), -1))
    given_["classlabels_ints"] = labels
    assert_same(program_of("LinearClassifier", 1, given_, x), x)


@settings(max_examples=50, deadline=None)
@given(
    ROWS,
    st.integers(1, 6),
    st.sampled_from([(3, 2), (1, 0, 4), (9, 8, 7, 3)]),
    st.sampled_from(["RBF", "POLY", "SIGMOID", "LINEAR"]),
    TRANSFORMS,
    SEEDS,
    HOW_MANY,
    st.booleans(),
)
def test_support_vector_machines(
    rows: int,
    features: int,
    counts: tuple[int, ...],
    kernel: str,
    transform: str,
    seed: int,
    hostile: int,
    likely: bool,
) -> None:
    x, count = numbers(seed, (rows, features), hostile), sum(counts)
    labels, pairs = len(counts), len(counts) * (len(counts) - 1) // 2
    given_ = {
        "kernel_type": kernel,
        "kernel_params": (0.25, 0.5, 3.0),
        "support_vectors": listed(numbers(seed + 1, (count, features), hostile)),
    }
    machine = {
        "coefficients": listed(numbers(seed + 2, (count,), hostile)),
        "n_supports": count,
        "rho": (0.125,),
        "one_class": seed % 2,
    }
    assert_same(program_of("SVMRegressor", 1, {**given_, **machine}, x), x)
    machine = {
        "classlabels_ints": tuple(range(labels)),
        "coefficients": listed(numbers(seed + 2, (labels - 1, count), hostile)),
        "vectors_per_class": counts,
        "rho": listed(numbers(seed + 3, (pairs,), 0)),
        "post_transform": transform,
    }
    if likely:
        machine["prob_a"] = listed(numbers(seed + 4, (pairs,), 0))
        machine["prob_b"] = listed(numbers(seed + 5, (pairs,), 0))
    assert_same(program_of("SVMClassifier", 1, {**given_, **machine}, x), x)


@pytest.mark.parametrize("columns", [1, COLUMNS_MIN - 1, COLUMNS_MIN, COLUMNS_MAX + 3])
@pytest.mark.parametrize("rows", [1, 16, 21])
def test_sums_in_order(rows: int, columns: int) -> None:
    x, weights = numbers(1, (rows, 37), 4), numbers(2, (37, columns), 4)
    with np.errstate(all="ignore"):
        expected = ordered_product(x, weights)
    found = sums_of(x, weights.astype(np.float64))
    assert np.array_equal(found, expected, equal_nan=True)


def test_the_best_label_is_the_first_of_equals_and_of_nans() -> None:
    scores = np.array([[1, 1, 0], [0, np.nan, np.nan], [-np.inf] * 3, [-3, -2, -1]], np.float32)
    seen = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0], [0, 1, 0]], bool)
    labels = np.array([10, 11, 12])
    assert best(scores, labels).tolist() == [10, 11, 10, 12]
    assert best(scores, labels, seen, tracks=True).tolist() == [11, 12, 10, 11]
