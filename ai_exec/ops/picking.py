"""Operators that pick, cut and pad elements (R5)."""

from math import ceil
from typing import Final

import numpy as np

from ai_exec.metering import per_element, per_input_element
from ai_exec.ops.rules import (
    INDICES,
    Axes,
    axes_of,
    axis_of,
    listed,
    require_dtype,
    require_rank,
    size,
    wholes_of,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]


def slices_of(
    shape: Shape, starts: Wholes, ends: Wholes, axes: Wholes, steps: Wholes
) -> tuple[slice, ...]:
    """Give Python slices for what ONNX says, both ends brought into the tensor."""
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise Mismatch("starts, ends, axes and steps differ in length")
    axes_of(axes, len(shape))
    found = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step == 0:
            raise Mismatch("a step of 0")
        length = shape[axis]
        first, last = (0, length) if step > 0 else (0, length - 1)
        begin = min(max(start + length if start < 0 else start, first), last)
        low = 0 if step > 0 else -1
        stop = min(max(end + length if end < 0 else end, low), length if step > 0 else length - 1)
        found[axis] = slice(begin, None if stop < 0 else stop, step)
    return tuple(found)


def _sliced(
    call: Call, starts: Wholes, ends: Wholes, axes: Wholes, steps: Wholes
) -> tuple[Operand, ...]:
    data = call.at(0)
    found = slices_of(data.shape, starts, ends, axes, steps)
    lengths = [len(range(length)[cut]) for length, cut in zip(data.shape, found, strict=True)]
    return (Operand(data.dtype, tuple(lengths)),)


def _slice(call: Call) -> tuple[Operand, ...]:
    starts, ends = wholes_of(call, 1), wholes_of(call, 2)
    axes = wholes_of(call, 3) if call.optional(3) is not None else tuple(range(len(starts)))
    steps = wholes_of(call, 4) if call.optional(4) is not None else (1,) * len(starts)
    return _sliced(call, starts, ends, axes, steps)


