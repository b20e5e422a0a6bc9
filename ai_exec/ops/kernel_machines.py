"""Support vector machines of the ai.onnx.ml domain."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.linear_models import (
    FEATURES,
    ordered_cost,
    ordered_product,
    rows_in_float32,
    rows_of,
)
from ai_exec.ops.scores import (
    both_sides,
    labels_of,
    require_transform,
    scores_cost,
    transformed,
)
from ai_exec.registry import ML, Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import Floats, round_to_float32
from ai_exec.semantics.powers import power
from ai_exec.tensor import Tensor

Numbers = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]
Given = Mapping[str, Any]

KERNELS: Final = ("LINEAR", "POLY", "RBF", "SIGMOID")
PAIR_COEFFICIENTS_MAX: Final = 1 << 24
"""Coefficients of all pairs of classes, one for each support vector."""
COUPLED_CLASSES_MAX: Final = 64
"""Classes whose probabilities are told from those of pairs."""
COUPLING_ROUNDS: Final = 100
COUPLING_PICOSECONDS: Final = 14_000
"""One element in one round of coupling."""
KERNEL_PICOSECONDS: Final = {"LINEAR": 9_000, "POLY": 25_000, "RBF": 10_000, "SIGMOID": 15_000}
"""One kernel value beside its sum."""


def kernel_values(x: Tensor, vectors: Tensor, given: Given) -> Tensor:
    """Kernel of each row with each support vector, rounded: [row, vector].

    LINEAR is x v (`ordered_product`).  POLY is (gamma x v + coef0)^degree, SIGMOID is
    tanh(gamma x v + coef0): the product times gamma plus coef0 in binary64, rounded, then the
    correctly rounded function.  RBF is e^(-gamma d): d is the sum of the squares of differences in
    binary64, from the first feature on, times -gamma, rounded, then the correctly rounded function.
    """
    gamma, coef0, degree = given["kernel_params"] or (0.0, 0.0, 0.0)
    kind = given["kernel_type"]
    if kind == "RBF":
        return functions.exp(round_to_float32(-gamma * _distances(x, vectors)))
    products = ordered_product(x, vectors.T)
    if kind == "LINEAR":
        return round_to_float32(products)
    inner = round_to_float32(products * gamma + coef0)
    return power(inner, np.array(degree, np.float32)) if kind == "POLY" else functions.tanh(inner)


def _distances(x: Tensor, vectors: Tensor) -> Floats:
    """Squared distance of each row from each support vector."""
    total = np.zeros((x.shape[0], vectors.shape[0]))
    pairs = zip(x.T.astype(np.float64), vectors.T.astype(np.float64), strict=True)
    for column, row in pairs:
        difference = column[:, np.newaxis] - row
        total += difference * difference
    return total


def _kernel_cost(call: Call, vectors: int) -> int:
    rows, features = rows_of(call)
    values = gas(rows * vectors * KERNEL_PICOSECONDS[call.word("kernel_type")])
    return ordered_cost(rows, features, vectors) + values


def _kernel_scratch(call: Call, vectors: int) -> int:
    """Kernel values in their steps, beside copies of both operands."""
    rows, features = rows_of(call)
    return 64 * rows * vectors + 24 * (rows + vectors) * features


def _require_kernel(call: Call) -> None:
    require_transform(call.word("post_transform"))
    if call.word("kernel_type") not in KERNELS:
        raise Mismatch(f"kernel_type {call.word('kernel_type')} is not one of {', '.join(KERNELS)}")
    if len(_numbers(call, "kernel_params")) not in (0, 3):
        raise Mismatch(f"{len(_numbers(call, 'kernel_params'))} kernel_params, not 3")


def _numbers(call: Call, name: str) -> Numbers:
    return call.attributes[name] or ()  # type: ignore[return-value]


def _require_count(call: Call, name: str, count: int) -> None:
    if len(_numbers(call, name)) != count:
        raise Mismatch(f"{len(_numbers(call, name))} values of {name}, not {count}")


def _regressor(call: Call) -> tuple[Operand, ...]:
    _require_kernel(call)
    if call.word("post_transform") != "NONE":
        raise Mismatch(f"post_transform {call.word('post_transform')} is not supported")
    rows, features = rows_of(call)
    vectors = call.whole("n_supports")
    if vectors < 0:
        raise Mismatch(f"n_supports is {vectors}")
    _require_count(call, "support_vectors", vectors * features)
    _require_count(call, "coefficients", vectors or features)
    _require_count(call, "rho", 1)
    return (Operand("float32", (rows, 1)),)


def _regressor_cost(call: Call) -> int:
    rows, features = rows_of(call)
    vectors = call.whole("n_supports")
    length = vectors or features
    return _kernel_cost(call, vectors) + ordered_cost(rows, length, 1)


@operator(
    "SVMRegressor",
    since=1,
    domain=ML,
    infer=_regressor,
    cost=_regressor_cost,
    scratch=lambda call: _kernel_scratch(call, call.whole("n_supports")),
    values=FEATURES,
)
def svm_regressor(
    x: Tensor,
    *,
    coefficients: Numbers | None = None,
    kernel_params: Numbers | None = None,
    kernel_type: str = "LINEAR",
    n_supports: int = 0,
    one_class: int = 0,
    post_transform: str = "NONE",
    rho: Numbers | None = None,
    support_vectors: Numbers | None = None,
) -> Tensor:
    """Kernel values (`kernel_values`) times the coefficients, as `LinearRegressor`, plus rho.

    Without support vectors the coefficients are those of x.  A machine of one class gives 1 above
    0, else -1.
    """
    values = rows_in_float32(x)
    if n_supports:
        vectors = np.array(support_vectors, np.float32).reshape(n_supports, -1)
        values = kernel_values(values, vectors, locals())
    weights = np.array(coefficients, np.float32).reshape(-1, 1)
    result = round_to_float32(ordered_product(values, weights) + np.array(rho, np.float64))
    if one_class:
        return np.where(result > 0, np.float32(1.0), np.float32(-1.0))
    return result


def _pairs(labels: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(labels) for j in range(i + 1, labels)]


def _classifier(call: Call) -> tuple[Operand, ...]:
    _require_kernel(call)
    labels = len(labels_of(call, "classlabels_ints"))
    rows, features = rows_of(call)
    counts = call.wholes("vectors_per_class") or ()
    vectors, pairs = sum(counts), labels * (labels - 1) // 2
    label = Operand("int64", (rows,))
    if not vectors:
        _require_count(call, "coefficients", labels * features)
        if not _numbers(call, "rho"):
            raise Mismatch("rho is missing")
        return (label, Operand("float32", (rows, labels)))
    if len(counts) != labels or any(count < 0 for count in counts):
        raise Mismatch(f"vectors_per_class is {list(counts)} for {labels} labels")
    if vectors * pairs > PAIR_COEFFICIENTS_MAX:
        raise Mismatch(f"{vectors} support vectors of {labels} labels are too many")
    _require_count(call, "support_vectors", vectors * features)
    _require_count(call, "coefficients", vectors * (labels - 1))
    _require_count(call, "rho", pairs)
    if not _numbers(call, "prob_a"):
        return (label, Operand("float32", (rows, 2 if labels == 2 else pairs)))
    _require_count(call, "prob_a", pairs)
    _require_count(call, "prob_b", pairs)
    if labels > COUPLED_CLASSES_MAX:
        raise Mismatch(f"probabilities of {labels} labels, at most {COUPLED_CLASSES_MAX}")
    return (label, Operand("float32", (rows, labels)))


def _classifier_cost(call: Call) -> int:
    rows, features = rows_of(call)
    labels = len(call.wholes("classlabels_ints") or ())
    vectors, pairs = sum(call.wholes("vectors_per_class") or ()), labels * (labels - 1) // 2
    if not vectors:
        products = ordered_cost(rows, features, labels)
        return products + scores_cost(rows, labels, call.word("post_transform"))
    cost = _kernel_cost(call, vectors)
    cost += ordered_cost(rows, vectors, pairs)
    if _numbers(call, "prob_a"):
        cost += gas(COUPLING_ROUNDS * rows * labels * labels * COUPLING_PICOSECONDS)
    return cost + scores_cost(rows, pairs + labels, call.word("post_transform"))


def _classifier_scratch(call: Call) -> int:
    labels = len(call.wholes("classlabels_ints") or ())
    vectors, pairs = sum(call.wholes("vectors_per_class") or ()), labels * (labels - 1) // 2
    square = labels * labels if _numbers(call, "prob_a") else 0
    held = vectors * pairs + rows_of(call)[0] * (pairs + square + labels)
    return _kernel_scratch(call, vectors) + 48 * held


def pair_coefficients(coefficients: Tensor, counts: Wholes) -> Tensor:
    """Give the coefficient of each support vector for each pair of classes: [vector, pair].

    Row j - 1 of the attribute holds those of class i against j, row i those of class j against i;
    vectors of other classes have 0.
    """
    ends = np.cumsum(np.array(counts, np.int64))
    classes = [slice(int(end) - count, int(end)) for end, count in zip(ends, counts, strict=True)]
    columns = []
    for i, j in _pairs(len(counts)):
        column = np.zeros(coefficients.shape[1], np.float32)
        column[classes[i]] = coefficients[j - 1, classes[i]]
        column[classes[j]] = coefficients[i, classes[j]]
        columns.append(column)
    return np.stack(columns, axis=1)


def votes_of(decisions: Floats, labels: int) -> Tensor:
    """Count how many pairs each class wins: the first of a pair above 0, else the second."""
    votes = np.zeros((decisions.shape[0], labels), np.int64)
    for place, (i, j) in enumerate(_pairs(labels)):
        first = decisions[:, place] > 0
        votes[:, i] += first
        votes[:, j] += ~first
    return votes


def pair_shares(scores: Tensor, given: Given, labels: int) -> Floats:
    """Give the probability of class i against class j: [row, i, j].

    It is 1 / (1 + e^(a score + b)), product and sum in binary64, rounded, then `Sigmoid` of its
    negative, held between 1e-7 and 1 - 1e-7 as binary32 numbers; j against i has the rest.
    """
    a, b = (np.array(given[name], np.float64) for name in ("prob_a", "prob_b"))
    likely = functions.sigmoid(-round_to_float32(scores.astype(np.float64) * a + b))
    low = np.float32(1e-7)
    likely = np.clip(likely, low, np.float32(1.0) - low)
    shares = np.zeros((scores.shape[0], labels, labels))
    for place, (i, j) in enumerate(_pairs(labels)):
        shares[:, i, j] = likely[:, place]
        shares[:, j, i] = np.float32(1.0) - likely[:, place]
    return shares


def coupled(shares: Floats) -> Floats:
    """Give the probability of each class from those of pairs (Wu, Lin and Weng): [row, class].

    Binary64, sums from the first class on.  From equal probabilities p, at most 100 rounds, none
    more for a row once no (Q p) differs from p Q p by 0.005 / classes.
    """
    rows, classes, _ = shares.shape
    against = np.transpose(shares, (0, 2, 1))
    matrix = -against * shares
    for i in range(classes):
        matrix[:, i, i] = _summed(against[:, i, :] * against[:, i, :])
    likely = np.full((rows, classes), 1.0 / classes)
    active = np.ones(rows, bool)
    for _ in range(COUPLING_ROUNDS):
        products = np.stack([_summed(matrix[:, i, :] * likely) for i in range(classes)], axis=1)
        whole = _summed(likely * products)
        furthest = np.abs(products - whole[:, np.newaxis])
        active &= np.any(furthest >= 0.005 / classes, axis=1)
        if not active.any():
            break
        moved = _round_of(matrix, likely, products, whole)
        likely = np.where(active[:, np.newaxis], moved, likely)
    return likely


def _summed(terms: Floats) -> Floats:
    """Add the columns up, from the first one on."""
    total = np.zeros(terms.shape[0])
    for column in range(terms.shape[1]):
        total = total + terms[:, column]
    return total


def _round_of(matrix: Floats, likely: Floats, products: Floats, whole: Floats) -> Floats:
    """Move the probability of each class in turn."""
    likely, products = likely.copy(), products.copy()
    for i in range(likely.shape[1]):
        own = matrix[:, i, i]
        step = (whole - products[:, i]) / own
        likely[:, i] += step
        more = 1.0 + step
        whole = (whole + step * (step * own + 2.0 * products[:, i])) / more / more
        products = (products + step[:, np.newaxis] * matrix[:, i, :]) / more[:, np.newaxis]
        likely = likely / more[:, np.newaxis]
    return likely


@operator(
    "SVMClassifier",
    since=1,
    domain=ML,
    infer=_classifier,
    cost=_classifier_cost,
    scratch=_classifier_scratch,
    values=FEATURES,
)
def svm_classifier(
    x: Tensor,
    *,
    classlabels_ints: Wholes | None = None,
    classlabels_strings: Words | None = None,
    coefficients: Numbers | None = None,
    kernel_params: Numbers | None = None,
    kernel_type: str = "LINEAR",
    post_transform: str = "NONE",
    prob_a: Numbers | None = None,
    prob_b: Numbers | None = None,
    rho: Numbers | None = None,
    support_vectors: Numbers | None = None,
    vectors_per_class: Wholes | None = None,
) -> tuple[Tensor, Tensor]:
    """Label that wins the most pairs of classes, the first of equals, and scores, transformed.

    The score of a pair is kernel values (`kernel_values`) times `pair_coefficients`, as
    `LinearRegressor`, plus rho.  With prob_a and prob_b scores are probabilities (`pair_shares`,
    `coupled`); of two classes without, -score and score.  Without support vectors each class has
    one score, x times its coefficients plus the first rho, and the greatest wins.
    """
    labels = np.array(classlabels_ints, np.int64)
    rows, given = rows_in_float32(x), locals()
    if not sum(vectors_per_class or ()):
        weights = np.array(coefficients, np.float32).reshape(labels.size, -1)
        raw = round_to_float32(ordered_product(rows, weights.T) + np.float64((rho or (0.0,))[0]))
        return labels[np.argmax(raw, axis=1)], transformed(raw, post_transform)
    counts = vectors_per_class or ()
    vectors = np.array(support_vectors, np.float32).reshape(sum(counts), -1)
    weights = np.array(coefficients, np.float32).reshape(-1, sum(counts))
    values = kernel_values(rows, vectors, given)
    decisions = ordered_product(values, pair_coefficients(weights, counts))
    decisions = decisions + np.array(rho, np.float64)
    chosen = labels[np.argmax(votes_of(decisions, labels.size), axis=1)]
    scores = round_to_float32(decisions)
    if prob_a:
        likely = round_to_float32(coupled(pair_shares(scores, given, labels.size)))
        return chosen, transformed(likely, post_transform)
    if labels.size == 2:
        return chosen, both_sides(scores[:, 0], post_transform, shares=False)
    return chosen, transformed(scores, post_transform)
