"""What classic models make of their scores: transforms and labels."""

from typing import Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.normalisation import softmax
from ai_exec.registry import Call, Mismatch
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import exact_sum, greatest, round_to_float32
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]

TRANSFORMS: Final = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")
NEARLY_ZERO: Final = np.float32(1e-7)
"""Scores of no larger magnitude count as absent for SOFTMAX_ZERO."""

TRANSFORM_PICOSECONDS: Final = {
    "NONE": 12_000,
    "LOGISTIC": 22_000,
    "SOFTMAX": 45_000,
    "SOFTMAX_ZERO": 45_000,
}
"""What one score takes beside its sum."""
LABEL_PICOSECONDS: Final = 60_000
"""One row's label, or the start of its scores."""


def scores_cost(rows: int, scores: int, transform: str) -> int:
    """Price what becomes of sums: `scores` of each row."""
    return gas(rows * (LABEL_PICOSECONDS + scores * TRANSFORM_PICOSECONDS[transform]))


def require_transform(transform: str) -> None:
    """Raise Mismatch unless a transform is supported."""
    if transform not in TRANSFORMS:
        raise Mismatch(f"post_transform {transform} is not one of {', '.join(TRANSFORMS)}")


def labels_of(call: Call, name: str) -> Wholes:
    """Give the labels of a classifier, which must be whole numbers."""
    labels = call.wholes(name) or ()
    if call.attributes["classlabels_strings"]:
        raise Mismatch("labels are texts: export the model with integer labels")
    if len(labels) < 2:
        raise Mismatch(f"{len(labels)} labels in {name}, at least 2 are needed")
    return labels


def transformed(scores: Tensor, transform: str) -> Tensor:
    """Transform rows of binary32 scores by `Softmax`, `Sigmoid` or `softmax_zero`."""
    if transform == "SOFTMAX":
        return softmax(scores)
    if transform == "LOGISTIC":
        return functions.sigmoid(scores)
    return softmax_zero(scores) if transform == "SOFTMAX_ZERO" else scores


def softmax_zero(scores: Tensor) -> Tensor:
    """e^(x - max), or x e^-max for x near 0, divided by the sum of both in binary64, rounded once.

    Power and product are rounded, the sum is exact.  A row whose sum is 0 gives 1/2 throughout.
    """
    most = greatest(scores, (-1,))
    small = scores * functions.exp(-most)
    parts = np.where(np.abs(scores) > NEARLY_ZERO, functions.exp(scores - most), small)
    total = exact_sum(parts, (1,))
    shares = parts.astype(np.float64) / np.where(total == 0, 1.0, total)
    return round_to_float32(np.where(total == 0, 0.5, shares))


def both_sides(score: Tensor, transform: str, *, shares: bool) -> Tensor:
    """Give the two scores of a classifier that computes one, of the second label: [row, 2].

    Without a transform the first is 1 - score if scores are shares, else -score.
    """
    other = np.float32(1.0) - score if shares and transform == "NONE" else -score
    return transformed(np.stack([other, score], axis=1), transform)