@operator("Slice", since=(10, 11, 13), infer=_slice, cost=per_element())
def slice_10(
    data: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """From start to end by steps, along the given axes; negative indices count from the end."""
    first = listed(starts)
    along = tuple(range(len(first))) if axes is None else listed(axes)
    by = (1,) * len(first) if steps is None else listed(steps)
    return data[slices_of(data.shape, first, listed(ends), along, by)]


def _slice_1(call: Call) -> tuple[Operand, ...]:
    starts, ends = call.wholes("starts") or (), call.wholes("ends") or ()
    axes = call.wholes("axes") or tuple(range(len(starts)))
    return _sliced(call, starts, ends, axes, (1,) * len(starts))


@operator("Slice", since=1, infer=_slice_1, cost=per_element())
def slice_1(data: Tensor, *, axes: Wholes | None = None, ends: Wholes, starts: Wholes) -> Tensor:
    """From start to end along the given axes."""
    along = axes or tuple(range(len(starts)))
    return data[slices_of(data.shape, starts, ends, along, (1,) * len(starts))]


CHECKED_INDICES_MAX: Final = 4096
"""Longer constants are not searched, so that admission stays cheap."""


def _require_inside(operand: Operand, length: int) -> None:
    """Refuse a few constant indices that lie outside; others count modulo, see `inside`."""
    if operand.value is not None and 0 < size(operand.shape) <= CHECKED_INDICES_MAX:
        low, high = int(operand.value.min()), int(operand.value.max())
        if low < -length or high >= length:
            raise Mismatch(f"indices from {low} to {high} of an axis of length {length}")


def inside(indices: Tensor, length: int) -> Tensor:
    """Bring indices into the axis: negative ones count from the end, those outside wrap round."""
    return np.asarray(np.mod(indices, indices.dtype.type(length)))


def _gather(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, INDICES, "indices")
    axis = axis_of(call.whole("axis"), data.rank)
    if not data.shape[axis]:
        raise Mismatch(f"nothing to gather in {data}")
    _require_inside(indices, data.shape[axis])
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return (Operand(data.dtype, shape),)


@operator("Gather", since=(1, 11, 13), infer=_gather, cost=per_element(2_000))
def gather(data: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Slices by index; an index outside the axis wraps round."""
    return np.take(data, inside(indices, data.shape[axis]), axis=axis)


def _gather_elements(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, INDICES, "indices")
    require_rank(indices, range(data.rank, data.rank + 1), "indices")
    axis = axis_of(call.whole("axis"), data.rank)
    for other, (length, most) in enumerate(zip(indices.shape, data.shape, strict=True)):
        if other != axis and length > most:
            raise Mismatch(f"indices {indices} are larger than {data}")
    if not data.shape[axis]:
        raise Mismatch(f"nothing to gather in {data}")
    _require_inside(indices, data.shape[axis])
    return (Operand(data.dtype, indices.shape),)


@operator("GatherElements", since=(11, 13), infer=_gather_elements, cost=per_element(5_000))
def gather_elements(data: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Elements by index along an axis; an index outside the axis wraps round."""
    axis %= data.ndim
    cuts = tuple(
        slice(None) if other == axis else slice(0, length)
        for other, length in enumerate(indices.shape)
    )
    return np.take_along_axis(data[cuts], inside(indices, data.shape[axis]), axis=axis)


def _parts(call: Call, sizes: Wholes | None, count: int) -> tuple[Operand, ...]:
    data = call.at(0)
    axis = axis_of(call.whole("axis"), data.rank)
    found = part_sizes(data.shape[axis], sizes, count)
    if len(found) != call.output_count:
        raise Mismatch(f"{len(found)} parts for {call.output_count} outputs")
    return tuple(
        Operand(data.dtype, (*data.shape[:axis], length, *data.shape[axis + 1 :]))
        for length in found
    )


def part_sizes(length: int, sizes: Wholes | None, count: int) -> Wholes:
    """Give the lengths of parts: as told, or equal, the last one shorter; raises Mismatch."""
    if sizes is not None:
        if sum(sizes) != length or any(part < 0 for part in sizes):
            raise Mismatch(f"parts {list(sizes)} of an axis of length {length}")
        return sizes
    part = ceil(length / max(count, 1))
    lengths = tuple(max(0, min(part, length - index * part)) for index in range(count))
    if sum(lengths) != length:
        raise Mismatch(f"{count} parts of an axis of length {length}")
    return lengths


def _cut(data: Tensor, sizes: Wholes, axis: int) -> tuple[Tensor, ...]:
    ends = np.cumsum(sizes)[:-1]
    return tuple(np.ascontiguousarray(part) for part in np.split(data, ends, axis=axis))


def _split_18(call: Call) -> tuple[Operand, ...]:
    sizes = wholes_of(call, 1) if call.optional(1) is not None else None
    count = call.attributes["num_outputs"]
    if (sizes is None) == (count is None):
        raise Mismatch("give either split or num_outputs")
    if count not in (None, call.output_count):
        raise Mismatch(f"num_outputs is {count} for {call.output_count} outputs")
    return _parts(call, sizes, count if isinstance(count, int) else 0)


@operator("Split", since=18, infer=_split_18, cost=per_input_element())
def split(
    input: Tensor, split: Tensor | None = None, *, axis: int = 0, num_outputs: int | None = None
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal, the last one shorter."""
    sizes = None if split is None else listed(split)
    return _cut(input, part_sizes(input.shape[axis], sizes, num_outputs or 0), axis)


def _split_13(call: Call) -> tuple[Operand, ...]:
    sizes = wholes_of(call, 1) if call.optional(1) is not None else None
    return _parts(call, sizes, _even(call))


def _even(call: Call) -> int:
    length = call.at(0).shape[axis_of(call.whole("axis"), call.at(0).rank)]
    if length % call.output_count:
        raise Mismatch(f"{call.output_count} equal parts of an axis of length {length}")
    return call.output_count


@operator("Split", since=13, infer=_split_13, cost=per_input_element())
def split_13(
    input: Tensor, split: Tensor | None = None, *, axis: int = 0, output_count: int
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal ones."""
    sizes = None if split is None else listed(split)
    return _cut(input, part_sizes(input.shape[axis], sizes, output_count), axis)


def _split_2(call: Call) -> tuple[Operand, ...]:
    sizes = call.wholes("split")
    return _parts(call, sizes, call.output_count if sizes is not None else _even(call))


@operator("Split", since=(2, 11), infer=_split_2, cost=per_input_element())
def split_2(
    input: Tensor, *, axis: int = 0, split: Wholes | None = None, output_count: int
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal ones."""
    return _cut(input, part_sizes(input.shape[axis], split, output_count), axis)


PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _padded(call: Call, pads: Wholes, axes: Axes) -> tuple[Operand, ...]:
    data, mode = call.at(0), call.word("mode")
    axes_of(axes, data.rank)
    if len(pads) != 2 * len(axes):
        raise Mismatch(f"pads {list(pads)} for {len(axes)} axes")
    if mode not in PAD_MODES:
        raise Mismatch(f"mode is {mode}, not one of {', '.join(PAD_MODES)}")
    shape = list(data.shape)
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        cut = max(-before, 0) + max(-after, 0)
        most = data.shape[axis] - cut - (mode == "reflect")
        if cut > data.shape[axis] or (mode != "constant" and max(before, after) > max(most, 0)):
            raise Mismatch(f"pads {list(pads)} for {data} in mode {mode}")
        shape[axis] += before + after
    return (Operand(data.dtype, tuple(shape)),)


def padded(data: Tensor, pads: Wholes, axes: Axes, mode: str, value: Tensor | float) -> Tensor:
    """Pad before and behind axes; negative widths cut."""
    widths = [(0, 0)] * data.ndim
    cuts = [slice(None)] * data.ndim
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        widths[axis] = (max(before, 0), max(after, 0))
        cuts[axis] = slice(max(-before, 0), data.shape[axis] - max(-after, 0))
    inner = data[tuple(cuts)]
    if not data.ndim:
        return inner
    if mode == "constant":
        fill = np.asarray(value).reshape(())
        return np.pad(inner, widths, mode="constant", constant_values=fill)
    return np.pad(inner, widths, mode=mode)  # type: ignore[call-overload,no-any-return]


def _pad_18(call: Call) -> tuple[Operand, ...]:
    axes = wholes_of(call, 3) if call.optional(3) is not None else tuple(range(call.at(0).rank))
    return _pad_value(call, axes)


def _pad_11(call: Call) -> tuple[Operand, ...]:
    return _pad_value(call, tuple(range(call.at(0).rank)))


def _pad_value(call: Call, axes: Axes) -> tuple[Operand, ...]:
    value = call.optional(2)
    if value is not None:
        require_dtype(value, (call.at(0).dtype,), "constant_value")
        if size(value.shape) != 1:
            raise Mismatch(f"constant_value is {value}, not a scalar")
    return _padded(call, wholes_of(call, 1), axes)


@operator("Pad", since=(18, 19, 21, 23, 24, 25), infer=_pad_18, cost=per_element(2_000))
def pad(
    data: Tensor,
    pads: Tensor,
    constant_value: Tensor | None = None,
    axes: Tensor | None = None,
    *,
    mode: str = "constant",
) -> Tensor:
    """Padded with a constant, the edge, the reflection or the other end; negative widths cut."""
    along = tuple(range(data.ndim)) if axes is None else listed(axes)
    along = tuple(axis % data.ndim for axis in along)
    fill = data.dtype.type(0) if constant_value is None else constant_value
    return padded(data, listed(pads), along, mode, fill)


@operator("Pad", since=(11, 13), infer=_pad_11, cost=per_element(2_000))
def pad_11(
    data: Tensor, pads: Tensor, constant_value: Tensor | None = None, *, mode: str = "constant"
) -> Tensor:
    """As later versions, always along all axes."""
    return pad(data, pads, constant_value, mode=mode)


def _pad_2(call: Call) -> tuple[Operand, ...]:
    return _padded(call, call.wholes("pads") or (), tuple(range(call.at(0).rank)))


@operator("Pad", since=2, infer=_pad_2, cost=per_element(2_000), values=("float32", "float64"))
def pad_2(data: Tensor, *, mode: str = "constant", pads: Wholes, value: float = 0.0) -> Tensor:
    """As later versions, always along all axes."""
    return padded(data, pads, tuple(range(data.ndim)), mode, data.dtype.type(value))
