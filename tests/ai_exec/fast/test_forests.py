"""Forests in passes against the reference: trees of all kinds of comparisons, hostile values."""

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.fast.forest_pass import folded
from ai_exec.fast.forests import before, not_above, prepared_forest
from ai_exec.ops.forests import MODES, forest
from ai_exec.tensor import Tensor
from tests.support.ml_node import assert_same, program_of

HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-45, -1e-45, 0.1, 1.0, 2.0, -1.0)
NUMBERS = st.sampled_from(HOSTILE)
FEATURES, TARGETS = 3, 3


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """Trees of version 5, grown at random: chains, bushes, shared leaves, sets of members."""
    roots, features, splits, modes, ends = [], [], [], [], []
    for _ in range(draw(st.integers(1, 10))):
        roots.append(len(modes))
        open_ends: list[tuple[int, int]] = []
        for size in range(draw(st.integers(1, 6))):
            if size:
                node, side = open_ends.pop(draw(st.integers(0, len(open_ends) - 1)))
                ends[node][side] = (len(modes), 0)
            open_ends += [(len(modes), 0), (len(modes), 1)]
            ends.append([(0, 1), (0, 1)])
            features.append(draw(st.integers(0, FEATURES - 1)))
            splits.append(draw(NUMBERS))
            modes.append(draw(st.integers(0, 6)))
        for node, side in open_ends:
            ends[node][side] = (draw(st.integers(0, 5)), 1)
    members: list[float] = []
    for _ in range(draw(st.integers(0, modes.count(6)))):
        members += [*draw(st.lists(NUMBERS.filter(lambda value: value == value))), np.nan]
    ids = {
        f"nodes_{name}{what}": tuple(pair[side][place] for pair in ends)
        for side, name in enumerate(("false", "true"))
        for place, what in enumerate(("nodeids", "leafs"))
    }
    return {
        **ids,
        "tree_roots": tuple(roots),
        "nodes_featureids": tuple(features),
        "nodes_splits": np.array(splits),
        "nodes_modes": np.array(modes, np.uint8),
        "nodes_missing_value_tracks_true": tuple(
            draw(st.lists(st.integers(0, 1), min_size=len(modes), max_size=len(modes)))
        ),
        "leaf_targetids": tuple(
            draw(st.lists(st.integers(0, TARGETS - 1), min_size=6, max_size=6))
        ),
        "leaf_weights": np.array(draw(st.lists(NUMBERS, min_size=6, max_size=6))),
        "membership_values": np.array(members) if members else None,
        "n_targets": TARGETS,
        "aggregate_function": draw(st.integers(0, 3)),
        "post_transform": 0,
    }


def rows_of(draw: Any, dtype: str) -> Tensor:
    """Give rows of hostile features; their number is less or more than a lane."""
    count = draw.draw(st.sampled_from([0, 1, 2, 7, 8, 9, 19]))
    random = np.random.default_rng(draw.draw(st.integers(0, 1000)))
    return random.choice(np.array(HOSTILE), (count, FEATURES)).astype(dtype)


@settings(max_examples=80, deadline=None)
@given(trees(), st.sampled_from(["float32", "float64"]), st.booleans(), st.data())
def test_ensembles(given_: dict[str, Any], dtype: str, narrow: bool, data: Any) -> None:
    x = rows_of(data, dtype)
    if narrow:
        for name in ("nodes_splits", "leaf_weights"):
            given_[name] = given_[name].astype(np.float32)
    assert_same(program_of("TreeEnsemble", 5, given_, x), x)


def by_ids(given_: dict[str, Any], votes: str) -> dict[str, Any]:
    """The same trees as version 3 writes them, leaves with up to two votes."""
    found: dict[str, list[Any]] = {}

    def put(**values: Any) -> None:
        for name, value in values.items():
            found.setdefault(name, []).append(value)

    roots = (*given_["tree_roots"], len(given_["nodes_modes"]))
    for tree, (start, end) in enumerate(pairwise(roots)):
        for node in range(start, end):
            ends = {}
            for side in ("false", "true"):
                to, leaf = given_[f"nodes_{side}nodeids"][node], given_[f"nodes_{side}leafs"][node]
                ends[side] = 1000 + to if leaf else to
            put(
                nodes_treeids=tree,
                nodes_nodeids=node,
                nodes_featureids=given_["nodes_featureids"][node],
                nodes_modes=MODES[min(5, given_["nodes_modes"][node])],
                nodes_values=float(np.float32(given_["nodes_splits"][node])),
                nodes_missing_value_tracks_true=given_["nodes_missing_value_tracks_true"][node],
                nodes_truenodeids=ends["true"],
                nodes_falsenodeids=ends["false"],
            )
        for leaf, weight in enumerate(given_["leaf_weights"]):
            put(
                nodes_treeids=tree,
                nodes_nodeids=1000 + leaf,
                nodes_featureids=99,
                nodes_modes="LEAF",
                nodes_values=0.0,
                nodes_missing_value_tracks_true=0,
                nodes_truenodeids=0,
                nodes_falsenodeids=0,
            )
            for target in {given_["leaf_targetids"][leaf], leaf % 2} if leaf else ():
                put(**{f"{votes}_treeids": tree, f"{votes}_nodeids": 1000 + leaf})
                put(**{f"{votes}_ids": target, f"{votes}_weights": float(np.float32(weight))})
    return {name: tuple(values) for name, values in found.items()}


