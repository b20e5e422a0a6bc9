"""BatchNormalization: by statistics that are given, or in training by those of the batch."""

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.normalisation import scale_channels, sums_cost
from ai_exec.ops.rules import (
    FLOATS,
    one_dtype,
    only_output,
    require_rank,
    require_shape,
    size,
)
from ai_exec.registry import Call, Idle, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import Floats, sum_for
from ai_exec.tensor import Tensor

_COST = per_element(9_000)


def _checked(call: Call) -> str:
    data = call.at(0)
    require_rank(data, range(2, 9), "X")
    for index in range(1, 5):
        require_shape(call.at(index), (data.shape[1],), f"input {index}")
    return one_dtype(call)


def _batch(call: Call) -> tuple[Operand, ...]:
    only_output(call)
    if call.attributes.get("spatial", 1) != 1:
        raise Mismatch("spatial must be 1")
    if not call.attributes.get("is_test", 1):
        raise Mismatch("is_test must be 1: training of so old a version is not supported")
    return (Operand(_checked(call), call.at(0).shape),)


def _batch_14(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    if not call.whole("training_mode"):
        return _batch(call)
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    dtype = _checked(call)
    statistic = Operand(dtype, (data.shape[1],))
    return (Operand(dtype, data.shape), statistic, statistic)


def batch_normalise(
    x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    """(x - mean) (scale / sqrt(variance + epsilon)) + bias in binary64, rounded once."""
    shape = (-1, *[1] * (x.ndim - 2))
    root = np.sqrt(variance.astype(np.float64) + epsilon)
    factor = scale.astype(np.float64) / root
    centred = x.astype(np.float64) - mean.astype(np.float64).reshape(shape)
    return scale_channels(centred, factor, bias).astype(x.dtype)


def batch_statistics(x: Tensor) -> tuple[Floats, Floats]:
    """Mean and variance of each channel: exact sums divided by their count, in binary64."""
    axes = (0, *range(2, x.ndim))
    count = float(size(tuple(x.shape[axis] for axis in axes)))
    add = sum_for(x.dtype)
    mean = add(x, axes) / count
    centred = x.astype(np.float64) - mean
    return mean.reshape(-1), (add(centred * centred, axes) / count).reshape(-1)


def _moved(before: Tensor, now: Floats, momentum: float) -> Tensor:
    moved: Floats = before.astype(np.float64) * momentum + now * (1.0 - momentum)
    return moved.astype(before.dtype)


def _cost_14(call: Call) -> int:
    return (sums_cost(20_000, 2, start=100_000) if call.whole("training_mode") else _COST)(call)


@operator(
    "BatchNormalization",
    since=(14, 15),
    infer=_batch_14,
    cost=_cost_14,
    values=FLOATS,
    mixed=True,
)
def batch_normalization(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    input_mean: Tensor,
    input_var: Tensor,
    *,
    epsilon: float = 9.999999747378752e-06,
    momentum: float = 0.8999999761581421,
    training_mode: int = 0,
) -> Tensor | tuple[Tensor, ...]:
    """(x - mean) (scale / sqrt(variance + epsilon)) + bias in binary64, rounded once.

    In training mean and variance are those of the batch, by exact sums in binary64, not rounded;
    running statistics are before momentum + now (1 - momentum) in binary64, rounded once.
    """
    if not training_mode:
        return batch_normalise(x, scale, b, input_mean, input_var, epsilon)
    mean, variance = batch_statistics(x)
    return (
        batch_normalise(x, scale, b, mean, variance, epsilon),
        _moved(input_mean, mean, momentum),
        _moved(input_var, variance, momentum),
    )


@operator("BatchNormalization", since=9, infer=_batch, cost=_COST, values=FLOATS)
def batch_normalization_9(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float = 9.999999747378752e-06,
    momentum: float = 0.8999999761581421,
) -> Tensor:
    """As later versions outside training."""
    return batch_normalise(x, scale, b, mean, var, epsilon)


earlier("BatchNormalization", since=7, of=9, idle={"spatial": Idle("i", 1)})
earlier(
    "BatchNormalization",
    since=6,
    of=9,
    idle={"is_test": Idle("i", 0), "spatial": Idle("i", 1)},
)


@operator("BatchNormalization", since=1, infer=_batch, cost=_COST, values=FLOATS)
def batch_normalization_1(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    consumed_inputs: tuple[int, ...],
    epsilon: float = 9.999999747378752e-06,
    is_test: int = 0,
    momentum: float = 0.8999999761581421,
    spatial: int = 1,
) -> Tensor:
    """As later versions outside training."""
    return batch_normalise(x, scale, b, mean, var, epsilon)
