"""Operators whose result is as long as its elements decide: NonZero, Compress, Unique; and TopK.

Elements are ordered as numbers.  The two zeros are equal, all NaNs are one value, the greatest.
Equal ones keep their order.
"""

from typing import Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.rules import ANY, FLOATS, NUMBERS, axis_of, require_dtype, require_rank, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Shape, Tensor

SORT_PICOSECONDS: Final = 12_000
"""Sorting one element, for each time that their number doubles."""
COLUMN_GAS: Final = 3_000
"""One more element of slices that are compared, whatever their number."""
COUNTED_ELEMENTS_MAX: Final = 4096
"""Known elements whose result is counted at once; of more, a bound is told."""


def ordered(x: Tensor) -> Tensor:
    """Give unsigned numbers in the order of the elements."""
    if x.dtype.kind in "bu":
        return x.astype("uint8") if x.dtype.kind == "b" else x
    unsigned = np.dtype(f"uint{8 * x.dtype.itemsize}").type
    top = unsigned(1 << (8 * x.dtype.itemsize - 1))
    if x.dtype.kind == "i":
        return np.asarray(np.ascontiguousarray(x).view(unsigned).reshape(x.shape) ^ top)
    bits = np.ascontiguousarray(x + x.dtype.type(0)).view(unsigned).reshape(x.shape)
    keys = np.where(bits & top, ~bits, bits | top)
    return np.asarray(np.where(np.isnan(x), ~unsigned(0), keys))


def _known(operand: Operand) -> Tensor | None:
    small = size(operand.shape) <= COUNTED_ELEMENTS_MAX
    return operand.value if small else None


