"""Pools: the greatest or the mean of windows (R1, R3)."""

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, gas, per_input_element
from ai_exec.ops.rules import FLOAT32, FLOATS, only_output, require_rank, size
from ai_exec.ops.windows import Windows, padded_elements, windows, windows_of
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import (
    exact_sum,
    greatest,
    maximum,
    quantise,
    round_to_float32,
    sum_bits,
)
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]
POOLED = (*FLOATS, "int8", "uint8")


def _pool(call: Call) -> tuple[Operand, ...]:
    only_output(call)
    data = call.at(0)
    require_rank(data, range(3, 6), "X")
    placed = windows_of(call, call.wholes("kernel_shape") or ())
    for before, after, kernel, dilation in zip(
        placed.before, placed.after, placed.kernel, placed.dilations, strict=True
    ):
        if max(before, after) > (kernel - 1) * dilation:
            raise Mismatch("a window lies in the padding only")
    return (Operand(data.dtype, (*data.shape[:2], *placed.outputs)),)


def _pool_cost(call: Call) -> int:
    kernel = call.wholes("kernel_shape") or ()
    windowed = size(call.outputs[0].shape) * size(kernel)
    return gas(2_000 * windowed + 1_000 * padded_elements(call, kernel))


def _average_cost(call: Call) -> int:
    return _pool_cost(call) + gas(QUANTISE_PICOSECONDS * size(call.at(0).shape))


def _pool_scratch(call: Call) -> int:
    padded = padded_elements(call, call.wholes("kernel_shape") or ())
    return 24 * (2 * size(call.at(0).shape) + padded + 4 * size(call.outputs[0].shape))


def _max_pool(x: Tensor, placed: Windows) -> Tensor:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    padded = placed.padded(x, lowest)
    found: Tensor | None = None
    for place in placed.slices():
        part = padded[(slice(None), slice(None), *place)]
        found = maximum(part, part) if found is None else maximum(found, part)
    assert found is not None
    return found


@operator("MaxPool", since=8, infer=_pool, cost=_pool_cost, scratch=_pool_scratch, values=FLOATS)
def max_pool_8(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    storage_order: int = 0,
    strides: Wholes | None = None,
) -> Tensor:
    """As later versions, without `ceil_mode` and `dilations`."""
    return max_pool(x, auto_pad=auto_pad, kernel_shape=kernel_shape, pads=pads, strides=strides)


@operator(
    "MaxPool",
    since=(10, 11, 12, 22),
    infer=_pool,
    cost=_pool_cost,
    scratch=_pool_scratch,
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
) -> Tensor:
    """Greatest of each window; NaN if there is one; a zero is +0."""
    placed = windows(
        x.shape[2:],
        kernel_shape,
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
    )
    return _max_pool(x, placed)


def _average(x: Tensor, placed: Windows, count_include_pad: int) -> Tensor:
    spatial = tuple(range(2, x.ndim))
    quantised = quantise(x, spatial, sum_bits(placed.elements))
    padded = placed.padded(quantised.digits.astype(np.int64), 0)
    inside = placed.padded(np.ones((1, 1, *x.shape[2:]), np.int64), 0)
    if count_include_pad:
        inside = _inside_padding(x, placed)
    total = np.zeros((*x.shape[:2], *placed.outputs), np.int64)
    count = np.zeros((1, 1, *placed.outputs), np.int64)
    for place in placed.slices():
        total += padded[(slice(None), slice(None), *place)]
        count += inside[(slice(None), slice(None), *place)]
    return round_to_float32(total.astype(np.float64) * quantised.scale / count)


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
    "AveragePool", since=7, infer=_pool, cost=_average_cost, scratch=_pool_scratch, values=FLOAT32
)
def average_pool_7(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    count_include_pad: int = 0,
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """As later versions, without `ceil_mode` and `dilations`."""
    return average_pool_19(
        x,
        auto_pad=auto_pad,
        count_include_pad=count_include_pad,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )


@operator(
    "AveragePool",
    since=(10, 11),
    infer=_pool,
    cost=_average_cost,
    scratch=_pool_scratch,
    values=FLOAT32,
)
def average_pool_10(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    kernel_shape: Wholes,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """As later versions, without `dilations`."""
    return average_pool_19(
        x,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )


@operator(
    "AveragePool",
    since=(19, 22),
    infer=_pool,
    cost=_average_cost,
    scratch=_pool_scratch,
    values=FLOAT32,
)
def average_pool_19(
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

    A row of R3 is all of a sample and channel; b is told from the window's length.
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
    cost=per_input_element(QUANTISE_PICOSECONDS),
    values=FLOAT32,
)
def global_average_pool(x: Tensor) -> Tensor:
    """Exact sum over all spatial axes divided by their length in binary64, rounded once."""
    spatial = tuple(range(2, x.ndim))
    return round_to_float32(exact_sum(x, spatial) / float(size(x.shape[2:])))


@operator("GlobalMaxPool", since=(1, 22), infer=_global, cost=per_input_element(), values=FLOATS)
def global_max_pool(x: Tensor) -> Tensor:
    """Greatest over all spatial axes; NaN if there is one; a zero is +0."""
    return greatest(x, tuple(range(2, x.ndim)))
