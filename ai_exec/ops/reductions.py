"""Operators that fold axes away."""

from collections.abc import Callable

import numpy as np

from ai_exec.metering import FUNCTION_PICOSECONDS, QUANTISE_PICOSECONDS, per_input_element
from ai_exec.ops.rules import FLOAT32, NUMBERS, axes_of, axis_of, listed, size, wholes_of
from ai_exec.registry import Call, Infer, Mismatch, Operand, operator
from ai_exec.semantics import numerics
from ai_exec.semantics.functions import exp, log
from ai_exec.semantics.numerics import Axes, exact_sum, normalise_axes, round_to_float32
from ai_exec.tensor import Shape, Tensor

SUMMED = (*FLOAT32, "int32", "int64", "uint32", "uint64")

_SUM_COST = per_input_element(2 * QUANTISE_PICOSECONDS)
_COMPARE_COST = per_input_element(500)


def _folded(call: Call, axes: tuple[int, ...] | None, *, empty: bool) -> tuple[Operand, ...]:
    data = call.at(0)
    found = axes_of(axes, data.rank) if axes is not None else tuple(range(data.rank))
    if not empty and not size(tuple(data.shape[axis] for axis in found)):
        raise Mismatch(f"nothing to reduce in {data}")
    return (Operand(data.dtype, folded_shape(data.shape, found, call.whole("keepdims"))),)


def folded_shape(shape: Shape, axes: Axes, keepdims: int) -> Shape:
    """Give the shape that is left when axes are folded."""
    if keepdims:
        return tuple(1 if axis in axes else length for axis, length in enumerate(shape))
    return tuple(length for axis, length in enumerate(shape) if axis not in axes)


def _by_attribute(*, empty: bool) -> Infer:
    return lambda call: _folded(call, call.wholes("axes") or None, empty=empty)


def _by_input(*, empty: bool) -> Infer:
    def infer(call: Call) -> tuple[Operand, ...]:
        axes = wholes_of(call, 1) if call.optional(1) is not None else ()
        if not axes and call.whole("noop_with_empty_axes"):
            return (Operand(call.at(0).dtype, call.at(0).shape),)
        return _folded(call, axes or None, empty=empty)

    return infer


Fold = Callable[[Tensor, Axes], Tensor]
"""Folds axes, which keep length 1."""


def fold(data: Tensor, axes: tuple[int, ...] | None, keepdims: int, by: Fold) -> Tensor:
    """Fold axes, or all of them if None."""
    found = normalise_axes(axes or None, data.ndim)
    shape = folded_shape(data.shape, found, keepdims)
    return np.asarray(by(data, found) if found else by(data[np.newaxis], (0,))).reshape(shape)


def fold_by_input(
    data: Tensor, axes: Tensor | None, keepdims: int, noop_with_empty_axes: int, by: Fold
) -> Tensor:
    """Fold the axes that a tensor names."""
    named = () if axes is None else listed(axes)
    if not named and noop_with_empty_axes:
        return data
    return fold(data, named, keepdims, by)


