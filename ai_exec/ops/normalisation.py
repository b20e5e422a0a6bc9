"""Softmax and normalisations: exact sums (R3) within pinned binary64 steps, rounded once."""

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, WIDE_PASS_PICOSECONDS, gas, per_element
from ai_exec.ops.rules import (
    FLOATS,
    axis_of,
    broadcasts_to,
    one_dtype,
    require_dtype,
    require_rank,
    require_shape,
    size,
)
from ai_exec.registry import CONSUMED, Call, Cost, Mismatch, Operand, earlier, operator
from ai_exec.semantics.functions import exp, log
from ai_exec.semantics.numerics import Floats, greatest, sum_for
from ai_exec.tensor import Tensor


def sums_cost(picoseconds: int, sums: int, start: int = 0) -> Cost:
    """Price each element of the input, and so many sums of it; binary64 sums in slices."""

    def cost(call: Call) -> int:
        data = call.at(0)
        times = sums * (3 if data.dtype == "float64" else 1)
        return start + gas((picoseconds + times * QUANTISE_PICOSECONDS) * size(data.shape))

    return cost


def _softmax_cost(call: Call) -> int:
    """Binary32 goes row by row through a compiled pass."""
    data = call.at(0)
    if data.dtype == "float64":
        return gas(WIDE_PASS_PICOSECONDS * size(data.shape))
    rows = size(data.shape) // max(1, data.shape[call.whole("axis")])
    return gas(9_000 * size(data.shape) + 80_000 * rows)


_LOG_SOFTMAX_COST = sums_cost(150_000, 1)
NORMAL_COST = sums_cost(4 * QUANTISE_PICOSECONDS, 2, start=60_000)
_SLOW_LAYER_COST = sums_cost(6 * QUANTISE_PICOSECONDS, 4)


def _layer_cost(call: Call) -> int:
    """Binary32 with constant scales goes row by row through a compiled pass."""
    data, axis = call.at(0), call.whole("axis")
    factors = [operand for operand in call.inputs[1:] if operand is not None]
    known = all(operand.value is not None for operand in factors)
    if data.dtype == "float64" or call.output_count > 1 or not known:
        return _SLOW_LAYER_COST(call)
    rows = size(data.shape[: axis % max(1, data.rank)])
    return gas(6_000 * size(data.shape) + 120_000 * rows)


def _softmax(call: Call) -> tuple[Operand, ...]:
    first = call.at(0)
    axis_of(call.whole("axis"), first.rank)
    if not size(first.shape):
        raise Mismatch(f"nothing in {first}")
    return (Operand(first.dtype, first.shape),)


def _softmax_1(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 9), "input")
    return _softmax(call)


