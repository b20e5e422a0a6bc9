"""Softmax and normalisations: exact sums (R3) within pinned binary64 steps, rounded once."""

import numpy as np

from ai_exec.metering import EXP_PICOSECONDS, QUANTISE_PICOSECONDS, per_element
from ai_exec.ops.rules import (
    FLOAT32,
    axis_of,
    broadcasts_to,
    one_dtype,
    only_output,
    require_dtype,
    require_rank,
    require_shape,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.functions import exp, log
from ai_exec.semantics.numerics import exact_sum, greatest, round_to_float32
from ai_exec.tensor import Tensor

_SOFTMAX_COST = per_element(EXP_PICOSECONDS + 2 * QUANTISE_PICOSECONDS)
_NORMAL_COST = per_element(6 * QUANTISE_PICOSECONDS)


def _softmax(call: Call) -> tuple[Operand, ...]:
    first = call.at(0)
    axis_of(call.whole("axis"), first.rank)
    if not size(first.shape):
        raise Mismatch(f"nothing in {first}")
    return (Operand(first.dtype, first.shape),)


def _softmax_1(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 9), "input")
    return _softmax(call)


def _shares(rows: Tensor, axes: tuple[int, ...]) -> Tensor:
    powers = exp(rows - greatest(rows, axes))
    return round_to_float32(powers.astype(np.float64) / exact_sum(powers, axes))


def _log_shares(rows: Tensor, axes: tuple[int, ...]) -> Tensor:
    distance = rows - greatest(rows, axes)
    logarithm = log(exact_sum(exp(distance), axes))
    return round_to_float32(distance.astype(np.float64) - logarithm)


@operator("Softmax", since=13, infer=_softmax, cost=_SOFTMAX_COST, values=FLOAT32)
def softmax(input: Tensor, *, axis: int = -1) -> Tensor:
    """e^(x - max) / sum: difference and power each rounded, exact sum, quotient rounded once."""
    return _shares(input, (axis,))


@operator("Softmax", since=(1, 11), infer=_softmax_1, cost=_SOFTMAX_COST, values=FLOAT32)
def softmax_1(input: Tensor, *, axis: int = 1) -> Tensor:
    """As version 13, over all axes from `axis` on together."""
    axis %= input.ndim
    return _shares(input, tuple(range(axis, input.ndim)))


@operator("LogSoftmax", since=13, infer=_softmax, cost=_SOFTMAX_COST, values=FLOAT32)
def log_softmax(input: Tensor, *, axis: int = -1) -> Tensor:
    """(x - max) - log(sum of e^(x - max)): as `Softmax`, the last steps in binary64."""
    return _log_shares(input, (axis,))


@operator("LogSoftmax", since=(1, 11), infer=_softmax_1, cost=_SOFTMAX_COST, values=FLOAT32)
def log_softmax_1(input: Tensor, *, axis: int = 1) -> Tensor:
    """As version 13, over all axes from `axis` on together."""
    axis %= input.ndim
    return _log_shares(input, tuple(range(axis, input.ndim)))


def _batch(call: Call) -> tuple[Operand, ...]:
    only_output(call)
    data = call.at(0)
    require_rank(data, range(2, 9), "X")
    dtype = one_dtype(call)
    for index in range(1, 5):
        require_shape(call.at(index), (data.shape[1],), f"input {index}")
    return (Operand(dtype, data.shape),)


def _batch_14(call: Call) -> tuple[Operand, ...]:
    if call.whole("training_mode"):
        raise Mismatch("training_mode is not supported")
    return _batch(call)


