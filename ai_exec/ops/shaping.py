"""Operators that give the same elements another shape or order (R5)."""

from math import prod

import numpy as np

from ai_exec.metering import free, per_element
from ai_exec.ops.rules import (
    LENGTH_BOUND,
    axes_of,
    axis_of,
    bounds_of,
    broadcast_shapes,
    listed,
    one_dtype,
    require_list,
    require_rank,
    require_shape,
    same,
    size,
    wholes_of,
)
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]


@operator("Identity", since=(1, 13, 14, 16, 19, 21, 23, 24, 25), infer=same, cost=free, moves=True)
def identity(input: Tensor) -> Tensor:
    """The input."""
    return input


def reshaped(shape: Shape, wanted: Wholes, *, allowzero: int) -> Shape:
    """Give the shape that Reshape asks for: 0 copies a length, one -1 takes the rest."""
    if any(length < -1 for length in wanted) or wanted.count(-1) > 1:
        raise Mismatch(f"shape {list(wanted)} has lengths that mean nothing")
    if allowzero and 0 in wanted and -1 in wanted:
        raise Mismatch(f"shape {list(wanted)} has both 0 and -1")
    if not allowzero and any(
        length == 0 and axis >= len(shape) for axis, length in enumerate(wanted)
    ):
        raise Mismatch(f"shape {list(wanted)} copies an axis that {list(shape)} has not")
    lengths = [
        shape[axis] if length == 0 and not allowzero else length
        for axis, length in enumerate(wanted)
    ]
    if -1 in lengths:
        known = -size(tuple(lengths))
        if not known or size(shape) % known:
            raise Mismatch(f"{list(shape)} cannot become {list(wanted)}")
        lengths[lengths.index(-1)] = size(shape) // known
    if size(tuple(lengths)) != size(shape):
        raise Mismatch(f"{list(shape)} cannot become {list(wanted)}")
    return tuple(lengths)


