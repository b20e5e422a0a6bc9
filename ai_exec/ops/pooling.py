"""Pools: the greatest or the mean of windows (R1, R3)."""

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, gas, per_input_element
from ai_exec.ops.rules import (
    FLOAT32,
    FLOATS,
    listed,
    require_dtype,
    require_rank,
    require_shape,
    size,
    wholes_of,
)
from ai_exec.ops.windows import (
    ELEMENT_GAS,
    PADDED_ELEMENTS_MAX,
    Windows,
    padded_elements,
    windows,
    windows_of,
)
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import (
    exact_sum,
    greatest,
    maximum,
    quantise,
    round_to_float32,
    sum_bits,
)
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]
START_GAS = 80_000
"""Padding, and placing windows."""
POOLED = (*FLOATS, "int8", "uint8")


def pooled(call: Call) -> tuple[Operand, ...]:
    """Give the type of a pool; raises Mismatch if a window would lie in the padding only."""
    data = call.at(0)
    require_rank(data, range(3, 6), "X")
    placed = windows_of(call, call.wholes("kernel_shape") or ())
    for before, after, kernel, dilation in zip(
        placed.before, placed.after, placed.kernel, placed.dilations, strict=True
    ):
        if max(before, after) > (kernel - 1) * dilation:
            raise Mismatch("a window lies in the padding only")
    return (Operand(data.dtype, (*data.shape[:2], *placed.outputs)),)


def pool_cost(call: Call) -> int:
    """Price each element of each window, and the padded tensor."""
    kernel = call.wholes("kernel_shape") or ()
    windowed = size(call.outputs[0].shape) * size(kernel)
    counted = 10_000 if call.output_count > 1 else 2_000
    work = gas(counted * windowed + 1_000 * padded_elements(call, kernel))
    elements = ELEMENT_GAS * size(kernel) * (4 if call.output_count > 1 else 1)
    return START_GAS + work + elements


def pool_scratch(call: Call) -> int:
    """Room for the padded tensor and a few results in binary64."""
    padded = padded_elements(call, call.wholes("kernel_shape") or ())
    return 24 * (2 * size(call.at(0).shape) + 2 * padded + 4 * size(call.outputs[0].shape))


def _average_cost(call: Call) -> int:
    return START_GAS + pool_cost(call) + gas(QUANTISE_PICOSECONDS * size(call.at(0).shape))


def _max_pool(call: Call) -> tuple[Operand, ...]:
    (found,) = pooled(call)
    return found, Operand("int64", found.shape)


def _greatest(x: Tensor, placed: Windows) -> Tensor:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    padded = placed.padded(x, lowest)
    found: Tensor | None = None
    for place in placed.slices():
        part = padded[(slice(None), slice(None), *place)]
        found = maximum(part, part) if found is None else maximum(found, part)
    assert found is not None
    return found


def _places(x: Tensor, placed: Windows, storage_order: int) -> Tensor:
    """Give the flat index of each window's greatest element, the first of equals, or first NaN."""
    order = tuple(range(x.ndim)) if not storage_order else (0, 1, *range(x.ndim - 1, 1, -1))
    numbers = np.arange(x.size, dtype=np.int64).reshape([x.shape[axis] for axis in order])
    inside = placed.padded(np.transpose(numbers, order), -1)
    values = placed.padded(x, 0)
    places = np.full((*x.shape[:2], *placed.outputs), -1, np.int64)
    best = np.zeros(places.shape, x.dtype)
    for place in placed.slices():
        part = values[(slice(None), slice(None), *place)]
        index = inside[(slice(None), slice(None), *place)]
        greater = (part > best) | (np.isnan(part) & ~np.isnan(best))
        taken = (index >= 0) & (greater | (places < 0))
        places, best = np.where(taken, index, places), np.where(taken, part, best)
    return places


@operator(
    "MaxPool",
    since=(10, 11, 12, 22),
    infer=_max_pool,
    cost=pool_cost,
    scratch=pool_scratch,
    values=POOLED,
)
def max_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Wholes | None = None,
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    storage_order: int = 0,
    strides: Wholes | None = None,
    output_count: int = 1,
) -> tuple[Tensor, ...]:
    """Greatest of each window; NaN if there is one; a zero is +0.

    The second output is the flat index of the first such element in X, or in X with its spatial
    axes reversed if `storage_order` is set.
    """
    placed = windows(
        x.shape[2:],
        kernel_shape,
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
    )
    found = _greatest(x, placed)
    return (found, _places(x, placed, storage_order)) if output_count > 1 else (found,)


earlier("MaxPool", since=8, of=10, lacks=("ceil_mode", "dilations"), values=FLOATS)


