"""Kernels of classic models (ai.onnx.ml): attributes become arrays once, then passes run."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from ai_exec.fast import features
from ai_exec.fast.forest_pass import ADD, GREATEST, LEAST, folded
from ai_exec.fast.forests import PreparedForest, prepared_forest
from ai_exec.fast.kernel_machines import Classifier, Regressor
from ai_exec.fast.ordered import rounded, sums_of
from ai_exec.fast.scores import NEGATIVE, REST, ZERO, best, both, transformed
from ai_exec.fast.weights import Weights
from ai_exec.ops import trees
from ai_exec.ops.forests import Forest
from ai_exec.ops.scores import transformed as transformed_exactly
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

Kernel = Callable[..., Any]
FOLDS: Final = {"SUM": ADD, "AVERAGE": ADD, "MIN": LEAST, "MAX": GREATEST}


def find(node: Node, program: Program, weights: Weights) -> Kernel | None:
    """Give the kernel of a node, or None."""
    prepare = PREPARATIONS.get(node.operator.name)
    return None if prepare is None else prepare(node, program, weights)


def singles(x: Tensor) -> Tensor:
    """Give rows of binary32 numbers in one piece."""
    return features.rows_of(x if x.dtype == np.float32 else x.astype(np.float32))


def _prepared(
    node: Node,
    program: Program,
    weights: Weights,
    forest: Forest,
    targets: int,
    *,
    adds: bool = True,
    tracks: bool = False,
) -> PreparedForest:
    """Prepare a forest, once for all lengths that a program is specialised to."""
    wide = program.operands[node.inputs[0]].dtype == "float64"
    dtype = np.float64 if wide else np.float32
    total = np.float64 if wide or forest.weights.dtype == np.float64 else np.float32
    return weights.made(
        forest,
        (dtype, adds, tracks),
        lambda: prepared_forest(forest, dtype, total, targets, adds=adds, tracks=tracks),
    )


def _tree_regressor(node: Node, program: Program, weights: Weights) -> Kernel:
    given: Any = node.attributes
    width = program.operands[node.inputs[0]].shape[-1]
    forest, base, targets = trees.regressor_forest(given, width)
    aggregate, transform = given["aggregate_function"], given["post_transform"]
    fold = FOLDS[aggregate]
    made = _prepared(node, program, weights, forest, targets, adds=fold == ADD)
    added = base.astype(made.weights.dtype) if base.size else None
    shared = made.weights.dtype.type(forest.trees) if aggregate == "AVERAGE" else None

    def kernel(x: Tensor) -> Tensor:
        total, _ = folded(made, features.rows_of(x), targets, fold)
        if shared is not None:
            total = total / shared
        if added is not None:
            total = total + added
        return transformed(total.astype(np.float32, copy=False), transform)

    return kernel


def _tree_ensemble(node: Node, program: Program, weights: Weights) -> Kernel:
    width = program.operands[node.inputs[0]].shape[-1]
    forest, targets, aggregate, transform = trees.ensemble_forest(node.attributes, width)
    fold = FOLDS[aggregate]
    made = _prepared(node, program, weights, forest, targets, adds=fold == ADD)
    shared = made.weights.dtype.type(forest.trees) if aggregate == "AVERAGE" else None

    def kernel(x: Tensor) -> Tensor:
        total, _ = folded(made, features.rows_of(x), targets, fold)
        if shared is not None:
            total = total / shared
        result = total.astype(x.dtype, copy=False)
        give = transformed_exactly if x.dtype == np.float64 else transformed
        return give(result, transform)

    return kernel


def _tree_classifier(node: Node, program: Program, weights: Weights) -> Kernel:
    given: Any = node.attributes
    labels = np.array(given["classlabels_int64s"], np.int64)
    width = program.operands[node.inputs[0]].shape[-1]
    forest, base, one_sided = trees.classifier_forest(given, width, labels.size)
    tracks = not base.size and not one_sided
    made = _prepared(node, program, weights, forest, labels.size, tracks=tracks)
    added = base.astype(made.weights.dtype) if base.size else None
    transform = given["post_transform"]
    target = int(forest.targets[0]) if one_sided else 0
    shares = bool((forest.weights >= 0).all())
    first = ZERO if target else REST if shares and transform == "NONE" else NEGATIVE

    def kernel(x: Tensor) -> tuple[Tensor, Tensor]:
        total, seen = folded(made, features.rows_of(x), labels.size)
        if added is not None:
            total = total + added
        if one_sided:
            border = 0.5 if shares else 0.0
            return both(total[:, target], labels, transform, border=border, first=first)
        chosen = best(total, labels, seen, tracks=made.tracks)
        return chosen, transformed(total.astype(np.float32, copy=False), transform)

    return kernel


def _columns(given: Any, width: int) -> tuple[Tensor, Tensor]:
    """Give the coefficients of a linear model as columns, and what is added to each result."""
    table = np.array(given["coefficients"] or (), np.float32).reshape(-1, width)
    columns = np.ascontiguousarray(table.T.astype(np.float64))
    intercepts = given["intercepts"]
    return columns, np.array(intercepts) if intercepts else np.zeros(1)


def _linear_regressor(node: Node, program: Program, weights: Weights) -> Kernel:
    given: Any = node.attributes
    columns, added = _columns(given, program.operands[node.inputs[0]].shape[-1])
    transform = given["post_transform"]
    return lambda x: transformed(rounded(sums_of(singles(x), columns), added), transform)


def _linear_classifier(node: Node, program: Program, weights: Weights) -> Kernel:
    given: Any = node.attributes
    columns, added = _columns(given, program.operands[node.inputs[0]].shape[-1])
    labels = np.array(given["classlabels_ints"], np.int64)
    transform = given["post_transform"]
    first = REST if transform == "NONE" else NEGATIVE

    def kernel(x: Tensor) -> tuple[Tensor, Tensor]:
        raw = rounded(sums_of(singles(x), columns), added)
        if raw.shape[1] < labels.size:
            return both(raw[:, 0], labels, transform, border=0.0, first=first)
        return best(raw, labels), transformed(raw, transform)

    return kernel


def _machine_regressor(node: Node, program: Program, weights: Weights) -> Kernel:
    machine = Regressor(node.attributes)
    return lambda x: machine(singles(x))


def _machine_classifier(node: Node, program: Program, weights: Weights) -> Kernel:
    given: Any = node.attributes
    if sum(given["vectors_per_class"] or ()):
        machine = Classifier(given)
        return lambda x: machine(singles(x))
    labels = np.array(given["classlabels_ints"], np.int64)
    table = np.array(given["coefficients"], np.float32).reshape(labels.size, -1)
    columns = np.ascontiguousarray(table.T.astype(np.float64))
    rho, transform = np.array(given["rho"][:1]), given["post_transform"]

    def kernel(x: Tensor) -> tuple[Tensor, Tensor]:
        raw = rounded(sums_of(singles(x), columns), rho)
        return best(raw, labels), transformed(raw, transform)

    return kernel


Prepare = Callable[[Node, Program, Weights], Kernel | None]


def _plain(prepare: Callable[[Node, Program], Kernel | None]) -> Prepare:
    return lambda node, program, weights: prepare(node, program)


PREPARATIONS: Final[Mapping[str, Prepare]] = {
    "ArrayFeatureExtractor": _plain(features.extractor),
    "Binarizer": _plain(features.binarizer),
    "FeatureVectorizer": _plain(features.vectorizer),
    "Imputer": _plain(features.imputer),
    "LabelEncoder": _plain(features.label_encoder),
    "Normalizer": _plain(features.normalizer),
    "OneHotEncoder": _plain(features.one_hot_encoder),
    "Scaler": _plain(features.scaler),
    "ZipMap": _plain(features.zip_map),
    "LinearClassifier": _linear_classifier,
    "LinearRegressor": _linear_regressor,
    "SVMClassifier": _machine_classifier,
    "SVMRegressor": _machine_regressor,
    "TreeEnsemble": _tree_ensemble,
    "TreeEnsembleClassifier": _tree_classifier,
    "TreeEnsembleRegressor": _tree_regressor,
}
SEVERAL: Final = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")
"""Operators whose kernels give several outputs."""
FRESH: Final = (*SEVERAL, "LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor")
"""Operators whose results lie in memory of their own."""