@settings(max_examples=50, deadline=None)
@given(
    trees(),
    st.sampled_from(["float32", "float64", "int64"]),
    st.sampled_from(["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]),
    st.booleans(),
    st.data(),
)
def test_classifiers(
    given_: dict[str, Any], dtype: str, transform: str, based: bool, data: Any
) -> None:
    given_["leaf_weights"] = np.abs(given_["leaf_weights"]) if based else given_["leaf_weights"]
    x = rows_of(data, "float32")
    x = np.rint(np.clip(np.nan_to_num(x), -9, 9)).astype(dtype) if dtype == "int64" else x
    lists = by_ids(given_, "class")
    more: dict[str, Any] = {"post_transform": transform, "classlabels_int64s": (7, 3, 5)}
    if based:
        more["base_values"] = (0.5, -0.25, 0.0)
    assert_same(program_of("TreeEnsembleClassifier", 3, {**lists, **more}, x), x)


@settings(max_examples=40, deadline=None)
@given(
    trees(),
    st.integers(0, 1),
    st.sampled_from(["NONE", "LOGISTIC", "SOFTMAX"]),
    st.booleans(),
    st.data(),
)
def test_weights_for_one_of_two_labels(
    given_: dict[str, Any], target: int, transform: str, positive: bool, data: Any
) -> None:
    x = rows_of(data, "float32")
    lists = by_ids(given_, "class")
    lists["class_ids"] = (target,) * len(lists["class_ids"])
    if positive:
        lists["class_weights"] = tuple(abs(weight) for weight in lists["class_weights"])
    more = {"post_transform": transform, "classlabels_int64s": (7, 3)}
    assert_same(program_of("TreeEnsembleClassifier", 3, {**lists, **more}, x), x)


@settings(max_examples=40, deadline=None)
@given(trees(), st.sampled_from(["AVERAGE", "SUM", "MIN", "MAX"]), st.booleans(), st.data())
def test_regressors(given_: dict[str, Any], aggregate: str, based: bool, data: Any) -> None:
    x = rows_of(data, "float32")
    more: dict[str, Any] = {"aggregate_function": aggregate, "n_targets": TARGETS}
    if based:
        more["base_values"] = (0.5, -0.25, 0.0)
    program = program_of("TreeEnsembleRegressor", 3, {**by_ids(given_, "target"), **more}, x)
    assert_same(program, x)


def test_many_rows_and_trees_go_in_blocks() -> None:
    random = np.random.default_rng(5)
    size, count = 15, 11
    roots = np.arange(count) * size
    branches = np.stack([2 * np.arange(size) + 1, 2 * np.arange(size) + 2], axis=1)
    inner = np.arange(size) < size // 2
    places = np.where(inner[:, np.newaxis], branches, 0)
    votes = np.arange(count * size)
    made = forest(
        roots=roots,
        modes=np.tile(np.where(inner, 0, MODES.index("LEAF")), count),
        features=random.integers(0, 9000, count * size),
        splits=random.normal(size=count * size),
        branches=np.concatenate([places + root for root in roots]),
        missing=np.zeros(count * size, bool),
        votes=(votes, votes % 2, random.normal(size=count * size).astype(np.float32)),
        feature_count=9000,
        target_count=2,
    )
    x = random.normal(size=(45, 9000)).astype(np.float32)
    prepared = prepared_forest(made, np.float32, np.float32, 2, adds=True, tracks=False)
    total = np.zeros((45, 2), np.float32)
    for tree in range(count):
        for row, leaf in enumerate(made.leaves(tree, x.astype(np.float64))):
            total[row, made.targets[leaf]] += made.weights[leaf]

    assert folded(prepared, x, 2)[0].tobytes() == total.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thresholds_lose_nothing_in_the_type_of_the_features(dtype: Any) -> None:
    wide = np.array([0.1, 1.0, -0.1, 3.5e38, -3.5e38, np.inf, -np.inf, np.nan, 1e-60, -1e-60])
    with np.errstate(over="ignore"):
        x = np.concatenate([wide.astype(dtype), np.array([0, -0.0, 1e-45, -1e-45], dtype)])
        least = not_above(wide, dtype)
        lower = not_above(before(wide), dtype)
    for split, most, below in zip(wide, least, lower, strict=True):
        assert ((x.astype(np.float64) <= split) == (x <= most)).all()
        assert ((x.astype(np.float64) < split) == (x <= below)).all()
