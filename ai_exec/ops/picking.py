"""Operators that pick and cut elements by index (R5)."""

from math import ceil, prod
from typing import Final

import numpy as np

from ai_exec.metering import per_element, per_input_element
from ai_exec.ops.rules import (
    INDICES,
    NUMBERS,
    axes_of,
    axis_of,
    bounds_of,
    listed,
    require_dtype,
    require_list,
    require_rank,
    require_shape,
    size,
    wholes_of,
)
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import cast
from ai_exec.tensor import NARROW, Shape, Tensor

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
    given = [index for index in range(1, 5) if call.optional(index) is not None]
    if any(call.known(index) is None for index in given):
        for index in given:
            require_list(call, index)
        return (_most_sliced(call),)
    starts, ends = wholes_of(call, 1), wholes_of(call, 2)
    axes = wholes_of(call, 3) if call.optional(3) is not None else tuple(range(len(starts)))
    steps = wholes_of(call, 4) if call.optional(4) is not None else (1,) * len(starts)
    return _sliced(call, starts, ends, axes, steps)


def _most_sliced(call: Call) -> Operand:
    """Bound what is left where a run tells which parts: other axes stay as they are."""
    data, count = call.at(0), size(call.at(1).shape)
    axes = tuple(range(count)) if call.optional(3) is None else None
    if axes is None and call.known(3) is not None:
        axes = wholes_of(call, 3)
    if axes is None:
        return Operand(data.dtype, data.shape, exact=False)
    cut = axes_of(axes, data.rank)
    most = list(data.shape)
    if call.optional(4) is None and len(axes) == count and call.at(2).shape == call.at(1).shape:
        starts, (ends, lasts) = _ends(call, 1)[0], _ends(call, 2)
        for axis, start, end, last in zip(axes, starts, ends, lasts, strict=True):
            if min(start, end) >= 0:
                most[axis] = min(most[axis], max(last - start, 0))
    least = (0 if axis in cut else length for axis, length in enumerate(data.shape))
    return Operand(data.dtype, tuple(most), exact=False, least=tuple(least))


def _ends(call: Call, index: int) -> tuple[Wholes, Wholes]:
    """Give the least and greatest ends of parts; -1 where nothing is known."""
    if call.at(index).span is None:
        nothing = (-1,) * size(call.at(index).shape)
        return nothing, nothing
    return bounds_of(call, index)


@operator("Slice", since=(10, 11, 13), infer=_slice, cost=per_element(start=12_000), moves=True)
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


@operator("Slice", since=1, infer=_slice_1, cost=per_element(start=12_000), moves=True)
def slice_1(data: Tensor, *, axes: Wholes | None = None, ends: Wholes, starts: Wholes) -> Tensor:
    """From start to end along the given axes."""
    along = axes or tuple(range(len(starts)))
    return data[slices_of(data.shape, starts, ends, along, (1,) * len(starts))]


CHECKED_INDICES_MAX: Final = 4096
"""Longer constants are not searched, so that admission stays cheap."""


def require_inside(operand: Operand, length: int, *, negative: bool = True) -> None:
    """Refuse a few constant indices that lie outside; others count modulo, see `inside`."""
    if size(operand.shape) and length < 1:
        raise Mismatch(f"indices {operand} of an axis of length {length}")
    if operand.value is not None and 0 < size(operand.shape) <= CHECKED_INDICES_MAX:
        low, high = int(operand.value.min()), int(operand.value.max())
        if low < (-length if negative else 0) or high >= length:
            raise Mismatch(f"indices from {low} to {high} of an axis of length {length}")


def inside(indices: Tensor, length: int) -> Tensor:
    """Bring indices into the axis: negative ones count from the end, those outside wrap round."""
    return np.asarray(np.mod(indices, indices.dtype.type(max(length, 1))))


def _gather(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, INDICES, "indices")
    axis = axis_of(call.whole("axis"), data.rank)
    require_inside(indices, data.shape[axis])
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return (Operand(data.dtype, shape),)