def bounded_shape(data: Operand, low: Wholes, high: Wholes, *, allowzero: int) -> Operand:
    """Give what is known of data in a shape whose lengths are bounded."""
    total, axes = size(data.shape), data.rank
    counts = _are_own(data, low, high)
    least, most = [], []
    for axis, (fewest, longest) in enumerate(zip(low, high, strict=True)):
        copies = fewest <= 0 <= longest and not allowzero and axis < axes
        others = (*high[:axis], *high[axis + 1 :]) if counts else (*low[:axis], *low[axis + 1 :])
        rest = max(1, prod(length for length in others if length > 0))
        bound = max(longest, data.shape[axis] if copies else 0, total // rest if fewest < 0 else 0)
        most.append(min(bound, max(total, longest if longest == fewest else 0)))
        least.append(fewest if fewest > 0 else 0)
    return Operand(data.dtype, tuple(most), exact=False, least=tuple(least))


def _are_own(data: Operand, low: Wholes, high: Wholes) -> bool:
    """Tell whether lengths that a run tells are taken for lengths of the data itself.

    So where each is bounded as an uncertain axis of the data is, and all divide the data at its
    greatest: [n, 20] in the shape [n, -1, 4].
    """
    pairs = zip(data.shortest, data.shape, strict=True)
    open_lengths = [longest for fewest, longest in pairs if fewest < longest]
    told = [longest for fewest, longest in zip(low, high, strict=True) if fewest < longest]
    known = prod(length for length in high if length > 0)
    return (
        bool(told)
        and all(length in open_lengths for length in told)
        and known > 0
        and size(data.shape) % known == 0
    )


def _reshape(call: Call) -> tuple[Operand, ...]:
    allowzero = call.whole("allowzero") if "allowzero" in call.attributes else 0
    if call.known(1) is None:
        data = call.at(0)
        if call.at(1).span is None:
            require_list(call, 1)
            if not size(data.shape):
                call.constant(1)  # Nothing bounds the lengths of a tensor without elements.
            count = size(call.at(1).shape)
            bounds = ((-1,) * count, (size(data.shape),) * count)
        else:
            bounds = bounds_of(call, 1)
        found = bounded_shape(data, *bounds, allowzero=allowzero)
        if size(found.shape) > LENGTH_BOUND:
            call.constant(1)
        return (found,)
    shape = reshaped(call.at(0).shape, wholes_of(call, 1), allowzero=allowzero)
    return (Operand(call.at(0).dtype, shape),)


@operator("Reshape", since=(14, 19, 21, 23, 24, 25), infer=_reshape, cost=free, moves=True)
def reshape(data: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    """The elements in another shape; 0 copies a length, -1 takes the rest."""
    wanted = listed(shape)
    return data.reshape(reshaped(data.shape, wanted, allowzero=allowzero))


earlier("Reshape", since=(5, 13), of=14, lacks=("allowzero",))


def _reshape_1(call: Call) -> tuple[Operand, ...]:
    wanted = call.wholes("shape")
    if wanted is None:
        raise Mismatch("attribute shape is missing")
    return (Operand(call.at(0).dtype, reshaped(call.at(0).shape, wanted, allowzero=0)),)


@operator("Reshape", since=1, infer=_reshape_1, cost=free, moves=True)
def reshape_1(
    data: Tensor, *, consumed_inputs: Wholes | None = None, shape: Wholes | None = None
) -> Tensor:
    """As later versions, the shape being an attribute."""
    return data.reshape(reshaped(data.shape, shape or (), allowzero=0))


def _flatten(call: Call) -> tuple[Operand, ...]:
    data, axis = call.at(0), call.whole("axis")
    if not -data.rank <= axis <= data.rank:
        raise Mismatch(f"axis {axis} of {data}")
    split = axis + data.rank if axis < 0 else axis
    return (Operand(data.dtype, (size(data.shape[:split]), size(data.shape[split:]))),)


@operator("Flatten", since=(1, 9, 11, 13, 21, 23, 24, 25), infer=_flatten, cost=free, moves=True)
def flatten(input: Tensor, *, axis: int = 1) -> Tensor:
    """A matrix: axes before `axis` are rows, the others columns."""
    split = axis + input.ndim if axis < 0 else axis
    return input.reshape(size(input.shape[:split]), size(input.shape[split:]))


def _transpose(call: Call) -> tuple[Operand, ...]:
    data, order = call.at(0), call.wholes("perm")
    order = tuple(reversed(range(data.rank))) if order is None else order
    if sorted(order) != list(range(data.rank)):
        raise Mismatch(f"perm {list(order)} is no order of the axes of {data}")
    return (Operand(data.dtype, tuple(data.shape[axis] for axis in order)),)


@operator(
    "Transpose",
    since=(1, 13, 21, 23, 24, 25),
    infer=_transpose,
    cost=per_element(6_000),
    moves=True,
)
def transpose(data: Tensor, *, perm: Wholes | None = None) -> Tensor:
    """Axes in another order, reversed if none is given."""
    return np.transpose(data, perm).copy()


def _squeezed(call: Call, axes: Wholes | None) -> tuple[Operand, ...]:
    data = call.at(0)
    if axes is None:
        return (Operand(data.dtype, tuple(length for length in data.shape if length != 1)),)
    found = axes_of(axes, data.rank)
    if any(data.shape[axis] != 1 for axis in found):
        raise Mismatch(f"axes {list(axes)} of {data} are not of length 1")
    kept = tuple(length for axis, length in enumerate(data.shape) if axis not in found)
    return (Operand(data.dtype, kept),)


def _squeeze(call: Call) -> tuple[Operand, ...]:
    return _squeezed(call, wholes_of(call, 1) if call.optional(1) is not None else None)


def _squeeze_1(call: Call) -> tuple[Operand, ...]:
    return _squeezed(call, call.wholes("axes"))


@operator("Squeeze", since=(13, 21, 23, 24, 25), infer=_squeeze, cost=free, moves=True)
def squeeze(data: Tensor, axes: Tensor | None = None) -> Tensor:
    """Without the given axes of length 1, or all of them."""
    named = None if axes is None else listed(axes)
    return np.squeeze(data, axis=named)


@operator("Squeeze", since=(1, 11), infer=_squeeze_1, cost=free, moves=True)
def squeeze_1(data: Tensor, *, axes: Wholes | None = None) -> Tensor:
    """Without the given axes of length 1, or all of them."""
    return np.squeeze(data, axis=axes)


def _unsqueezed(call: Call, axes: Wholes) -> tuple[Operand, ...]:
    data = call.at(0)
    rank = data.rank + len(axes)
    found = axes_of(axes, rank)
    lengths = iter(data.shape)
    shape = tuple(1 if axis in found else next(lengths) for axis in range(rank))
    return (Operand(data.dtype, shape),)


@operator(
    "Unsqueeze",
    since=(13, 21, 23, 24, 25),
    infer=lambda call: _unsqueezed(call, wholes_of(call, 1)),
    cost=free,
    moves=True,
)
def unsqueeze(data: Tensor, axes: Tensor) -> Tensor:
    """With new axes of length 1 at the given places of the result."""
    return np.expand_dims(data, listed(axes))


@operator(
    "Unsqueeze",
    since=(1, 11),
    infer=lambda call: _unsqueezed(call, call.wholes("axes") or ()),
    cost=free,
    moves=True,
)
def unsqueeze_1(data: Tensor, *, axes: Wholes) -> Tensor:
    """With new axes of length 1 at the given places of the result."""
    return np.expand_dims(data, axes)


def _concat(call: Call) -> tuple[Operand, ...]:
    dtype, first = one_dtype(call), call.at(0)
    axis = axis_of(1 if call.attributes["axis"] is None else call.whole("axis"), first.rank)
    total = 0
    for index in range(len(call.inputs)):
        operand = call.at(index)
        require_rank(operand, range(first.rank, first.rank + 1), f"input {index}")
        expected = (*first.shape[:axis], *operand.shape[axis : axis + 1], *first.shape[axis + 1 :])
        require_shape(operand, expected, f"input {index}")
        total += operand.shape[axis]
    return (Operand(dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :])),)


