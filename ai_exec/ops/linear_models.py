"""Linear models of the ai.onnx.ml domain."""

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.rules import FLOATS, require_rank
from ai_exec.ops.scores import (
    both_sides,
    labels_of,
    require_transform,
    scores_cost,
    transformed,
)
from ai_exec.registry import ML, Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import Floats, round_to_float32
from ai_exec.tensor import Tensor

Numbers = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]
FEATURES = (*FLOATS, "int32", "int64")
ORDERED_PICOSECONDS = 700
"""One product and sum of an ordered product."""
TURNED_PICOSECONDS = 1_500
"""Reading one number of its rows."""


def rows_of(call: Call) -> tuple[int, int]:
    """Give the number of rows and of features of X; a single row may lack its axis."""
    data = call.at(0)
    require_rank(data, range(1, 3), "X")
    if not data.shape[-1]:
        raise Mismatch(f"no features in {data}")
    return (data.shape[0] if data.rank == 2 else 1), data.shape[-1]


def rows_in_float32(x: Tensor) -> Tensor:
    """Give X as rows of binary32 numbers."""
    return np.atleast_2d(x).astype(np.float32)


def ordered_product(left: Tensor, right: Tensor) -> Floats:
    """Product of matrices [M, K] and [K, N] of binary32 numbers in binary64.

    Products are exact; they are added to 0 in index order, each sum rounded.  Classic models are
    small, and features of very different size meet in them: R3 would be coarse for the small ones.
    """
    total = np.zeros((left.shape[0], right.shape[1]))
    for column, row in zip(left.T.astype(np.float64), right.astype(np.float64), strict=True):
        total += column[:, np.newaxis] * row
    return total


def ordered_cost(rows: int, length: int, results: int) -> int:
    """Price an ordered product in gas."""
    return gas(rows * length * (results * ORDERED_PICOSECONDS + TURNED_PICOSECONDS))


def _require_coefficients(call: Call, features: int, results: int) -> None:
    coefficients = call.attributes["coefficients"] or ()
    intercepts = call.attributes["intercepts"] or ()
    assert isinstance(coefficients, tuple)
    assert isinstance(intercepts, tuple)
    if results < 1 or len(coefficients) != results * features:
        raise Mismatch(f"{len(coefficients)} coefficients for {results} results of {call.at(0)}")
    if intercepts and len(intercepts) != results:
        raise Mismatch(f"{len(intercepts)} intercepts for {results} results")


def _linear_cost(call: Call) -> int:
    rows, results = call.outputs[-1].shape
    products = ordered_cost(rows, call.at(0).shape[-1], results)
    return products + scores_cost(rows, results, call.word("post_transform"))


def scores_of(x: Tensor, coefficients: Numbers, intercepts: Numbers) -> Tensor:
    """X times the transposed coefficients plus intercepts in binary64, rounded once."""
    rows = rows_in_float32(x)
    weights = np.array(coefficients, np.float32).reshape(-1, rows.shape[1])
    total = ordered_product(rows, weights.T)
    if intercepts:
        total = total + np.array(intercepts, np.float64)
    return round_to_float32(total)


def _linear_classifier(call: Call) -> tuple[Operand, ...]:
    require_transform(call.word("post_transform"))
    labels = labels_of(call, "classlabels_ints")
    rows, features = rows_of(call)
    given = call.attributes["coefficients"]
    assert isinstance(given, tuple)
    one_sided = len(labels) == 2 and len(given) == features
    _require_coefficients(call, features, 1 if one_sided else len(labels))
    return (Operand("int64", (rows,)), Operand("float32", (rows, len(labels))))


@operator(
    "LinearClassifier",
    since=1,
    domain=ML,
    infer=_linear_classifier,
    cost=_linear_cost,
    values=FEATURES,
)
def linear_classifier(
    x: Tensor,
    *,
    classlabels_ints: Wholes | None = None,
    classlabels_strings: Words | None = None,
    coefficients: Numbers,
    intercepts: Numbers | None = None,
    multi_class: int = 0,
    post_transform: str = "NONE",
) -> tuple[Tensor, Tensor]:
    """Label of the greatest score, the first of equals, and scores as `LinearRegressor` has them.

    With coefficients for the second of two labels alone, that is chosen where the score is above 0;
    the first score is 1 - score, or -score before a transform.
    """
    raw = scores_of(x, coefficients, intercepts or ())
    labels = np.array(classlabels_ints, np.int64)
    if raw.shape[1] < labels.size:
        score = raw[:, 0]
        chosen = labels[(score > 0).astype(np.int64)]
        return chosen, both_sides(score, post_transform, shares=True)
    return labels[np.argmax(raw, axis=1)], transformed(raw, post_transform)


def _linear_regressor(call: Call) -> tuple[Operand, ...]:
    require_transform(call.word("post_transform"))
    rows, features = rows_of(call)
    targets = call.whole("targets")
    _require_coefficients(call, features, targets)
    return (Operand("float32", (rows, targets)),)


@operator(
    "LinearRegressor",
    since=1,
    domain=ML,
    infer=_linear_regressor,
    cost=_linear_cost,
    values=FEATURES,
)
def linear_regressor(
    x: Tensor,
    *,
    coefficients: Numbers | None = None,
    intercepts: Numbers | None = None,
    post_transform: str = "NONE",
    targets: int = 1,
) -> Tensor:
    """Products in binary64, added in index order, plus intercepts, rounded, then transformed."""
    return transformed(scores_of(x, coefficients or (), intercepts or ()), post_transform)
