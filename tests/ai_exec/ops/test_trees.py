"""Ensembles of trees beside onnxruntime, against a walk in plain Python, and hostile ones."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from tests.support.ml_node import ours, reasons, theirs

RANDOM = np.random.default_rng(17)
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
X = RANDOM.integers(-3, 4, (40, 3)).astype(np.float32)


def ensemble(
    trees: int, targets: int, prefix: str, *, modes: list[str] | None = None, depth: int = 3
) -> dict[str, Any]:
    """Make full random trees, two votes at each leaf."""
    given: dict[str, list[Any]] = {
        name: []
        for name in (
            *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes"),
            *("nodes_truenodeids", "nodes_falsenodeids", "nodes_missing_value_tracks_true"),
            *(f"{prefix}_{part}" for part in ("treeids", "nodeids", "ids", "weights")),
        )
    }
    for tree in range(trees):
        for node in range(2 ** (depth + 1) - 1):
            leaf = node >= 2**depth - 1
            given["nodes_treeids"].append(tree)
            given["nodes_nodeids"].append(node)
            given["nodes_featureids"].append(int(RANDOM.integers(3)))
            given["nodes_values"].append(float(RANDOM.integers(-2, 3)))
            given["nodes_modes"].append("LEAF" if leaf else str(RANDOM.choice(modes or MODES)))
            given["nodes_truenodeids"].append(0 if leaf else 2 * node + 1)
            given["nodes_falsenodeids"].append(0 if leaf else 2 * node + 2)
            given["nodes_missing_value_tracks_true"].append(int(RANDOM.integers(2)))
            for target in RANDOM.permutation(targets)[:2] if leaf else ():
                given[f"{prefix}_treeids"].append(tree)
                given[f"{prefix}_nodeids"].append(node)
                given[f"{prefix}_ids"].append(int(target))
                given[f"{prefix}_weights"].append(float(np.float32(RANDOM.normal())))
    return given


def walked(given: dict[str, Any], row: np.ndarray, targets: int, prefix: str) -> np.ndarray:
    """Add weights up in binary32, tree by tree."""
    total = np.zeros(targets, np.float32)
    pairs = zip(given["nodes_treeids"], given["nodes_nodeids"], strict=True)
    nodes = {pair: place for place, pair in enumerate(pairs)}
    compare = {
        "BRANCH_LEQ": np.less_equal,
        "BRANCH_LT": np.less,
        "BRANCH_GTE": np.greater_equal,
        "BRANCH_GT": np.greater,
        "BRANCH_EQ": np.equal,
        "BRANCH_NEQ": np.not_equal,
    }
    for tree in dict.fromkeys(given["nodes_treeids"]):
        at = nodes[tree, 0]
        while given["nodes_modes"][at] != "LEAF":
            value = row[given["nodes_featureids"][at]]
            holds = compare[given["nodes_modes"][at]](value, given["nodes_values"][at])
            if np.isnan(value):
                holds = given["nodes_missing_value_tracks_true"][at]
            side = "nodes_truenodeids" if holds else "nodes_falsenodeids"
            at = nodes[tree, given[side][at]]
        parts = ("treeids", "nodeids", "ids", "weights")
        for votes in zip(*(given[f"{prefix}_{part}"] for part in parts), strict=True):
            if votes[:2] == (tree, given["nodes_nodeids"][at]):
                total[votes[2]] += np.float32(votes[3])
    return total


def test_sums_are_those_of_a_plain_walk() -> None:
    given = ensemble(6, 3, "target")
    x = X.copy()
    x[::5, 1] = np.nan

    found = ours("TreeEnsembleRegressor", x, n_targets=3, **given)[0]
    assert found.tolist() == [walked(given, row, 3, "target").tolist() for row in x]


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.parametrize("targets", [1, 2])
def test_regressor_as_onnxruntime(aggregate: str, version: int, targets: int) -> None:
    given = ensemble(5, targets, "target", modes=["BRANCH_LEQ"])
    given |= {"aggregate_function": aggregate, "n_targets": targets}
    given["base_values"] = [0.25, -0.5][:targets]

    found = ours("TreeEnsembleRegressor", X, version=version, **given)
    expected = theirs("TreeEnsembleRegressor", X, version=version, **given)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("base", [None, [0.5, -0.25, 0.125]])
def test_classifier_as_onnxruntime(transform: str, base: list[float] | None) -> None:
    given = ensemble(7, 3, "class", modes=["BRANCH_LT"])
    given |= {"classlabels_int64s": [8, 3, 5], "post_transform": transform}
    given |= {"base_values": base} if base else {}

    labels, scores = ours("TreeEnsembleClassifier", X, 2, **given)
    expected_labels, expected = theirs("TreeEnsembleClassifier", X, 2, **given)
    assert np.array_equal(labels, expected_labels)
    np.testing.assert_allclose(scores, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("base", [None, [0.125]])
def test_weights_for_one_of_two_labels(
    positive: bool, transform: str, base: list[float] | None
) -> None:
    given = ensemble(3, 1, "class", modes=["BRANCH_GT"])
    given |= {"classlabels_int64s": [8, 3], "post_transform": transform}
    given |= {"base_values": base} if base else {}
    if positive:
        given["class_weights"] = [abs(weight) / 3 for weight in given["class_weights"]]

    labels, scores = ours("TreeEnsembleClassifier", X, 2, **given)
    expected_labels, expected = theirs("TreeEnsembleClassifier", X, 2, **given)
    assert np.array_equal(labels, expected_labels)
    assert len(set(labels.tolist())) == 2
    np.testing.assert_allclose(scores, expected, rtol=2e-6, atol=1e-6)


def test_weights_for_both_of_two_labels() -> None:
    given = ensemble(3, 2, "class")
    given |= {"classlabels_int64s": [8, 3]}

    labels, scores = ours("TreeEnsembleClassifier", X, 2, **given)
    assert scores.tolist() == [walked(given, row, 2, "class").tolist() for row in X]
    assert labels.tolist() == [8 if row[0] >= row[1] else 3 for row in scores]


def test_tensors_are_binary64() -> None:
    given = ensemble(1, 1, "target", modes=["BRANCH_LEQ"], depth=1)
    del given["nodes_values"], given["target_weights"]
    split, weights = np.array([0.1, 0, 0]), np.array([1 / 3, 2 / 3])
    given["nodes_values_as_tensor"] = numpy_helper.from_array(split)
    given["target_weights_as_tensor"] = numpy_helper.from_array(weights)
    x = np.full((2, 3), 0.1)
    x[1] = np.nextafter(0.1, 1)

    found = ours("TreeEnsembleRegressor", x, n_targets=1, **given)[0]
    assert found.tolist() == [[float(np.float32(1 / 3))], [float(np.float32(2 / 3))]]


def plain(values: Any, dtype: Any = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype))


def test_version_5_as_onnx_shows() -> None:
    given = {
        "n_targets": 2,
        "nodes_featureids": [0, 0, 0],
        "nodes_splits": plain([3.14, 1.2, 4.2]),
        "nodes_modes": plain([0, 0, 0], np.uint8),
        "nodes_truenodeids": [1, 0, 1],
        "nodes_falsenodeids": [2, 2, 3],
        "nodes_trueleafs": [0, 1, 1],
        "nodes_falseleafs": [0, 1, 1],
        "leaf_targetids": [0, 1, 0, 1],
        "leaf_weights": plain([5.23, 12.12, -12.23, 7.21]),
        "tree_roots": [0],
    }
    x = np.array([1.2, 3.4, -0.12, 1.66, 4.14, 1.77], np.float32).reshape(3, 2)
    expected = np.array([[5.23, 0], [5.23, 0], [0, 12.12]], np.float32)

    found = ours("TreeEnsemble", x, version=5, **given)[0]
    assert np.array_equal(found, expected)
    wide = {**given, "nodes_splits": plain([3.14, 1.2, 4.2], np.float64)}
    wide["leaf_weights"] = plain([5.23, 12.12, -12.23, 7.21], np.float64)
    found = ours("TreeEnsemble", x.astype(np.float64), version=5, **wide)[0]
    assert (found.dtype, found[2].tolist()) == (np.float64, [0, 12.12])


def test_members() -> None:
    given = {
        "n_targets": 4,
        "nodes_featureids": [0, 0, 0],
        "nodes_splits": plain([11, 232344.0, np.nan]),
        "nodes_modes": plain([0, 6, 6], np.uint8),
        "nodes_truenodeids": [1, 0, 1],
        "nodes_falsenodeids": [2, 2, 3],
        "nodes_trueleafs": [0, 1, 1],
        "nodes_falseleafs": [1, 0, 1],
        "leaf_targetids": [0, 1, 2, 3],
        "leaf_weights": plain([1, 10, 1000, 100]),
        "membership_values": plain([1.2, 3.7, 8, 9, np.nan, 12, 7, np.nan]),
        "tree_roots": [0],
    }
    x = np.array([[1.2], [3.7], [12], [7], [np.nan], [5]], np.float32)

    found = ours("TreeEnsemble", x, version=5, **given)[0]
    at = [int(np.argmax(row)) for row in found]
    assert at == [0, 0, 2, 1, 2, 3]


def changed(**more: Any) -> dict[str, Any]:
    return {**ensemble(1, 1, "target", depth=1), **more}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (changed(nodes_truenodeids=[0, 0, 0]), "a tree goes round in a circle"),
        (changed(nodes_truenodeids=[5, 0, 0]), "a node is -1, there are 3"),
        (changed(nodes_featureids=[3, 0, 0]), "a feature is 3, there are 3"),
        (changed(nodes_nodeids=[0, 1, 1]), "a node of a tree is there twice"),
        (changed(nodes_modes=["BRANCH_LEQ", "LEAF", "leaf"]), "nodes_modes has leaf"),
        (changed(nodes_values=[0.0]), "lists differ in length"),
        (changed(target_ids=[1, 0]), "a target is 1, there are 1"),
        (changed(target_nodeids=[1, 9]), "a node with a weight is -1"),
        (changed(base_values=[1.0, 2.0]), "2 base values for 1 targets"),
        (changed(n_targets=0x7FFFFFFF), "n_targets is 2147483647"),
        (changed(aggregate_function="MEAN"), "aggregate_function is MEAN"),
        (changed(post_transform="PROBIT"), "post_transform PROBIT is not one of"),
    ],
)
def test_refused(given: dict[str, Any], reason: str) -> None:
    assert reason in reasons("TreeEnsembleRegressor", X, **given)


def shared(true_of_last: int = 5) -> dict[str, Any]:
    """Make a tree as exporters write sets: whatever equals 1, 2 or 3 goes on at one node."""
    return {
        "nodes_treeids": [0] * 6,
        "nodes_nodeids": list(range(6)),
        "nodes_featureids": [0, 0, 0, 1, 0, 0],
        "nodes_values": [1.0, 2.0, 3.0, 0.0, 0.0, 0.0],
        "nodes_modes": ["BRANCH_EQ"] * 3 + ["BRANCH_LEQ"] + ["LEAF"] * 2,
        "nodes_truenodeids": [3, 3, 3, true_of_last, 0, 0],
        "nodes_falsenodeids": [1, 2, 4, 4, 0, 0],
        "nodes_missing_value_tracks_true": [0] * 6,
        "target_treeids": [0, 0],
        "target_nodeids": [4, 5],
        "target_ids": [0, 0],
        "target_weights": [0.5, 2.0],
    }


def test_ways_may_meet_in_a_node() -> None:
    found = ours("TreeEnsembleRegressor", X, n_targets=1, **shared())[0]
    assert found.tolist() == [walked(shared(), row, 1, "target").tolist() for row in X]
    assert set(found[:, 0].tolist()) == {0.5, 2.0}


def test_circles_are_refused_wherever_they_are() -> None:
    assert "a tree goes round in a circle" in reasons("TreeEnsembleRegressor", X, **shared(1))


def test_deep_trees_are_refused() -> None:
    inner = 1100
    given = changed(
        nodes_treeids=[0] * (2 * inner + 1),
        nodes_nodeids=list(range(2 * inner + 1)),
        nodes_featureids=[0] * (2 * inner + 1),
        nodes_values=[0.0] * (2 * inner + 1),
        nodes_modes=["BRANCH_LEQ"] * inner + ["LEAF"] * (inner + 1),
        nodes_truenodeids=[place + 1 for place in range(2 * inner + 1)],
        nodes_falsenodeids=[place + inner + 1 for place in range(2 * inner + 1)],
        nodes_missing_value_tracks_true=[0] * (2 * inner + 1),
        target_nodeids=[inner, inner + 1],
    )

    assert "a tree is deeper than 1024" in reasons("TreeEnsembleRegressor", X, **given)


def test_text_labels_are_refused_with_advice() -> None:
    given = {**ensemble(1, 2, "class"), "classlabels_strings": ["a", "b"]}

    assert "export the model with integer labels" in reasons(
        "TreeEnsembleClassifier", X, 2, **given
    )