@operator("Concat", since=(4, 11, 13), infer=_concat, cost=per_element(), moves=True)
def concat(*inputs: Tensor, axis: int) -> Tensor:
    """One after the other along an axis."""
    return np.concatenate(inputs, axis=axis)


@operator("Concat", since=1, infer=_concat, cost=per_element(), moves=True)
def concat_1(*inputs: Tensor, axis: int | None = None) -> Tensor:
    """One after the other along an axis, the second if none is given."""
    return np.concatenate(inputs, axis=1 if axis is None else axis)


def _expand(call: Call) -> tuple[Operand, ...]:
    if call.known(1) is None:
        return (_expanded(call.at(0), *bounds_of(call, 1)),)
    wanted = wholes_of(call, 1)
    if any(length < 0 for length in wanted):
        raise Mismatch(f"shape {list(wanted)} is negative")
    return (Operand(call.at(0).dtype, broadcast_shapes(call.at(0).shape, wanted)),)


def _expanded(data: Operand, low: Wholes, high: Wholes) -> Operand:
    """Bound what data is broadcast to by a shape between two; axes of 1 count most."""
    rank = max(data.rank, len(low))
    own = (1,) * (rank - data.rank) + data.shape
    fewest, longest = ((1,) * (rank - len(end)) + end for end in (low, high))
    most = tuple(
        length if length != 1 else max(bound, 0) for length, bound in zip(own, longest, strict=True)
    )
    least = tuple(
        length if length != 1 else max(bound, 0) for length, bound in zip(own, fewest, strict=True)
    )
    return Operand(data.dtype, most, exact=False, least=least)


@operator("Expand", since=(8, 13), infer=_expand, cost=per_element(1_000, 8_000), moves=True)
def expand(input: Tensor, shape: Tensor) -> Tensor:
    """Broadcast with a shape."""
    wanted = np.broadcast_shapes(input.shape, listed(shape))
    return np.broadcast_to(input, wanted)


def _tile(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    if call.known(1) is None:
        low, repeats = bounds_of(call, 1)
    else:
        low = repeats = wholes_of(call, 1)
    if len(repeats) != data.rank or any(count < 0 for count in repeats):
        raise Mismatch(f"repeats {list(repeats)} for {data}")
    lengths = zip(data.shape, repeats, strict=True)
    most = tuple(length * count for length, count in lengths)
    if low == repeats:
        return (Operand(data.dtype, most),)
    least = (length * max(count, 0) for length, count in zip(data.shape, low, strict=True))
    return (Operand(data.dtype, most, exact=False, least=tuple(least)),)


@operator("Tile", since=(6, 13), infer=_tile, cost=per_element(800, 8_000), moves=True)
def tile(input: Tensor, repeats: Tensor) -> Tensor:
    """Repeated along each axis."""
    return np.tile(input, listed(repeats))


def _whole_number(call: Call, index: int) -> int:
    """Give a constant input that is one number without a fraction."""
    operand = call.at(index)
    if size(operand.shape) != 1:
        raise Mismatch(f"input {index} is {operand}, not one number")
    number = float(call.constant(index).reshape(()))
    if not number.is_integer():
        raise Mismatch(f"input {index} is {number}, not a whole number")
    return int(number)


def _tile_1(call: Call) -> tuple[Operand, ...]:
    data, dtype = call.at(0), one_dtype(call)
    count, axis = _whole_number(call, 1), axis_of(_whole_number(call, 2), data.rank)
    if count < 0:
        raise Mismatch(f"tiles is {count}")
    shape = (*data.shape[:axis], data.shape[axis] * count, *data.shape[axis + 1 :])
    return (Operand(dtype, shape),)


@operator("Tile", since=1, infer=_tile_1, cost=per_element(800, 8_000))
def tile_1(input: Tensor, tiles: Tensor, axis: Tensor) -> Tensor:
    """Repeated along one axis."""
    repeats = [1] * input.ndim
    repeats[int(axis.reshape(()))] = int(tiles.reshape(()))
    return np.tile(input, repeats)
