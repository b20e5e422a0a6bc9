"""Operators that fold axes away."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, gas
from ai_exec.ops.rules import (
    FLOATS,
    NUMBERS,
    axes_of,
    axis_of,
    listed,
    require_list,
    size,
    wholes_of,
)
from ai_exec.registry import Call, Cost, Infer, Kernel, Mismatch, Operand, earlier, operator
from ai_exec.semantics import numerics
from ai_exec.semantics.functions import exp, log
from ai_exec.semantics.numerics import Axes, cast, normalise_axes, sum_for
from ai_exec.tensor import Shape, Tensor

SUMMED: Final = (*FLOATS, "int32", "int64", "uint32", "uint64")

Fold = Callable[[Tensor, Axes], Tensor]
"""Folds axes, which keep length 1."""


RESULT_PICOSECONDS: Final = 30_000
"""Starting with one result."""


def _cost(picoseconds: int, whole: int | None = None) -> Cost:
    """Price each element of the input, of integers otherwise, and each result.

    Sums of binary64 are found in slices.
    """

    def cost(call: Call) -> int:
        data = call.at(0)
        each = picoseconds if whole is None or "float" in data.dtype else whole
        times = 3 if data.dtype == "float64" else 1
        results = RESULT_PICOSECONDS * size(call.outputs[0].shape)
        return 30_000 + gas(times * each * size(data.shape) + results)

    return cost


_SEARCH_COST: Final = _cost(4_000)


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
        axes = call.optional(1)
        if axes is not None and size(axes.shape) and call.known(1) is None:
            return (_most_left(call, axes),)
        named = wholes_of(call, 1) if axes is not None and size(axes.shape) else ()
        if not named and call.whole("noop_with_empty_axes"):
            return (Operand(call.at(0).dtype, call.at(0).shape),)
        return _folded(call, named or None, empty=empty)

    return infer


def _most_left(call: Call, axes: Operand) -> Operand:
    """Bound what is left when axes are folded that only a run tells."""
    data, count = call.at(0), size(axes.shape)
    require_list(call, 1)
    if count > data.rank:
        raise Mismatch(f"{count} axes of a tensor with {data.rank}")
    if call.whole("keepdims"):
        shape = tuple(max(length, 1) for length in data.shape)
    else:
        starts = range(data.rank - count)
        shape = tuple(max(data.shape[start : start + count + 1]) for start in starts)
    return Operand(data.dtype, shape, exact=False)


def fold(data: Tensor, axes: tuple[int, ...] | None, keepdims: int, by: Fold) -> Tensor:
    """Fold axes, or all of them if None."""
    found = normalise_axes(axes or None, data.ndim)
    shape = folded_shape(data.shape, found, keepdims)
    return np.asarray(by(data, found) if found else by(data[np.newaxis], (0,))).reshape(shape)


def fold_by_input(
    data: Tensor, axes: Tensor | None, keepdims: int, noop_with_empty_axes: int, by: Fold
) -> Tensor:
    """Fold the axes that a tensor names; without any, each element alone if so asked."""
    named = () if axes is None else listed(axes)
    if not named and noop_with_empty_axes:
        return np.asarray(by(data[np.newaxis], (0,))).reshape(data.shape)
    return fold(data, named, keepdims, by)


def total(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum, rounded once; integers wrap."""
    if data.dtype.kind == "f":
        return sum_for(data.dtype)(data, axes).astype(data.dtype)
    return np.asarray(np.sum(data, axis=axes, keepdims=True, dtype=data.dtype))


