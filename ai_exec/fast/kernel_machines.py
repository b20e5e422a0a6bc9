"""Support vector machines: kernel values, votes and probabilities of pairs of classes in passes."""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.ordered import rounded, sums_of
from ai_exec.fast.passes import apply
from ai_exec.fast.powers import power
from ai_exec.fast.scores import NEGATIVE, best, both, transformed
from ai_exec.ops.kernel_machines import COUPLING_ROUNDS, pair_coefficients
from ai_exec.registry import Attributes
from ai_exec.tensor import Tensor

NEVER: Final = np.float32(1e-7)
"""Least probability of one class of a pair."""
NO_NUMBER: Final = np.zeros(1)


@compiled
def count_votes(decisions: Any, counts: Any) -> None:
    """Count how many pairs each class wins: the first of a pair above 0, else the second."""
    classes = counts.shape[1]
    for row in range(decisions.shape[0]):
        place = 0
        for i in range(classes):
            for j in range(i + 1, classes):
                counts[row, i if decisions[row, place] > 0 else j] += 1
                place += 1


@compiled
def share_pairs(likely: Any, shares: Any) -> None:
    """Probabilities of pairs [pair] as a square [class, class]; j against i has the rest."""
    classes, place = shares.shape[0], 0
    most = np.float32(1) - NEVER
    for i in range(classes):
        for j in range(i + 1, classes):
            value = likely[place]
            value = NEVER if value < NEVER else value
            value = most if value > most else value
            shares[i, j] = value
            shares[j, i] = np.float32(1) - value
            place += 1


@compiled
def square_of(shares: Any, matrix: Any) -> None:
    """The matrix whose quadratic form the probabilities make least."""
    classes = shares.shape[0]
    for i in range(classes):
        total = 0.0
        for j in range(classes):
            matrix[i, j] = -shares[j, i] * shares[i, j]
            total = total + shares[j, i] * shares[j, i]
        matrix[i, i] = total


@compiled
def couple(matrix: Any, likely: Any, products: Any) -> None:
    """As `ops.kernel_machines.coupled`, of one row."""
    classes = likely.shape[0]
    likely[:] = 1.0 / classes
    for _ in range(COUPLING_ROUNDS):
        whole = 0.0
        for i in range(classes):
            total = 0.0
            for j in range(classes):
                total = total + matrix[i, j] * likely[j]
            products[i] = total
        for i in range(classes):
            whole = whole + likely[i] * products[i]
        far = False
        for i in range(classes):
            far = far or abs(products[i] - whole) >= 0.005 / classes
        if not far:
            return
        for i in range(classes):
            own = matrix[i, i]
            step = (whole - products[i]) / own
            likely[i] += step
            more = 1.0 + step
            whole = (whole + step * (step * own + 2.0 * products[i])) / more / more
            for j in range(classes):
                products[j] = (products[j] + step * matrix[i, j]) / more
                likely[j] = likely[j] / more


@compiled
def couple_rows(likely: Any, out: Any) -> None:
    """Probabilities of classes [M, class], rounded, from those of pairs [M, pair]."""
    classes = out.shape[1]
    shares, matrix = np.zeros((classes, classes)), np.empty((classes, classes))
    found, products = np.empty(classes), np.empty(classes)
    for row in range(out.shape[0]):
        share_pairs(likely[row], shares)
        square_of(shares, matrix)
        couple(matrix, found, products)
        for column in range(classes):
            out[row, column] = np.float32(found[column])


class Kernel:
    """Kernel values of rows with support vectors, as `ops.kernel_machines.kernel_values`."""

    def __init__(self, given: Attributes, count: int) -> None:
        parameters: Any = given["kernel_params"] or (0.0, 0.0, 0.0)
        gamma, coef0, degree = parameters
        vectors: Any = given["support_vectors"]
        table = np.array(vectors, np.float32).reshape(count, -1)
        self._columns = np.ascontiguousarray(table.T.astype(np.float64))
        self._kind, self._gamma = given["kernel_type"], float(gamma)
        self._added, self._degree = np.array([coef0], np.float64), np.array(degree, np.float32)

    def values(self, rows: Tensor) -> Tensor:
        """Give the kernel of each row with each vector."""
        if self._kind == "RBF":
            sums = sums_of(rows, self._columns, distances=True)
            return apply("exp", rounded(sums, NO_NUMBER, -self._gamma))
        sums = sums_of(rows, self._columns)
        if self._kind == "LINEAR":
            return rounded(sums, NO_NUMBER)
        inner = rounded(sums, self._added, self._gamma)
        return power(inner, self._degree) if self._kind == "POLY" else apply("tanh", inner)


class Regressor:
    """`SVMRegressor` with its weights prepared."""

    def __init__(self, given: Attributes) -> None:
        count: Any = given["n_supports"]
        self._kernel = Kernel(given, count) if count else None
        self._weights = np.array(given["coefficients"], np.float32).astype(np.float64)[
            :, np.newaxis
        ]
        self._rho = np.array(given["rho"], np.float64)
        self._one_class = bool(given["one_class"])

    def __call__(self, rows: Tensor) -> Tensor:
        """Give the value of each row of binary32 numbers."""
        values = rows if self._kernel is None else self._kernel.values(rows)
        result = rounded(sums_of(values, self._weights), self._rho)
        if self._one_class:
            return np.where(result > 0, np.float32(1.0), np.float32(-1.0))
        return result


class Classifier:
    """`SVMClassifier` with support vectors, its weights prepared."""

    def __init__(self, given: Attributes) -> None:
        counts: Any = given["vectors_per_class"]
        self._labels = np.array(given["classlabels_ints"], np.int64)
        self._kernel = Kernel(given, sum(counts))
        weights = np.array(given["coefficients"], np.float32).reshape(-1, sum(counts))
        self._weights = pair_coefficients(weights, counts).astype(np.float64)
        self._rho = np.array(given["rho"], np.float64)
        a, b = given["prob_a"], given["prob_b"]
        self._sigmoids = (np.array(a, np.float64), np.array(b, np.float64)) if a else None
        self._transform: Any = given["post_transform"]

    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Give the label of each row of binary32 numbers, and its scores."""
        decisions = sums_of(self._kernel.values(rows), self._weights) + self._rho
        counts = np.zeros((rows.shape[0], self._labels.size), np.int64)
        count_votes(decisions, counts)
        chosen = best(counts, self._labels)
        scores = decisions.astype(np.float32)
        if self._sigmoids is not None:
            a, b = self._sigmoids
            inner = -(scores.astype(np.float64) * a + b).astype(np.float32)
            out = np.empty(counts.shape, np.float32)
            couple_rows(apply("sigmoid", inner), out)
            return chosen, transformed(out, self._transform)
        if self._labels.size == 2:
            score, transform = scores[:, 0], self._transform
            _, sides = both(score, self._labels, transform, border=0.0, first=NEGATIVE)
            return chosen, sides
        return chosen, transformed(scores, self._transform)