def _non_zero(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    value = _known(data)
    count = size(data.shape) if value is None else int((value != 0).sum())
    least = (data.rank, 0)
    return (Operand("int64", (data.rank, count), exact=value is not None, least=least),)


@operator(
    "NonZero",
    since=(9, 13),
    infer=_non_zero,
    cost=lambda call: 15_000 + gas(10_000 * size(call.at(0).shape) * max(call.at(0).rank, 1)),
    values=ANY,
)
def non_zero(x: Tensor) -> Tensor:
    """Indices of the elements that are not zero, in the order of the tensor: [axis, element]."""
    places = np.arange(x.size, dtype=np.int64)[x.reshape(-1) != 0]
    found = np.zeros((x.ndim, len(places)), np.int64)
    for axis in reversed(range(x.ndim)):
        found[axis] = np.mod(places, x.shape[axis] or 1)
        places = np.floor_divide(places, x.shape[axis] or 1)
    return found


def _compress(call: Call) -> tuple[Operand, ...]:
    data, condition, axis = call.at(0), call.at(1), call.attributes["axis"]
    require_dtype(condition, ("bool",), "condition")
    require_rank(condition, range(1, 2), "condition")
    shape: Shape = (size(data.shape),)
    at = 0
    if isinstance(axis, int):
        shape, at = data.shape, axis_of(axis, data.rank)
    if condition.shape[0] > shape[at]:
        raise Mismatch(f"condition {condition} is longer than {shape[at]}")
    value = condition.value
    count = condition.shape[0] if value is None else int(value.sum())
    result = (*shape[:at], count, *shape[at + 1 :])
    return (Operand(data.dtype, result, exact=value is not None),)


@operator(
    "Compress",
    since=(9, 11, 28),
    infer=_compress,
    cost=lambda call: gas(4_000 * size(call.outputs[0].shape) + 4_000 * size(call.at(1).shape)),
    values=ANY,
    moves=True,
)
def compress(input: Tensor, condition: Tensor, *, axis: int | None = None) -> Tensor:
    """Slices along an axis, or elements of the flattened tensor, where the condition holds."""
    flat = input.reshape(-1) if axis is None else input
    places = np.arange(len(condition), dtype=np.int64)[condition]
    return np.take(flat, places, axis=0 if axis is None else axis)


def _unique(call: Call) -> tuple[Operand, ...]:
    data, axis = call.at(0), call.attributes["axis"]
    along = axis_of(axis, data.rank) if isinstance(axis, int) else None
    length = size(data.shape) if along is None else data.shape[along]
    value = _known(data)
    count = length if value is None else len(unique_slices(value, along)[0])
    shape = (count,) if along is None else (*data.shape[:along], count, *data.shape[along + 1 :])
    exact = value is not None
    return (
        Operand(data.dtype, shape, exact=exact),
        Operand("int64", (count,), exact=exact),
        Operand("int64", (length,)),
        Operand("int64", (count,), exact=exact),
    )


def _unique_cost(call: Call) -> int:
    elements, kinds = size(call.at(0).shape), max(call.outputs[2].shape[0], 1)
    return sort_gas(elements, kinds) + COLUMN_GAS * (elements // kinds)


def sort_gas(elements: int, length: int) -> int:
    """Price sorting elements in rows of some length."""
    return 35_000 + gas(SORT_PICOSECONDS * elements * (4 + length.bit_length()))


def unique_slices(data: Tensor, axis: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Give the first of each kind of slice in ascending order, each slice's kind, and counts."""
    rows = ordered(data.reshape(-1, 1)) if axis is None else _rows(ordered(data), axis)
    order = np.arange(len(rows), dtype=np.int64)
    if rows.size:
        order = np.lexsort(tuple(np.flip(rows, axis=1).T))
    sorted_rows = rows[order]
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = (sorted_rows[1:] != sorted_rows[:-1]).any(axis=1)
    kinds = np.zeros(len(rows), np.int64)
    kinds[order] = np.cumsum(starts) - 1
    ends = np.arange(len(rows), dtype=np.int64)[starts]
    counts = np.concatenate([ends[1:], np.array([len(rows)])]) - ends
    return order[starts], kinds, counts.astype(np.int64)


def _rows(data: Tensor, axis: int) -> Tensor:
    length = data.shape[axis]
    order = (axis, *(other for other in range(data.ndim) if other != axis))
    return np.transpose(data, order).reshape(length, data.size // max(length, 1))


@operator("Unique", since=(11, 28), infer=_unique, cost=_unique_cost, values=ANY)
def unique(
    x: Tensor, *, axis: int | None = None, sorted: int = 1
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Each kind of element, or of slices along an axis, once: the first of them.

    Ascending, slices by their first element that differs; or in the order of their first places
    if `sorted` is 0.  Then those places, the place of each slice's kind, and how many there are.
    """
    along = None if axis is None else axis % x.ndim
    places, kinds, counts = unique_slices(x, along)
    if not sorted:
        order = np.argsort(places, kind="stable")
        rank = np.zeros(len(order), np.int64)
        rank[order] = np.arange(len(order), dtype=np.int64)
        places, kinds, counts = places[order], rank[kinds], counts[order]
    flat = x.reshape(-1) if along is None else x
    return np.take(flat, places, axis=along or 0), places, kinds, counts


def _top_k(call: Call, count: int | None, most: int = 1 << 62) -> tuple[Operand, ...]:
    data = call.at(0)
    axis = axis_of(call.whole("axis"), data.rank)
    length = data.shape[axis]
    if count is not None and not 0 <= count <= length:
        raise Mismatch(f"k is {count} of {length} elements")
    kept = min(length, max(most, 0)) if count is None else count
    shape = (*data.shape[:axis], kept, *data.shape[axis + 1 :])
    exact = count is not None
    return Operand(data.dtype, shape, exact=exact), Operand("int64", shape, exact=exact)


def _top_k_10(call: Call) -> tuple[Operand, ...]:
    count = call.at(1)
    require_dtype(count, ("int64",), "K")
    if size(count.shape) != 1:
        raise Mismatch(f"K is {count}, not one number")
    known, span = call.known(1), count.span
    most = 1 << 62 if span is None else int(span.high.max(initial=0))
    return _top_k(call, None if known is None else int(known.reshape(())), most)


def _top_k_cost(call: Call) -> int:
    data = call.at(0)
    return sort_gas(size(data.shape), data.shape[call.whole("axis")])


@operator("TopK", since=(11, 24), infer=_top_k_10, cost=_top_k_cost, values=NUMBERS)
def top_k(
    x: Tensor, k: Tensor, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> tuple[Tensor, Tensor]:
    """The greatest, or least, elements along an axis and their indices, always sorted.

    The one with the lower index comes first of equals.
    """
    return _chosen(x, int(k.reshape(())), axis, largest)


def _chosen(x: Tensor, count: int, axis: int, largest: int) -> tuple[Tensor, Tensor]:
    keys = ordered(x)
    order = np.argsort(~keys if largest else keys, axis=axis, kind="stable")
    index = np.take(order, np.arange(count, dtype=np.int64), axis=axis).astype(np.int64)
    return np.take_along_axis(x, index, axis=axis), index


@operator("TopK", since=10, infer=_top_k_10, cost=_top_k_cost, values=FLOATS)
def top_k_10(x: Tensor, k: Tensor, *, axis: int = -1) -> tuple[Tensor, Tensor]:
    """As later versions: the greatest."""
    return _chosen(x, int(k.reshape(())), axis, 1)


@operator(
    "TopK",
    since=1,
    infer=lambda call: _top_k(call, call.whole("k")),
    cost=_top_k_cost,
    values=FLOATS,
)
def top_k_1(x: Tensor, *, axis: int = -1, k: int) -> tuple[Tensor, Tensor]:
    """As later versions: the greatest."""
    return _chosen(x, k, axis, 1)
