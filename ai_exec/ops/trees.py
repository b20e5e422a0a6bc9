"""Ensembles of decision trees of the ai.onnx.ml domain."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from ai_exec.metering import WIDE_PASS_PICOSECONDS, gas
from ai_exec.ops.forests import (
    Forest,
    forest_of_ids,
    forest_of_places,
    greatest_count,
    numbers,
)
from ai_exec.ops.linear_models import FEATURES, rows_of
from ai_exec.ops.rules import FLOATS
from ai_exec.ops.scores import (
    both_sides,
    labels_of,
    require_transform,
    scores_cost,
    transformed,
)
from ai_exec.registry import ML, Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import maximum, minimum
from ai_exec.tensor import Tensor

Floats = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]
Given = Mapping[str, Any]

_TENSORS: Final = (
    "base_values_as_tensor",
    "nodes_hitrates_as_tensor",
    "nodes_values_as_tensor",
)
"""What later versions may give as tensors instead of lists, beside the weights."""
"""Attributes of a node."""

AGGREGATES: Final = ("AVERAGE", "SUM", "MIN", "MAX")
TRANSFORMS: Final = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
"""Post transforms; places are the numbers that version 5 gives them, as in AGGREGATES."""

TREE_PICOSECONDS: Final = 120_000
"""One row and tree, whatever its depth."""
STEP_PICOSECONDS: Final = 18_000
"""One comparison of one row."""
VOTE_PICOSECONDS: Final = 5_000
"""Adding one weight of a leaf."""
NEAR_NODES_MAX: Final = 1 << 16
"""So many nodes stay near the core; in more each comparison waits for memory."""
FAR_PICOSECONDS: Final = 16_000
WIDE_FEATURES_MAX: Final = 256
"""So many features of a row stay near the core; in more each comparison waits for memory."""
WIDE_PICOSECONDS: Final = 30_000


def features_of(x: Tensor) -> Tensor:
    """Give rows of features in binary64; whole numbers are binary32 numbers first."""
    rows = np.atleast_2d(x)
    return (rows if rows.dtype == np.float64 else rows.astype(np.float32)).astype(np.float64)


def votes(forest: Forest, features: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give, tree by tree and vote by vote: the rows that have one, their targets and weights."""
    rows = np.arange(features.shape[0])
    for tree in range(forest.trees if rows.size else 0):
        leaves = forest.leaves(tree, features)
        start, count = forest.vote_starts[leaves], forest.votes_of(leaves)
        for place in range(int(count[np.argmax(count)])):
            chosen = count > place
            vote = (start + place)[chosen]
            yield rows[chosen], forest.targets[vote], forest.weights[vote]


def sums(forest: Forest, x: Tensor, targets: int) -> tuple[Tensor, Tensor]:
    """Add up the weights of each row's leaves: [row, target], and tell which targets have one.

    Starting from 0, weights are added in the order of trees and votes, and each sum is rounded: so
    labels that hang on the last bit are those of onnxruntime.  Sums are binary32, or binary64 if x
    or the weights are.
    """
    total, seen = _nothing(forest, x, targets)
    for rows, voted, weights in votes(forest, features_of(x)):
        total[rows, voted] += weights.astype(total.dtype)
        seen[rows, voted] = True
    return total, seen


def extremes(forest: Forest, x: Tensor, targets: int, *, least: bool) -> Tensor:
    """Give the least or the greatest weight of each row's leaves: [row, target], 0 without one."""
    total, seen = _nothing(forest, x, targets)
    for rows, voted, weights in votes(forest, features_of(x)):
        given, before = weights.astype(total.dtype), total[rows, voted]
        better = minimum(before, given) if least else maximum(before, given)
        total[rows, voted] = np.where(seen[rows, voted], better, given)
        seen[rows, voted] = True
    return total


def _nothing(forest: Forest, x: Tensor, targets: int) -> tuple[Tensor, Tensor]:
    wide = np.float64 in (x.dtype, forest.weights.dtype)
    shape = (np.atleast_2d(x).shape[0], targets)
    return np.zeros(shape, np.float64 if wide else np.float32), np.zeros(shape, bool)


def aggregated(forest: Forest, x: Tensor, targets: int, aggregate: str) -> Tensor:
    """Fold the weights of each row's leaves: [row, target]."""
    if aggregate in ("MIN", "MAX"):
        return extremes(forest, x, targets, least=aggregate == "MIN")
    total, _ = sums(forest, x, targets)
    return total / total.dtype.type(forest.trees) if aggregate == "AVERAGE" else total


def forest_cost(forest: Forest, rows: int, features: int) -> int:
    """Price a forest: every row may go the longest way, to the leaf with the most votes."""
    comparisons = max(1 + forest.asks_equal, 1 + greatest_count(forest.member_starts))
    step = STEP_PICOSECONDS
    step += FAR_PICOSECONDS * (len(forest.modes) > NEAR_NODES_MAX)
    step += WIDE_PICOSECONDS * (features > WIDE_FEATURES_MAX)
    votes = VOTE_PICOSECONDS * greatest_count(forest.vote_starts)
    steps = sum(forest.depths.tolist()) * comparisons
    return gas(rows * (steps * step + forest.trees * (TREE_PICOSECONDS + votes)))