def batch_normalise(
    x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    """(x - mean) (scale / sqrt(variance + epsilon)) + bias in binary64, rounded once."""
    shape = (-1, *[1] * (x.ndim - 2))
    root = np.sqrt(variance.astype(np.float64) + epsilon)
    factor = (scale.astype(np.float64) / root).reshape(shape)
    centred = x.astype(np.float64) - mean.astype(np.float64).reshape(shape)
    return round_to_float32(centred * factor + bias.astype(np.float64).reshape(shape))


@operator(
    "BatchNormalization",
    since=(14, 15),
    infer=_batch_14,
    cost=per_element(9_000),
    values=FLOAT32,
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
) -> Tensor:
    """(x - mean) (scale / sqrt(variance + epsilon)) + bias in binary64, rounded once."""
    return batch_normalise(x, scale, b, input_mean, input_var, epsilon)


@operator(
    "BatchNormalization", since=9, infer=_batch, cost=per_element(9_000), values=FLOAT32, mixed=True
)
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
    """As later versions."""
    return batch_normalise(x, scale, b, mean, var, epsilon)


def _batch_7(call: Call) -> tuple[Operand, ...]:
    if call.whole("spatial") != 1:
        raise Mismatch("spatial must be 1")
    return _batch(call)


@operator(
    "BatchNormalization",
    since=7,
    infer=_batch_7,
    cost=per_element(9_000),
    values=FLOAT32,
    mixed=True,
)
def batch_normalization_7(
    x: Tensor,
    scale: Tensor,
    b: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float = 9.999999747378752e-06,
    momentum: float = 0.8999999761581421,
    spatial: int = 1,
) -> Tensor:
    """As later versions."""
    return batch_normalise(x, scale, b, mean, var, epsilon)


def normalise(x: Tensor, axes: tuple[int, ...], epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / deviation, mean and deviation in binary64.

    The mean is an exact sum, and the deviation sqrt(variance + epsilon) of another one.
    """
    count = float(size(tuple(x.shape[axis] for axis in axes)))
    wide = x.astype(np.float64)
    mean = exact_sum(x, axes) / count
    centred = wide - mean
    variance = exact_sum(centred * centred, axes) / count
    deviation = np.sqrt(variance + epsilon)
    return centred / deviation, mean, deviation


def _layer(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    axis = axis_of(call.whole("axis"), data.rank)
    if call.whole("stash_type") != 1:
        raise Mismatch("stash_type must be 1")
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    for index in (1, 2):
        operand = call.optional(index)
        if operand is not None:
            require_dtype(operand, FLOAT32, f"input {index}")
            if not broadcasts_to(operand.shape, data.shape[axis:]):
                raise Mismatch(f"input {index} is {operand} for {data} from axis {axis} on")
    folded = (*data.shape[:axis], *[1] * (data.rank - axis))
    return (
        Operand(data.dtype, data.shape),
        Operand(data.dtype, folded),
        Operand(data.dtype, folded),
    )


@operator(
    "LayerNormalization", since=17, infer=_layer, cost=_NORMAL_COST, values=FLOAT32, mixed=True
)
def layer_normalization(
    x: Tensor,
    scale: Tensor,
    b: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 9.999999747378752e-06,
    stash_type: int = 1,
) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(variance + epsilon) scale + bias in binary64, rounded once."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    centred, mean, deviation = normalise(x, axes, epsilon)
    result = centred * scale.astype(np.float64)
    if b is not None:
        result = result + b.astype(np.float64)
    return round_to_float32(result), round_to_float32(mean), round_to_float32(1.0 / deviation)


def _instance(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(3, 9), "input")
    dtype = one_dtype(call)
    for index in (1, 2):
        require_shape(call.at(index), (data.shape[1],), f"input {index}")
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    return (Operand(dtype, data.shape),)


@operator(
    "InstanceNormalization", since=(6, 22), infer=_instance, cost=_NORMAL_COST, values=FLOAT32
)
def instance_normalization(
    input: Tensor, scale: Tensor, b: Tensor, *, epsilon: float = 9.999999747378752e-06
) -> Tensor:
    """As `LayerNormalization` over the spatial axes of each sample and channel."""
    shape = (-1, *[1] * (input.ndim - 2))
    result, _, _ = normalise(input, tuple(range(2, input.ndim)), epsilon)
    scaled = result * scale.astype(np.float64).reshape(shape)
    return round_to_float32(scaled + b.astype(np.float64).reshape(shape))