def total(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum, rounded once; integers wrap."""
    if data.dtype.kind == "f":
        return round_to_float32(exact_sum(data, axes))
    return np.asarray(np.sum(data, axis=axes, keepdims=True, dtype=data.dtype))


def average(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum divided by the count in binary64, rounded once."""
    count = float(size(tuple(data.shape[axis] for axis in axes)))
    return round_to_float32(exact_sum(data, axes) / count)


def total_of_squares(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum of the squares in binary64, rounded once; integers wrap."""
    if data.dtype.kind == "f":
        wide = data.astype(np.float64)
        return round_to_float32(exact_sum(wide * wide, axes))
    return total(data * data, axes)


def length(data: Tensor, axes: Axes) -> Tensor:
    """Square root in binary64 of the exact sum of the squares, rounded once."""
    wide = data.astype(np.float64)
    return round_to_float32(np.sqrt(exact_sum(wide * wide, axes)))


def total_of_magnitudes(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum of the magnitudes, rounded once; integers wrap."""
    return total(np.abs(data), axes)


def log_of_total_of_powers(data: Tensor, axes: Axes) -> Tensor:
    """max + log(sum of e^(x - max)), the last steps in binary64."""
    peak = numerics.greatest(data, axes)
    peak = np.where(np.isfinite(peak), peak, np.float32(0))
    logarithm = log(exact_sum(exp(data - peak), axes))
    return round_to_float32(peak.astype(np.float64) + logarithm)


@operator("ReduceSum", since=13, infer=_by_input(empty=True), cost=_SUM_COST, values=SUMMED)
def reduce_sum(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Exact sum, rounded once; integers wrap."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, total)


@operator(
    "ReduceSum", since=(1, 11), infer=_by_attribute(empty=True), cost=_SUM_COST, values=SUMMED
)
def reduce_sum_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Exact sum, rounded once; integers wrap."""
    return fold(data, axes, keepdims, total)


@operator("ReduceMean", since=18, infer=_by_input(empty=False), cost=_SUM_COST, values=FLOAT32)
def reduce_mean(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Exact sum divided by the count in binary64, rounded once."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, average)


@operator(
    "ReduceMean",
    since=(1, 11, 13),
    infer=_by_attribute(empty=False),
    cost=_SUM_COST,
    values=FLOAT32,
)
def reduce_mean_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Exact sum divided by the count in binary64, rounded once."""
    return fold(data, axes, keepdims, average)


@operator(
    "ReduceMax", since=(18, 20), infer=_by_input(empty=False), cost=_COMPARE_COST, values=NUMBERS
)
def reduce_max(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Greatest; NaN if there is one; a zero is +0."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, numerics.greatest)


@operator(
    "ReduceMax",
    since=(1, 11, 12, 13),
    infer=_by_attribute(empty=False),
    cost=_COMPARE_COST,
    values=NUMBERS,
)
def reduce_max_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Greatest; NaN if there is one; a zero is +0."""
    return fold(data, axes, keepdims, numerics.greatest)


@operator(
    "ReduceMin", since=(18, 20), infer=_by_input(empty=False), cost=_COMPARE_COST, values=NUMBERS
)
def reduce_min(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Least; NaN if there is one; a zero is +0."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, numerics.least)


@operator(
    "ReduceMin",
    since=(1, 11, 12, 13),
    infer=_by_attribute(empty=False),
    cost=_COMPARE_COST,
    values=NUMBERS,
)
def reduce_min_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Least; NaN if there is one; a zero is +0."""
    return fold(data, axes, keepdims, numerics.least)


@operator("ReduceL1", since=18, infer=_by_input(empty=True), cost=_SUM_COST, values=SUMMED)
def reduce_l1(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Exact sum of the magnitudes, rounded once; integers wrap."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, total_of_magnitudes)


@operator(
    "ReduceL1", since=(1, 11, 13), infer=_by_attribute(empty=True), cost=_SUM_COST, values=SUMMED
)
def reduce_l1_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Exact sum of the magnitudes, rounded once; integers wrap."""
    return fold(data, axes, keepdims, total_of_magnitudes)


@operator("ReduceL2", since=18, infer=_by_input(empty=True), cost=_SUM_COST, values=FLOAT32)
def reduce_l2(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Square root in binary64 of the exact sum of the squares, rounded once."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, length)


@operator(
    "ReduceL2", since=(1, 11, 13), infer=_by_attribute(empty=True), cost=_SUM_COST, values=FLOAT32
)
def reduce_l2_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Square root in binary64 of the exact sum of the squares, rounded once."""
    return fold(data, axes, keepdims, length)


@operator("ReduceSumSquare", since=18, infer=_by_input(empty=True), cost=_SUM_COST, values=SUMMED)
def reduce_sum_square(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """Exact sum of the squares in binary64, rounded once; integers wrap."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, total_of_squares)


@operator(
    "ReduceSumSquare",
    since=(1, 11, 13),
    infer=_by_attribute(empty=True),
    cost=_SUM_COST,
    values=SUMMED,
)
def reduce_sum_square_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """Exact sum of the squares in binary64, rounded once; integers wrap."""
    return fold(data, axes, keepdims, total_of_squares)


_LOG_COST = per_input_element(FUNCTION_PICOSECONDS + 2 * QUANTISE_PICOSECONDS)


@operator("ReduceLogSumExp", since=18, infer=_by_input(empty=False), cost=_LOG_COST, values=FLOAT32)
def reduce_log_sum_exp(
    data: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """max + log(sum of e^(x - max)), the last steps in binary64."""
    return fold_by_input(data, axes, keepdims, noop_with_empty_axes, log_of_total_of_powers)


@operator(
    "ReduceLogSumExp",
    since=(1, 11, 13),
    infer=_by_attribute(empty=False),
    cost=_LOG_COST,
    values=FLOAT32,
)
def reduce_log_sum_exp_1(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
    """max + log(sum of e^(x - max)), the last steps in binary64."""
    return fold(data, axes, keepdims, log_of_total_of_powers)


def _arg(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    axis = axis_of(call.whole("axis"), data.rank)
    if not data.shape[axis]:
        raise Mismatch(f"nothing to search in {data}")
    return (Operand("int64", folded_shape(data.shape, (axis,), call.whole("keepdims"))),)


@operator("ArgMax", since=(12, 13), infer=_arg, cost=_COMPARE_COST, values=NUMBERS)
def arg_max(
    data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """Index of the greatest element, the first or last of equals; a NaN is the greatest."""
    if select_last_index:
        flipped = np.argmax(np.flip(data, axis), axis=axis, keepdims=bool(keepdims))
        return np.asarray(data.shape[axis] - 1 - flipped, dtype=np.int64)
    return np.asarray(np.argmax(data, axis=axis, keepdims=bool(keepdims)), dtype=np.int64)


@operator("ArgMax", since=(1, 11), infer=_arg, cost=_COMPARE_COST, values=NUMBERS)
def arg_max_1(data: Tensor, *, axis: int = 0, keepdims: int = 1) -> Tensor:
    """Index of the first greatest element; a NaN is the greatest."""
    return arg_max(data, axis=axis, keepdims=keepdims)


@operator("ArgMin", since=(12, 13), infer=_arg, cost=_COMPARE_COST, values=NUMBERS)
def arg_min(
    data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """Index of the least element, the first or last of equals; a NaN is the least."""
    if select_last_index:
        flipped = np.argmin(np.flip(data, axis), axis=axis, keepdims=bool(keepdims))
        return np.asarray(data.shape[axis] - 1 - flipped, dtype=np.int64)
    return np.asarray(np.argmin(data, axis=axis, keepdims=bool(keepdims)), dtype=np.int64)


@operator("ArgMin", since=(1, 11), infer=_arg, cost=_COMPARE_COST, values=NUMBERS)
def arg_min_1(data: Tensor, *, axis: int = 0, keepdims: int = 1) -> Tensor:
    """Index of the first least element; a NaN is the least."""
    return arg_min(data, axis=axis, keepdims=keepdims)