@operator("Gather", since=(1, 11, 13), infer=_gather, cost=per_element(2_000, 3_000), moves=True)
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
    require_inside(indices, data.shape[axis])
    return (Operand(data.dtype, indices.shape),)


@operator(
    "GatherElements",
    since=(11, 13),
    infer=_gather_elements,
    cost=per_element(16_000, 15_000),
    moves=True,
)
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
    if call.optional(1) is not None and call.known(1) is None:
        require_list(call, 1)
        return (Operand(data.dtype, data.shape, exact=False),) * call.output_count
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


def _sizes(call: Call) -> Wholes | None:
    """Lengths of parts where they are told and known."""
    told = call.optional(1) is not None and call.known(1) is not None
    return wholes_of(call, 1) if told else None


def _split_18(call: Call) -> tuple[Operand, ...]:
    sizes, count = _sizes(call), call.attributes["num_outputs"]
    if (call.optional(1) is None) == (count is None):
        raise Mismatch("give either split or num_outputs")
    if count not in (None, call.output_count):
        raise Mismatch(f"num_outputs is {count} for {call.output_count} outputs")
    return _parts(call, sizes, count if isinstance(count, int) else 0)


@operator("Split", since=18, infer=_split_18, cost=per_input_element(start=15_000), moves=True)
def split(
    input: Tensor, split: Tensor | None = None, *, axis: int = 0, num_outputs: int | None = None
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal, the last one shorter."""
    sizes = None if split is None else listed(split)
    return _cut(input, part_sizes(input.shape[axis], sizes, num_outputs or 0), axis)


def _split_13(call: Call) -> tuple[Operand, ...]:
    return _parts(call, _sizes(call), 0 if call.optional(1) is not None else _even(call))


def _even(call: Call) -> int:
    length = call.at(0).shape[axis_of(call.whole("axis"), call.at(0).rank)]
    if length % call.output_count:
        raise Mismatch(f"{call.output_count} equal parts of an axis of length {length}")
    return call.output_count


@operator("Split", since=13, infer=_split_13, cost=per_input_element(start=15_000), moves=True)
def split_13(
    input: Tensor, split: Tensor | None = None, *, axis: int = 0, output_count: int
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal ones."""
    sizes = None if split is None else listed(split)
    return _cut(input, part_sizes(input.shape[axis], sizes, output_count), axis)


def _split_2(call: Call) -> tuple[Operand, ...]:
    sizes = call.wholes("split")
    return _parts(call, sizes, call.output_count if sizes is not None else _even(call))


@operator("Split", since=(2, 11), infer=_split_2, cost=per_input_element(start=15_000), moves=True)
def split_2(
    input: Tensor, *, axis: int = 0, split: Wholes | None = None, output_count: int
) -> tuple[Tensor, ...]:
    """Parts along an axis: of the given lengths, or equal ones."""
    return _cut(input, part_sizes(input.shape[axis], split, output_count), axis)


def _gather_nd(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, ("int64",), "indices")
    require_rank(indices, range(1, 9), "indices")
    batch = call.whole("batch_dims") if "batch_dims" in call.attributes else 0
    depth = indices.shape[-1]
    if not 0 <= batch < min(data.rank, indices.rank) or not 1 <= depth <= data.rank - batch:
        raise Mismatch(f"indices {indices} of {data} with {batch} batch_dims")
    if data.shape[:batch] != indices.shape[:batch]:
        raise Mismatch(f"indices {indices} and {data} differ in their first {batch} axes")
    for part in range(depth):
        value = None if indices.value is None else indices.value[..., part]
        require_inside(Operand("int64", indices.shape[:-1], value), data.shape[batch + part])
    return (Operand(data.dtype, (*indices.shape[:-1], *data.shape[batch + depth :])),)


@operator(
    "GatherND", since=(12, 13), infer=_gather_nd, cost=per_element(40_000, 15_000), moves=True
)
def gather_nd(data: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    """Slices by index tuple, within each of the batch; parts outside their axis wrap round."""
    batch, depth = prod(data.shape[:batch_dims]), indices.shape[-1]
    lengths, rest = data.shape[batch_dims : batch_dims + depth], data.shape[batch_dims + depth :]
    flat = data.reshape(batch * prod(lengths), *rest)
    rows = flat_rows(indices, lengths)
    first = np.arange(batch, dtype=np.int64) * prod(lengths)
    rows = rows + first.reshape((*data.shape[:batch_dims], *[1] * (rows.ndim - batch_dims)))
    return np.take(flat, rows, axis=0)


earlier("GatherND", since=11, of=12, lacks=("batch_dims",))


def flat_rows(indices: Tensor, lengths: Shape) -> Tensor:
    """Give for each index tuple the number of the slice that it means; each part wraps round."""
    rows: Tensor = np.zeros(indices.shape[:-1], np.int64)
    for axis, length in enumerate(lengths):
        rows = rows * length + inside(indices[..., axis].astype(np.int64), length)
    return rows


def _one_hot(call: Call) -> tuple[Operand, ...]:
    indices, values = call.at(0), call.at(2)
    require_dtype(call.at(1), (*NUMBERS, *NARROW), "depth")
    require_rank(call.at(1), range(2), "depth")
    require_shape(values, (2,), "values")
    if size(call.at(1).shape) != 1:
        raise Mismatch(f"depth is {call.at(1)}, not one number")
    span = call.at(1).span
    known = call.known(1)
    if known is None:
        known = call.constant(1) if span is None else span.high
    depth = int(cast(known, "int64").reshape(()))
    if depth < 0:
        raise Mismatch(f"depth is {depth}")
    axis = axis_of(call.whole("axis"), indices.rank + 1)
    shape = (*indices.shape[:axis], depth, *indices.shape[axis:])
    return (Operand(values.dtype, shape, exact=call.known(1) is not None),)


@operator(
    "OneHot",
    since=(9, 11, 28),
    infer=_one_hot,
    cost=per_element(5_000, 25_000),
    values=(*NUMBERS, *NARROW),
    native=True,
)
def one_hot(indices: Tensor, depth: Tensor, values: Tensor, *, axis: int = -1) -> Tensor:
    """The second value where an index lies on the new axis, else the first; fractions are cut.

    Negative indices count from the end; those outside lie nowhere.
    """
    length = int(cast(depth, "int64").reshape(()))
    at = cast(np.minimum(indices, 2**63 - 1) if indices.dtype == "uint64" else indices, "int64")
    at = np.expand_dims(np.where(at < 0, at + length, at), axis)
    new = axis % at.ndim
    places = np.arange(length, dtype=np.int64).reshape(-1, *[1] * (at.ndim - new - 1))
    return np.asarray(np.where(at == places, values[1], values[0]))


def _reverse(call: Call) -> tuple[Operand, ...]:
    data, lengths = call.at(0), call.at(1)
    axes = (call.whole("batch_axis"), call.whole("time_axis"))
    require_rank(data, range(2, 9), "input")
    if sorted(axes) != [0, 1]:
        raise Mismatch(f"batch_axis and time_axis are {list(axes)}, not 0 and 1")
    require_dtype(lengths, ("int64",), "sequence_lens")
    require_shape(lengths, (data.shape[axes[0]],), "sequence_lens")
    require_inside(lengths, data.shape[axes[1]] + 1, negative=False)
    return (Operand(data.dtype, data.shape),)


@operator(
    "ReverseSequence", since=(10, 28), infer=_reverse, cost=per_element(12_000, 30_000), moves=True
)
def reverse_sequence(
    input: Tensor, sequence_lens: Tensor, *, batch_axis: int = 1, time_axis: int = 0
) -> Tensor:
    """The first elements of each sequence backwards; a length outside is brought into the axis."""
    count = input.shape[time_axis]
    lengths = np.clip(sequence_lens, 0, count).reshape((1, -1) if batch_axis else (-1, 1))
    time = np.arange(count, dtype=np.int64).reshape((-1, 1) if batch_axis else (1, -1))
    index = np.where(time < lengths, lengths - 1 - time, time)
    index = index.reshape(*index.shape, *[1] * (input.ndim - 2))
    return np.take_along_axis(input, index, axis=time_axis)