def shares(rows: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Shares that powers of e have in their sum, as `Softmax` says."""
    powers = exp(rows - greatest(rows, axes))
    return (powers.astype(np.float64) / sum_for(rows.dtype)(powers, axes)).astype(rows.dtype)


def log_shares(rows: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Logarithms of the shares that powers of e have in their sum, as `LogSoftmax` says."""
    distance = rows - greatest(rows, axes)
    logarithm = log(sum_for(rows.dtype)(exp(distance), axes))
    return (distance.astype(np.float64) - logarithm).astype(rows.dtype)


@operator("Softmax", since=13, infer=_softmax, cost=_softmax_cost, values=FLOATS)
def softmax(input: Tensor, *, axis: int = -1) -> Tensor:
    """e^(x - max) / sum: difference and power each rounded, exact sum, quotient rounded once."""
    return shares(input, (axis,))


@operator("Softmax", since=(1, 11), infer=_softmax_1, cost=_softmax_cost, values=FLOATS)
def softmax_1(input: Tensor, *, axis: int = 1) -> Tensor:
    """As version 13, over all axes from `axis` on together."""
    axis %= input.ndim
    return shares(input, tuple(range(axis, input.ndim)))


@operator("LogSoftmax", since=13, infer=_softmax, cost=_LOG_SOFTMAX_COST, values=FLOATS)
def log_softmax(input: Tensor, *, axis: int = -1) -> Tensor:
    """(x - max) - log(sum of e^(x - max)): as `Softmax`, the last steps in binary64."""
    return log_shares(input, (axis,))


@operator("LogSoftmax", since=(1, 11), infer=_softmax_1, cost=_LOG_SOFTMAX_COST, values=FLOATS)
def log_softmax_1(input: Tensor, *, axis: int = 1) -> Tensor:
    """As version 13, over all axes from `axis` on together."""
    axis %= input.ndim
    return log_shares(input, tuple(range(axis, input.ndim)))


@operator("Hardmax", since=13, infer=_softmax, cost=per_element(5_000), values=FLOATS)
def hardmax(input: Tensor, *, axis: int = -1) -> Tensor:
    """1 for the first greatest element along the axis, a NaN is the greatest; 0 for all others."""
    chosen = np.expand_dims(np.argmax(input, axis=axis), axis)
    places = np.arange(input.shape[axis]).reshape(-1, *[1] * (input.ndim - 1 - axis % input.ndim))
    return np.asarray(np.equal(places, chosen), dtype=input.dtype)


@operator("Hardmax", since=(1, 11), infer=_softmax_1, cost=per_element(5_000), values=FLOATS)
def hardmax_1(input: Tensor, *, axis: int = 1) -> Tensor:
    """As version 13, over all axes from `axis` on together."""
    kept = input.shape[: axis % input.ndim]
    return hardmax(input.reshape(*kept, -1)).reshape(input.shape)


def normalise(x: Tensor, axes: tuple[int, ...], epsilon: float) -> tuple[Floats, Floats, Floats]:
    """(x - mean) / deviation, mean and deviation in binary64.

    The mean is an exact sum, and the deviation sqrt(variance + epsilon) of another one.
    """
    count = float(size(tuple(x.shape[axis] for axis in axes)))
    wide = x.astype(np.float64)
    add = sum_for(x.dtype)
    mean = add(x, axes) / count
    centred = wide - mean
    variance = add(centred * centred, axes) / count
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
            require_dtype(operand, (data.dtype,), f"input {index}")
            if not broadcasts_to(operand.shape, data.shape[axis:]):
                raise Mismatch(f"input {index} is {operand} for {data} from axis {axis} on")
    folded = (*data.shape[:axis], *[1] * (data.rank - axis))
    return (
        Operand(data.dtype, data.shape),
        Operand("float32", folded),
        Operand("float32", folded),
    )


@operator("LayerNormalization", since=17, infer=_layer, cost=_layer_cost, values=FLOATS, mixed=True)
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
    inverse = (1.0 / deviation).astype(np.float32)
    return result.astype(x.dtype), mean.astype(np.float32), inverse


def _instance(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(3, 9), "input")
    dtype = one_dtype(call)
    for index in (1, 2):
        require_shape(call.at(index), (data.shape[1],), f"input {index}")
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    return (Operand(dtype, data.shape),)


@operator("InstanceNormalization", since=(6, 22), infer=_instance, cost=NORMAL_COST, values=FLOATS)
def instance_normalization(
    input: Tensor, scale: Tensor, b: Tensor, *, epsilon: float = 9.999999747378752e-06
) -> Tensor:
    """As `LayerNormalization` over the spatial axes of each sample and channel."""
    result, _, _ = normalise(input, tuple(range(2, input.ndim)), epsilon)
    return scale_channels(result, scale, b).astype(input.dtype)


earlier("InstanceNormalization", since=1, of=6, idle=CONSUMED)


def scale_channels(normal: Floats, scale: Tensor, bias: Tensor) -> Floats:
    """Scale each channel and add a bias to it in binary64."""
    shape = (-1, *[1] * (normal.ndim - 2))
    scaled: Floats = normal * scale.astype(np.float64).reshape(shape)
    return scaled + bias.astype(np.float64).reshape(shape)


def _root(call: Call) -> tuple[Operand, ...]:
    return _layer(call)[:1]


@operator("RMSNormalization", since=23, infer=_root, cost=NORMAL_COST, values=FLOATS)
def rms_normalization(
    x: Tensor,
    scale: Tensor,
    *,
    axis: int = -1,
    epsilon: float = 9.999999747378752e-06,
    stash_type: int = 1,
) -> Tensor:
    """x / sqrt(exact mean of the squares + epsilon) scale in binary64, rounded once."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    count = float(size(tuple(x.shape[axis] for axis in axes)))
    wide = x.astype(np.float64)
    root = np.sqrt(sum_for(x.dtype)(wide * wide, axes) / count + epsilon)
    return (wide / root * scale.astype(np.float64)).astype(x.dtype)


def _group(call: Call) -> tuple[Operand, ...]:
    data, groups = call.at(0), call.whole("num_groups")
    require_rank(data, range(2, 9), "X")
    dtype = one_dtype(call)
    if call.attributes.get("stash_type", 1) != 1:
        raise Mismatch("stash_type must be 1")
    if groups < 1 or data.shape[1] % groups:
        raise Mismatch(f"num_groups is {groups} for {data}")
    if not size(data.shape):
        raise Mismatch(f"nothing in {data}")
    per_channel = "stash_type" in call.attributes
    for index in (1, 2):
        length = data.shape[1] if per_channel else groups
        require_shape(call.at(index), (length,), f"input {index}")
    return (Operand(dtype, data.shape),)


@operator("GroupNormalization", since=21, infer=_group, cost=NORMAL_COST, values=FLOATS)
def group_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    epsilon: float = 9.999999747378752e-06,
    num_groups: int,
    stash_type: int = 1,
) -> Tensor:
    """As `LayerNormalization` over each sample and group of channels; a scale for each channel."""
    grouped = x.reshape(x.shape[0], num_groups, -1)
    result, _, _ = normalise(grouped, (2,), epsilon)
    return scale_channels(result.reshape(x.shape), scale, bias).astype(x.dtype)


@operator("GroupNormalization", since=18, infer=_group, cost=NORMAL_COST, values=FLOATS)
def group_normalization_18(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    epsilon: float = 9.999999747378752e-06,
    num_groups: int,
) -> Tensor:
    """As later versions, a scale for each group."""
    grouped = x.reshape(x.shape[0], num_groups, -1)
    result, _, _ = normalise(grouped, (2,), epsilon)
    return scale_channels(result, scale, bias).astype(x.dtype).reshape(x.shape)
