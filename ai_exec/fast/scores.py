"""What classic models make of their scores, in passes: labels and transforms."""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.normal import softmax_rows, sum_of_singles
from ai_exec.fast.passes import apply
from ai_exec.fast.scalar import exp_f32
from ai_exec.ops.scores import NEARLY_ZERO
from ai_exec.tensor import Tensor

ZERO, REST, NEGATIVE = 0, 1, 2
"""What the first of two scores is made of the second: 0, 1 - score, -score."""
NEAR: Final = np.float32(NEARLY_ZERO)
NOT_SEEN: Final = np.zeros((1, 1), np.bool_)
"""Stands where it does not matter which scores are there."""


@compiled
def best_labels(scores: Any, seen: Any, tracks: bool, labels: Any, chosen: Any) -> None:
    """Label of the greatest score of each row, the first of equals; a NaN is the greatest.

    With `tracks` scores that were not seen count as minus infinity.
    """
    for row in range(scores.shape[0]):
        best, place = np.float64(scores[row, 0]), 0
        if tracks and not seen[row, 0]:
            best = np.float64(-np.inf)
        for column in range(1, scores.shape[1]):
            score = np.float64(scores[row, column])
            if tracks and not seen[row, column]:
                continue
            if score > best or (score != score and best == best):
                best, place = score, column
        chosen[row] = labels[place]


@compiled
def both_scores(score: Any, border: Any, first: int, labels: Any, chosen: Any, scores: Any) -> None:
    """The second of two labels where its score is above a border, and the scores of both."""
    for row in range(score.shape[0]):
        chosen[row] = labels[1 if score[row] > border else 0]
        second = np.float32(score[row])
        scores[row, 1] = second
        scores[row, 0] = np.float32(0)
        if first == REST:
            scores[row, 0] = np.float32(1) - second
        elif first == NEGATIVE:
            scores[row, 0] = -second


@compiled
def softmax_zero_rows(scores: Any, out: Any) -> None:
    """As `ops.scores.softmax_zero`."""
    columns = scores.shape[1]
    for row in range(scores.shape[0]):
        most = scores[row, 0]
        for column in range(1, columns):
            score = scores[row, column]
            most = score if score > most or score != score else most
        small = exp_f32(np.float32(-most))
        for column in range(columns):
            score = scores[row, column]
            if abs(score) > NEAR:
                out[row, column] = exp_f32(np.float32(score - most))
            else:
                out[row, column] = score * small
        total = sum_of_singles(out[row])
        for column in range(columns):
            share = np.float64(out[row, column]) / total if total != 0 else 0.5
            out[row, column] = np.float32(share)


def transformed(scores: Tensor, transform: str) -> Tensor:
    """As `ops.scores.transformed`."""
    if transform == "NONE":
        return scores
    if transform == "LOGISTIC":
        return apply("sigmoid", scores)
    out = np.empty(scores.shape, np.float32)
    (softmax_rows if transform == "SOFTMAX" else softmax_zero_rows)(scores, out)
    return out


def best(
    scores: Tensor, labels: Tensor, seen: Tensor = NOT_SEEN, *, tracks: bool = False
) -> Tensor:
    """Give the label of each row, of those with a score."""
    chosen = np.empty(scores.shape[0], np.int64)
    best_labels(scores, seen, tracks, labels, chosen)
    return chosen


def both(
    score: Tensor, labels: Tensor, transform: str, *, border: float, first: int
) -> tuple[Tensor, Tensor]:
    """Give the label of each row, and the transformed scores of both labels."""
    chosen = np.empty(score.shape[0], np.int64)
    scores = np.empty((score.shape[0], 2), np.float32)
    both_scores(np.ascontiguousarray(score), border, first, labels, chosen, scores)
    return chosen, transformed(scores, transform)
