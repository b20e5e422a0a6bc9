"""Operators that write elements at computed places (R5, or R1 in index order)."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.picking import flat_rows, inside, require_inside
from ai_exec.ops.rules import (
    ANY,
    INDICES,
    axis_of,
    require_dtype,
    require_rank,
    require_shape,
    require_word,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Tensor

REDUCTIONS: Final[dict[str, Callable[..., None] | None]] = {
    "none": None,
    "add": np.add.at,
    "mul": np.multiply.at,
    "max": np.maximum.at,
    "min": np.minimum.at,
}


def written(data: Tensor, places: Tensor, updates: Tensor, reduction: str) -> Tensor:
    """Write updates at places of the flattened tensor, one after the other.

    So the last one wins where a place is there twice; a reduction takes updates in their order,
    each result rounded.  Max and min give NaN if an operand is NaN, and a zero that they touch
    is +0.
    """
    found = data.reshape(-1).copy()
    flat, values = places.reshape(-1), updates.reshape(-1)
    reduce = REDUCTIONS[reduction]
    if reduce is None:
        found[flat] = values
    else:
        reduce(found, flat, values)
    if reduction in ("max", "min") and data.dtype.kind == "f":
        found[flat] = found[flat] + data.dtype.type(0)
    return found.reshape(data.shape)


def _check(call: Call, indices: tuple[str, ...]) -> tuple[Operand, Operand, Operand]:
    data, places, updates = call.at(0), call.at(1), call.at(2)
    require_dtype(places, indices, "indices")
    require_dtype(updates, (data.dtype,), "updates")
    require_word(call, "reduction", tuple(REDUCTIONS))
    adds = call.attributes.get("reduction", "none") in ("add", "mul")
    if data.dtype == "bool" and adds:
        raise Mismatch(f"reduction {call.word('reduction')} of truth values")
    return data, places, updates


def _scatter_elements(call: Call) -> tuple[Operand, ...]:
    data, indices, updates = _check(call, INDICES)
    require_rank(indices, range(data.rank, data.rank + 1), "indices")
    require_shape(updates, indices.shape, "updates")
    axis = axis_of(call.whole("axis"), data.rank)
    for other, (length, most) in enumerate(zip(indices.shape, data.shape, strict=True)):
        if other != axis and length > most:
            raise Mismatch(f"indices {indices} are larger than {data}")
    require_inside(indices, data.shape[axis])
    return (Operand(data.dtype, data.shape),)


def _cost(call: Call) -> int:
    updates, shape = call.at(2), call.at(0).shape
    return 35_000 + gas(1_500 * size(shape) + 18_000 * size(updates.shape))


@operator("ScatterElements", since=(16, 18), infer=_scatter_elements, cost=_cost, values=ANY)
def scatter_elements(
    data: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0, reduction: str = "none"
) -> Tensor:
    """Elements replaced along an axis by index, or reduced with updates one after the other."""
    axis %= data.ndim
    places: Any = np.zeros((), np.int64)
    for other, length in enumerate(data.shape):
        along = np.arange(indices.shape[other], dtype=np.int64)
        along = along.reshape((1,) * other + (-1,) + (1,) * (data.ndim - other - 1))
        at = inside(indices.astype(np.int64), length) if other == axis else along
        places = places * length + at
    return written(data, np.broadcast_to(places, indices.shape), updates, reduction)


@operator("Scatter", since=(9, 11), infer=_scatter_elements, cost=_cost, values=ANY, moves=True)
@operator(
    "ScatterElements", since=(11, 13), infer=_scatter_elements, cost=_cost, values=ANY, moves=True
)
def scatter_elements_11(data: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0) -> Tensor:
    """Elements replaced along an axis by index; the last update of a place wins."""
    return scatter_elements(data, indices, updates, axis=axis)


def _scatter_nd(call: Call) -> tuple[Operand, ...]:
    data, indices, updates = _check(call, ("int64",))
    require_rank(indices, range(1, 9), "indices")
    depth = indices.shape[-1]
    if not 1 <= depth <= data.rank:
        raise Mismatch(f"indices {indices} of {data}")
    require_shape(updates, (*indices.shape[:-1], *data.shape[depth:]), "updates")
    for axis in range(depth):
        part = None if indices.value is None else indices.value[..., axis]
        require_inside(Operand("int64", indices.shape[:-1], part), data.shape[axis])
    return (Operand(data.dtype, data.shape),)


@operator("ScatterND", since=(16, 18), infer=_scatter_nd, cost=_cost, values=ANY)
def scatter_nd(
    data: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none"
) -> Tensor:
    """Slices replaced by index tuple, or reduced with updates one after the other."""
    depth = indices.shape[-1]
    inner = size(data.shape[depth:])
    rows = flat_rows(indices, data.shape[:depth]).reshape(-1, 1)
    return written(data, rows * inner + np.arange(inner, dtype=np.int64), updates, reduction)


@operator("ScatterND", since=(11, 13), infer=_scatter_nd, cost=_cost, values=ANY, moves=True)
def scatter_nd_11(data: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Slices replaced by index tuple; the last update of a slice wins."""
    return scatter_nd(data, indices, updates)


def _tensor_scatter(call: Call) -> tuple[Operand, ...]:
    cache, update, start = call.at(0), call.at(1), call.optional(2)
    require_dtype(update, (cache.dtype,), "update")
    require_word(call, "mode", ("linear", "circular"))
    axis = axis_of(call.whole("axis"), cache.rank)
    if axis == 0:
        raise Mismatch("axis 0 is the batch")
    require_rank(update, range(cache.rank, cache.rank + 1), "update")
    length, most = update.shape[axis], cache.shape[axis]
    require_shape(update, (*cache.shape[:axis], length, *cache.shape[axis + 1 :]), "update")
    if length > most:
        raise Mismatch(f"update {update} is longer than {cache}")
    if start is not None:
        require_dtype(start, ("int64",), "write_indices")
        require_shape(start, (cache.shape[0],), "write_indices")
        if call.word("mode") == "linear":
            require_inside(start, most - length + 1, negative=False)
    return (Operand(cache.dtype, cache.shape),)


@operator(
    "TensorScatter",
    since=24,
    infer=_tensor_scatter,
    cost=lambda call: 15_000 + gas(1_500 * size(call.at(0).shape) + 3_000 * size(call.at(1).shape)),
    values=ANY,
    moves=True,
)
def tensor_scatter(
    past_cache: Tensor,
    update: Tensor,
    write_indices: Tensor | None = None,
    *,
    axis: int = -2,
    mode: str = "linear",
) -> Tensor:
    """The cache with each sample's update from its index on; behind the end it goes on in front."""
    samples, length = past_cache.shape[0], update.shape[axis]
    start = np.zeros(samples, np.int64) if write_indices is None else write_indices
    most = past_cache.shape[axis]
    found = past_cache.copy()
    if not update.size:
        return found
    first = np.mod(start, most).reshape(-1, 1)
    places = np.mod(first + np.arange(length, dtype=np.int64), most)
    sample = np.arange(samples, dtype=np.int64).reshape(-1, 1)
    found.swapaxes(1, axis)[sample, places] = update.swapaxes(1, axis)
    return found
