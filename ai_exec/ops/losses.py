"""Losses: negative logarithms of the probabilities of given classes, summed exactly."""

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.normalisation import log_shares
from ai_exec.ops.rules import (
    FLOATS,
    INDICES,
    require_dtype,
    require_rank,
    require_shape,
    require_word,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import sum_for
from ai_exec.tensor import Tensor


def _loss(call: Call) -> tuple[Operand, ...]:
    scores, labels, weights = call.at(0), call.at(1), call.optional(2)
    require_rank(scores, range(2, 9), "input 0")
    require_dtype(labels, INDICES, "input 1")
    require_shape(labels, (scores.shape[0], *scores.shape[2:]), "input 1")
    if not scores.shape[1]:
        raise Mismatch(f"no classes in {scores}")
    if weights is not None:
        require_dtype(weights, (scores.dtype,), "input 2")
        require_shape(weights, (scores.shape[1],), "input 2")
    require_word(call, "reduction", ("none", "sum", "mean"))
    whole = call.word("reduction") == "none"
    return (Operand(scores.dtype, labels.shape if whole else ()),)


def _cross_entropy(call: Call) -> tuple[Operand, ...]:
    return (*_loss(call), Operand(call.at(0).dtype, call.at(0).shape))


def _cost(call: Call) -> int:
    return 100_000 + gas(60_000 * size(call.at(1).shape) + 2_000 * size(call.at(0).shape))


def _cross_entropy_cost(call: Call) -> int:
    return _cost(call) + 200_000 + gas(150_000 * size(call.at(0).shape))


@operator("NegativeLogLikelihoodLoss", since=(12, 13, 22), infer=_loss, cost=_cost, values=FLOATS)
def negative_log_likelihood_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input of the target class, times its weight, each step rounded; +0 where it is ignored.

    A sum is exact and rounded once.  A mean is divided in binary64, by the exact sum of the weights
    that take part, which are 1 if none are given.  A class outside the axis wraps round.
    """
    ignored = np.full(target.shape, False)
    if ignore_index is not None:
        ignored = np.equal(target, ignore_index)
    classes = np.where(ignored, 0, target) % input.shape[1]
    found = np.take_along_axis(input, np.expand_dims(classes, 1), axis=1)
    weights = np.ones(target.shape, input.dtype) if weight is None else np.take(weight, classes)
    zero = input.dtype.type(0)
    weights = np.where(ignored, zero, weights)
    losses = -found.reshape(target.shape)
    if weight is not None:
        losses = losses * weights
    losses = np.where(ignored, zero, losses)
    if reduction == "none":
        return losses
    add = sum_for(input.dtype)
    total = add(losses.reshape(-1), (0,))
    if reduction == "mean":
        total = total / add(weights.reshape(-1), (0,))
    return total.astype(input.dtype).reshape(())


@operator(
    "SoftmaxCrossEntropyLoss",
    since=(12, 13),
    infer=_cross_entropy,
    cost=_cross_entropy_cost,
    values=FLOATS,
)
def softmax_cross_entropy_loss(
    scores: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> tuple[Tensor, Tensor]:
    """`NegativeLogLikelihoodLoss` of `LogSoftmax` along axis 1, which is the second output."""
    logarithms = log_shares(scores, (1,))
    loss = negative_log_likelihood_loss(
        logarithms, labels, weights, ignore_index=ignore_index, reduction=reduction
    )
    return loss, logarithms