def regressor_forest(given: Given, features: int) -> tuple[Forest, Tensor, int]:
    """Give the trees, the base values and the number of targets."""
    targets = given["n_targets"] or 1
    if not 1 <= targets <= 1 << 16:
        raise Mismatch(f"n_targets is {targets}")
    base = numbers(given, "base_values")
    if base.size not in (0, targets):
        raise Mismatch(f"{base.size} base values for {targets} targets")
    return forest_of_ids(given, "target", features, targets), base, targets


def _regressor(call: Call) -> tuple[Operand, ...]:
    require_transform(call.word("post_transform"))
    if call.word("aggregate_function") not in AGGREGATES:
        raise Mismatch(f"aggregate_function is {call.word('aggregate_function')}")
    rows, features = rows_of(call)
    _, _, targets = regressor_forest(call.attributes, features)
    return (Operand("float32", (rows, targets)),)


def _regressor_cost(call: Call) -> int:
    rows, features = rows_of(call)
    forest, _, targets = regressor_forest(call.attributes, features)
    scores = scores_cost(rows, targets, call.word("post_transform"))
    return forest_cost(forest, rows, features) + scores


def regressed(x: Tensor, given: Given) -> Tensor:
    """Give what the trees say of each row."""
    forest, base, targets = regressor_forest(given, x.shape[-1])
    total = aggregated(forest, x, targets, given["aggregate_function"])
    if base.size:
        total = total + base.astype(total.dtype)
    return transformed(total.astype(np.float32), given["post_transform"])


@operator(
    "TreeEnsembleRegressor",
    since=(3, 5),
    domain=ML,
    infer=_regressor,
    cost=_regressor_cost,
    values=FEATURES,
)
def tree_ensemble_regressor(
    x: Tensor,
    *,
    aggregate_function: str = "SUM",
    base_values: Floats | None = None,
    base_values_as_tensor: Tensor | None = None,
    n_targets: int | None = None,
    nodes_falsenodeids: Wholes | None = None,
    nodes_featureids: Wholes | None = None,
    nodes_hitrates: Floats | None = None,
    nodes_hitrates_as_tensor: Tensor | None = None,
    nodes_missing_value_tracks_true: Wholes | None = None,
    nodes_modes: Words | None = None,
    nodes_nodeids: Wholes | None = None,
    nodes_treeids: Wholes | None = None,
    nodes_truenodeids: Wholes | None = None,
    nodes_values: Floats | None = None,
    nodes_values_as_tensor: Tensor | None = None,
    post_transform: str = "NONE",
    target_ids: Wholes | None = None,
    target_nodeids: Wholes | None = None,
    target_treeids: Wholes | None = None,
    target_weights: Floats | None = None,
    target_weights_as_tensor: Tensor | None = None,
) -> Tensor:
    """Weights of the leaves, folded in tree order, plus base values, rounded, then transformed."""
    return regressed(x, locals())


earlier(
    "TreeEnsembleRegressor",
    since=1,
    of=3,
    domain=ML,
    lacks=(*_TENSORS, "target_weights_as_tensor"),
)


def classifier_forest(given: Given, features: int, labels: int) -> tuple[Forest, Tensor, bool]:
    """Give the trees, the base values, and whether all weights are for one of two labels."""
    forest = forest_of_ids(given, "class", features, labels)
    base = numbers(given, "base_values")
    one_sided = labels == 2 and base.size < 2 and np.unique(forest.targets).size == 1
    if base.size not in (0, 1 if one_sided else labels):
        raise Mismatch(f"{base.size} base values for {labels} labels")
    return forest, base, one_sided


def _classifier(call: Call) -> tuple[Operand, ...]:
    require_transform(call.word("post_transform"))
    labels = labels_of(call, "classlabels_int64s")
    rows, features = rows_of(call)
    classifier_forest(call.attributes, features, len(labels))
    return (Operand("int64", (rows,)), Operand("float32", (rows, len(labels))))


def _classifier_cost(call: Call) -> int:
    (rows, features), labels = rows_of(call), call.outputs[1].shape[1]
    forest, _, _ = classifier_forest(call.attributes, features, labels)
    scores = scores_cost(rows, labels, call.word("post_transform"))
    return forest_cost(forest, rows, features) + scores


def classified(x: Tensor, given: Given) -> tuple[Tensor, Tensor]:
    """Give the label of each row and its scores."""
    labels = np.array(given["classlabels_int64s"], np.int64)
    forest, base, one_sided = classifier_forest(given, x.shape[-1], labels.size)
    total, seen = sums(forest, x, labels.size)
    if base.size:
        total = total + base.astype(total.dtype)
    if one_sided:
        return _one_sided(forest, total, labels, given["post_transform"])
    known = total if base.size else np.where(seen, total, -np.inf)
    scores = transformed(total.astype(np.float32), given["post_transform"])
    return labels[np.argmax(known, axis=1)], scores


