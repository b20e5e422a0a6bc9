"""Normalisations by a norm, by neighbours and by mean and variance of any axes."""

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.normalisation import NORMAL_COST, normalise, sums_cost
from ai_exec.ops.rules import FLOATS, axes_of, axis_of, require_rank, same, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import sum_for
from ai_exec.semantics.powers import power
from ai_exec.tensor import Tensor

LITTLE = 1e-9
"""What MeanVarianceNormalization adds to a deviation, as ONNX's function does."""


def _norm(call: Call) -> tuple[Operand, ...]:
    axis_of(call.whole("axis"), call.at(0).rank)
    if call.whole("p") not in (1, 2):
        raise Mismatch(f"p is {call.whole('p')}, not 1 or 2")
    return same(call)


@operator(
    "LpNormalization",
    since=(1, 22),
    infer=_norm,
    cost=sums_cost(24_000, 1, start=30_000),
    values=FLOATS,
)
def lp_normalization(input: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    """x / norm in binary64, rounded once; +0 where the norm is 0.

    The norm is the exact sum of the magnitudes, or the root of the one of the squares.
    """
    wide = input.astype(np.float64)
    add = sum_for(input.dtype)
    norm = add(np.abs(wide), (axis,)) if p == 1 else np.sqrt(add(wide * wide, (axis,)))
    return np.where(norm == 0, 0.0, wide / norm).astype(input.dtype)


def _neighbours(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(2, 9), "X")
    if call.whole("size") < 1:
        raise Mismatch(f"size is {call.whole('size')}")
    return same(call)


def _neighbours_cost(call: Call) -> int:
    data = call.at(0)
    added = min(call.whole("size"), 2 * data.shape[1])
    return 700_000 + gas((5_000_000 + 20_000 * added) * size(data.shape))


@operator("LRN", since=(1, 13), infer=_neighbours, cost=_neighbours_cost, values=FLOATS)
def lrn(
    x: Tensor,
    *,
    alpha: float = 9.999999747378752e-05,
    beta: float = 0.75,
    bias: float = 1.0,
    size: int,
) -> Tensor:
    """x / (bias + (alpha / size) sum of squares)^beta, in binary64, rounded once.

    Squares of the channels around are added in their order.
    """
    wide = x.astype(np.float64)
    squares, total = wide * wide, np.zeros(x.shape)
    channels = x.shape[1]
    for shift in range(-min((size - 1) // 2, channels), min(size // 2, channels) + 1):
        target = slice(max(0, -shift), max(0, min(channels, channels - shift)))
        source = slice(target.start + shift, target.stop + shift)
        if target.stop > target.start:
            total[:, target] += squares[:, source]
    base = bias + alpha / float(size) * total
    return (wide / power(base, np.full((), beta))).astype(x.dtype)


def _mean_and_variance(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    axes_of(call.wholes("axes") or (), data.rank)
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    return same(call)


@operator(
    "MeanVarianceNormalization",
    since=(9, 13),
    infer=_mean_and_variance,
    cost=NORMAL_COST,
    values=FLOATS,
)
def mean_variance_normalization(x: Tensor, *, axes: tuple[int, ...] = (0, 2, 3)) -> Tensor:
    """(x - mean) / (sqrt(variance) + 1e-9) in binary64, rounded once; sums are exact."""
    along = tuple(axis % x.ndim for axis in axes)
    _, mean, deviation = normalise(x, along, 0.0)
    return ((x.astype(np.float64) - mean) / (deviation + LITTLE)).astype(x.dtype)