def average(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum divided by the count in binary64, rounded once; of integers cut towards zero."""
    count = size(tuple(data.shape[axis] for axis in axes))
    if data.dtype.kind == "f":
        return (sum_for(data.dtype)(data, axes) / float(count)).astype(data.dtype)
    return numerics.divide_whole(total(data, axes), np.full((), count).astype(data.dtype))


def total_of_squares(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum of the squares in binary64, rounded once; integers wrap."""
    if data.dtype.kind == "f":
        wide = data.astype(np.float64)
        return sum_for(data.dtype)(wide * wide, axes).astype(data.dtype)
    return total(data * data, axes)


def length(data: Tensor, axes: Axes) -> Tensor:
    """Square root in binary64 of the exact sum of the squares, rounded once; integers as `Cast`."""
    wide = data.astype(np.float64)
    return cast(np.sqrt(sum_for(data.dtype)(wide * wide, axes)), data.dtype.name)


def total_of_magnitudes(data: Tensor, axes: Axes) -> Tensor:
    """Exact sum of the magnitudes, rounded once; integers wrap."""
    return total(np.abs(data), axes)


def product(data: Tensor, axes: Axes) -> Tensor:
    """Product in index order in binary64, rounded once; integers wrap."""
    kept = tuple(axis for axis in range(data.ndim) if axis not in axes)
    shape = folded_shape(data.shape, axes, 1)
    if not data.size:
        return np.ones(shape, data.dtype)
    rows = data.transpose(*kept, *axes).reshape(*(data.shape[axis] for axis in kept), -1)
    wide = np.float64 if data.dtype.kind == "f" else data.dtype
    return np.cumprod(rows, axis=-1, dtype=wide)[..., -1].astype(data.dtype).reshape(shape)


def log_of_total(data: Tensor, axes: Axes) -> Tensor:
    """Logarithm in binary64 of the exact sum, rounded once; integers as `Cast`."""
    floats = data if data.dtype.kind == "f" else data.astype(np.float64)
    return cast(log(sum_for(floats.dtype)(floats, axes)), data.dtype.name)


def log_of_total_of_powers(data: Tensor, axes: Axes) -> Tensor:
    """max + log(sum of e^(x - max)), the last steps in binary64; integers as `Cast`."""
    floats = data if data.dtype.kind == "f" else data.astype(np.float64)
    peak = greatest(floats, axes)
    peak = np.where(np.isfinite(peak), peak, floats.dtype.type(0))
    logarithm = log(sum_for(floats.dtype)(exp(floats - peak), axes))
    return cast(peak.astype(np.float64) + logarithm, data.dtype.name)


def greatest(data: Tensor, axes: Axes) -> Tensor:
    """Greatest, of nothing the least that there is; NaN if there is one; a zero is +0."""
    if not data.size:
        return np.full(folded_shape(data.shape, axes, 1), _end(data, -inf), data.dtype)
    return numerics.greatest(data, axes)


def least(data: Tensor, axes: Axes) -> Tensor:
    """Least, of nothing the greatest that there is; NaN if there is one; a zero is +0."""
    if not data.size:
        return np.full(folded_shape(data.shape, axes, 1), _end(data, inf), data.dtype)
    return numerics.least(data, axes)


def _end(data: Tensor, infinity: float) -> float | int | bool:
    if data.dtype.kind == "f":
        return infinity
    if data.dtype.kind == "b":
        return infinity > 0
    bounds = np.iinfo(data.dtype)
    return bounds.max if infinity > 0 else bounds.min


@dataclass(frozen=True, slots=True)
class Reduction:
    """An operator that folds axes; old versions name them by an attribute, new ones by an input."""

    by: Fold
    old: tuple[int, ...]
    new: tuple[int, ...]
    picoseconds: int
    """Price of an element."""
    values: tuple[str, ...] = SUMMED
    empty: bool = True
    """Whether there is a result of nothing."""


_SUM: Final = 2 * QUANTISE_PICOSECONDS
_POWERS: Final = 150_000
_OLD: Final = (1, 11, 13)

REDUCTIONS: Final[Iterable[tuple[str, Reduction]]] = (
    ("ReduceSum", Reduction(total, (1, 11), (13,), _SUM)),
    ("ReduceMean", Reduction(average, _OLD, (18,), _SUM, empty=False)),
    ("ReduceL1", Reduction(total_of_magnitudes, _OLD, (18,), _SUM)),
    ("ReduceL2", Reduction(length, _OLD, (18,), _SUM)),
    ("ReduceSumSquare", Reduction(total_of_squares, _OLD, (18,), _SUM)),
    ("ReduceProd", Reduction(product, _OLD, (18,), 12_000)),
    ("ReduceLogSum", Reduction(log_of_total, _OLD, (18,), _SUM)),
    ("ReduceLogSum", Reduction(log_of_total, (), (28,), _SUM, FLOATS)),
    ("ReduceLogSumExp", Reduction(log_of_total_of_powers, _OLD, (18,), _POWERS)),
    ("ReduceLogSumExp", Reduction(log_of_total_of_powers, (), (28,), _POWERS, FLOATS)),
    ("ReduceMax", Reduction(greatest, (1, 11, 12, 13), (18,), 1_500, NUMBERS)),
    ("ReduceMax", Reduction(greatest, (), (20,), 1_500, (*NUMBERS, "bool"))),
    ("ReduceMin", Reduction(least, (1, 11, 12, 13), (18,), 1_500, NUMBERS)),
    ("ReduceMin", Reduction(least, (), (20,), 1_500, (*NUMBERS, "bool"))),
)


def _old_kernel(by: Fold) -> Kernel:
    def reduce(data: Tensor, *, axes: Axes | None = None, keepdims: int = 1) -> Tensor:
        return fold(data, axes, keepdims, by)

    return reduce


def _new_kernel(by: Fold) -> Kernel:
    def reduce(
        data: Tensor,
        axes: Tensor | None = None,
        *,
        keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> Tensor:
        return fold_by_input(data, axes, keepdims, noop_with_empty_axes, by)

    return reduce


for _name, _reduction in REDUCTIONS:
    for _versions, _infer, _kernel in (
        (_reduction.old, _by_attribute, _old_kernel),
        (_reduction.new, _by_input, _new_kernel),
    ):
        _reduce = _kernel(_reduction.by)
        _reduce.__doc__ = _reduction.by.__doc__
        operator(
            _name,
            since=_versions,
            infer=_infer(empty=_reduction.empty),
            cost=_cost(_reduction.picoseconds, 2_000),
            values=_reduction.values,
        )(_reduce)


def _arg(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    axis = axis_of(call.whole("axis"), data.rank)
    if not data.shape[axis]:
        raise Mismatch(f"nothing to search in {data}")
    return (Operand("int64", folded_shape(data.shape, (axis,), call.whole("keepdims"))),)


@operator("ArgMax", since=(12, 13), infer=_arg, cost=_SEARCH_COST, values=NUMBERS)
def arg_max(
    data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """Index of the greatest element, the first or last of equals; a NaN is the greatest."""
    if select_last_index:
        flipped = np.argmax(np.flip(data, axis), axis=axis, keepdims=bool(keepdims))
        return np.asarray(data.shape[axis] - 1 - flipped, dtype=np.int64)
    return np.asarray(np.argmax(data, axis=axis, keepdims=bool(keepdims)), dtype=np.int64)


earlier("ArgMax", since=(1, 11), of=12, lacks=("select_last_index",))


@operator("ArgMin", since=(12, 13), infer=_arg, cost=_SEARCH_COST, values=NUMBERS)
def arg_min(
    data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """Index of the least element, the first or last of equals; a NaN is the least."""
    if select_last_index:
        flipped = np.argmin(np.flip(data, axis), axis=axis, keepdims=bool(keepdims))
        return np.asarray(data.shape[axis] - 1 - flipped, dtype=np.int64)
    return np.asarray(np.argmin(data, axis=axis, keepdims=bool(keepdims)), dtype=np.int64)


earlier("ArgMin", since=(1, 11), of=12, lacks=("select_last_index",))