@operator("MaxPool", since=1, infer=pooled, cost=pool_cost, scratch=pool_scratch, values=FLOATS)
def max_pool_1(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> tuple[Tensor, ...]:
    """As later versions, without places, `ceil_mode` and `dilations`."""
    return max_pool(x, auto_pad=auto_pad, kernel_shape=kernel_shape, pads=pads, strides=strides)


def _unpooled_shape(shape: Shape, kernel: Wholes, pads: Wholes, strides: Wholes) -> Shape:
    rank = len(shape) - 2
    parts = zip(shape[2:], kernel, strides, pads[:rank], pads[rank:], strict=True)
    lengths = [
        (length - 1) * stride + reach - before - after
        for length, reach, stride, before, after in parts
    ]
    return (*shape[:2], *lengths)


def _max_unpool(call: Call) -> tuple[Operand, ...]:
    data, places = call.at(0), call.at(1)
    require_rank(data, range(3, 6), "X")
    require_dtype(places, ("int64",), "I")
    require_shape(places, data.shape, "I")
    rank = data.rank - 2
    kernel, pads, strides = (call.wholes(name) for name in ("kernel_shape", "pads", "strides"))
    kernel, pads, strides = kernel or (), pads or (0,) * (2 * rank), strides or (1,) * rank
    if (len(kernel), len(strides), len(pads)) != (rank, rank, 2 * rank) or min(
        *kernel, *strides
    ) < 1:
        raise Mismatch(f"kernel_shape, strides or pads do not fit {data}")
    shape = _unpooled_shape(data.shape, kernel, pads, strides)
    if any(length < 1 for length in shape):
        raise Mismatch(f"nothing to unpool in {data}")
    if size(shape) > PADDED_ELEMENTS_MAX:
        raise Mismatch(f"a result of more than {PADDED_ELEMENTS_MAX} elements")
    if call.optional(2) is not None:
        wanted = wholes_of(call, 2)
        parts = zip(wanted, shape, strict=False)
        if len(wanted) != data.rank or any(length < least for length, least in parts):
            raise Mismatch(f"output_shape {list(wanted)} for {list(shape)}")
        shape = wanted
    return (Operand(data.dtype, shape),)


@operator(
    "MaxUnpool",
    since=(9, 11, 22),
    infer=_max_unpool,
    cost=lambda call: (
        8_000 + gas(15_000 * size(call.at(0).shape) + 4_000 * size(call.outputs[0].shape))
    ),
    values=FLOATS,
)
def max_unpool(
    x: Tensor,
    i: Tensor,
    output_shape: Tensor | None = None,
    *,
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """Zeros with each element at its flat index, the last of equals; an index outside wraps round.

    The index counts in the shape that the pool had; `output_shape` adds zeros behind each axis.
    """
    rank = x.ndim - 2
    pads, strides = pads or (0,) * (2 * rank), strides or (1,) * rank
    shape = _unpooled_shape(x.shape, kernel_shape, pads, strides)
    flat = np.zeros(size(shape), x.dtype)
    flat[np.mod(i.reshape(-1), flat.size)] = x.reshape(-1)
    if output_shape is None:
        return flat.reshape(shape)
    found = np.zeros(listed(output_shape), x.dtype)
    found[tuple(slice(0, length) for length in shape)] = flat.reshape(shape)
    return found


def _average(x: Tensor, placed: Windows, count_include_pad: int) -> Tensor:
    inside = placed.padded(np.ones((1, 1, *x.shape[2:]), np.int64), 0)
    if count_include_pad:
        inside = _inside_padding(x, placed)
    count = _window_sums(inside, placed)
    if x.dtype == np.float64:
        return np.asarray(_window_sums(placed.padded(x, 0.0), placed) / count)
    quantised = quantise(x, tuple(range(2, x.ndim)), sum_bits(placed.elements))
    total = _window_sums(placed.padded(quantised.digits.astype(np.int64), 0), placed)
    return round_to_float32(total.astype(np.float64) * quantised.scale / count)


def _window_sums(padded: Tensor, placed: Windows) -> Tensor:
    """Add the elements of each window in their order."""
    total: Tensor = np.zeros((*padded.shape[:2], *placed.outputs), padded.dtype)
    for place in placed.slices():
        total += padded[(slice(None), slice(None), *place)]
    return total


def _inside_padding(x: Tensor, placed: Windows) -> Tensor:
    """Mark what lies in the tensor or its declared padding, not beyond (for `ceil_mode`)."""
    lengths = zip(placed.before, x.shape[2:], placed.after, strict=True)
    ones = np.ones((1, 1, *(sum(parts) for parts in lengths)), np.int64)
    nowhere = (0,) * len(placed.before)
    bare = Windows(
        placed.kernel, placed.strides, placed.dilations, nowhere, nowhere, placed.outputs
    )
    return bare.padded(ones, 0)


@operator(
    "AveragePool",
    since=(19, 22),
    infer=pooled,
    cost=_average_cost,
    scratch=pool_scratch,
    values=FLOATS,
)
def average_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Wholes | None = None,
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """Exact sum of each window divided by its count in binary64, rounded once.

    A row of R3 is all of a sample and channel; b is told from the window's length.  The elements
    of float64 windows are added in their order instead, from +0 on.
    """
    placed = windows(
        x.shape[2:],
        kernel_shape,
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
    )
    return _average(x, placed, count_include_pad)


earlier("AveragePool", since=(10, 11), of=19, lacks=("dilations",))
earlier("AveragePool", since=7, of=19, lacks=("ceil_mode", "dilations"))
earlier("AveragePool", since=1, of=19, lacks=("ceil_mode", "count_include_pad", "dilations"))


def _global(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(3, 9), "X")
    if not size(data.shape[2:]):
        raise Mismatch(f"nothing to pool in {data}")
    return (Operand(data.dtype, (*data.shape[:2], *[1] * (data.rank - 2))),)


@operator(
    "GlobalAveragePool",
    since=(1, 22),
    infer=_global,
    cost=per_input_element(4_000, 30_000),
    values=FLOAT32,
)
def global_average_pool(x: Tensor) -> Tensor:
    """Exact sum over all spatial axes divided by their length in binary64, rounded once."""
    spatial = tuple(range(2, x.ndim))
    return round_to_float32(exact_sum(x, spatial) / float(size(x.shape[2:])))


@operator("GlobalMaxPool", since=(1, 22), infer=_global, cost=per_input_element(500), values=FLOATS)
def global_max_pool(x: Tensor) -> Tensor:
    """Greatest over all spatial axes; NaN if there is one; a zero is +0."""
    return greatest(x, tuple(range(2, x.ndim)))