def _one_sided(
    forest: Forest, total: Tensor, labels: Tensor, transform: str
) -> tuple[Tensor, Tensor]:
    target = int(forest.targets[0])
    shares = bool((forest.weights >= 0).all())
    score = total[:, target]
    chosen = labels[(score > (0.5 if shares else 0.0)).astype(np.int64)]
    rounded = score.astype(np.float32)
    if target == 0:
        return chosen, both_sides(rounded, transform, shares=shares)
    return chosen, transformed(np.stack([np.zeros_like(rounded), rounded], axis=1), transform)


@operator(
    "TreeEnsembleClassifier",
    since=(3, 5),
    domain=ML,
    infer=_classifier,
    cost=_classifier_cost,
    values=FEATURES,
)
def tree_ensemble_classifier(
    x: Tensor,
    *,
    base_values: Floats | None = None,
    base_values_as_tensor: Tensor | None = None,
    class_ids: Wholes | None = None,
    class_nodeids: Wholes | None = None,
    class_treeids: Wholes | None = None,
    class_weights: Floats | None = None,
    class_weights_as_tensor: Tensor | None = None,
    classlabels_int64s: Wholes | None = None,
    classlabels_strings: Words | None = None,
    nodes_falsenodeids: Wholes | None = None,
    nodes_featureids: Wholes | None = None,
    nodes_hitrates: Floats | None = None,
    nodes_hitrates_as_tensor: Tensor | None = None,
    nodes_missing_value_tracks_true: Wholes | None = None,
    nodes_modes: Words | None = None,
    nodes_nodeids: Wholes | None = None,
    nodes_treeids: Wholes | None = None,
    nodes_truenodeids: Wholes | None = None,
    nodes_values: Floats | None = None,
    nodes_values_as_tensor: Tensor | None = None,
    post_transform: str = "NONE",
) -> tuple[Tensor, Tensor]:
    """Label of the greatest sum of weights, among those with one, and all sums, transformed.

    Where all weights are for one of two labels, the second one is chosen where their sum is above
    1/2, or above 0 if a weight is negative; a sum for the first label is taken as the second's, and
    the first has 1 - sum, or -sum before a transform or if a weight is negative.
    """
    return classified(x, locals())


earlier(
    "TreeEnsembleClassifier",
    since=1,
    of=3,
    domain=ML,
    lacks=(*_TENSORS, "class_weights_as_tensor"),
)


def ensemble_forest(given: Given, features: int) -> tuple[Forest, int, str, str]:
    """Give the trees, the number of targets, how weights are folded, and the transform."""
    targets, aggregate = given["n_targets"] or 1, given["aggregate_function"]
    transform = given["post_transform"]
    if not 1 <= targets <= 1 << 16:
        raise Mismatch(f"n_targets is {targets}")
    if not (0 <= aggregate < len(AGGREGATES) and 0 <= transform < len(TRANSFORMS)):
        raise Mismatch(f"aggregate_function {aggregate} and post_transform {transform}")
    forest = forest_of_places(given, features, targets)
    return forest, targets, AGGREGATES[aggregate], TRANSFORMS[transform]


def _ensemble(call: Call) -> tuple[Operand, ...]:
    rows, features = rows_of(call)
    _, targets, _, transform = ensemble_forest(call.attributes, features)
    require_transform(transform)
    if call.at(0).dtype == "float64" and transform not in ("NONE", "LOGISTIC"):
        raise Mismatch(f"post_transform {transform} of float64")
    return (Operand(call.at(0).dtype, (rows, targets)),)


def _ensemble_cost(call: Call) -> int:
    rows, features = rows_of(call)
    forest, targets, _, transform = ensemble_forest(call.attributes, features)
    cost = forest_cost(forest, rows, features) + scores_cost(rows, targets, transform)
    if call.at(0).dtype == "float64" and transform != "NONE":
        cost += gas(rows * targets * WIDE_PASS_PICOSECONDS)
    return cost


@operator("TreeEnsemble", since=5, domain=ML, infer=_ensemble, cost=_ensemble_cost, values=FLOATS)
def tree_ensemble(
    x: Tensor,
    *,
    aggregate_function: int = 1,
    leaf_targetids: Wholes,
    leaf_weights: Tensor,
    membership_values: Tensor | None = None,
    n_targets: int | None = None,
    nodes_falseleafs: Wholes,
    nodes_falsenodeids: Wholes,
    nodes_featureids: Wholes,
    nodes_hitrates: Tensor | None = None,
    nodes_missing_value_tracks_true: Wholes | None = None,
    nodes_modes: Tensor,
    nodes_splits: Tensor,
    nodes_trueleafs: Wholes,
    nodes_truenodeids: Wholes,
    post_transform: int = 0,
    tree_roots: Wholes,
) -> Tensor:
    """Weights of the leaves, folded in tree order, rounded, then transformed."""
    forest, targets, aggregate, transform = ensemble_forest(locals(), x.shape[-1])
    total = aggregated(forest, x, targets, aggregate)
    return transformed(total.astype(x.dtype), transform)
