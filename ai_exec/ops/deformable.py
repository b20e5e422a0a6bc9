"""Deformable convolution (R3): elements of a window are sampled at places that an input moves."""

import numpy as np

from ai_exec.metering import GROUP_GAS, contraction, gas
from ai_exec.ops.rules import FLOAT32, one_dtype, require_rank, require_shape, size
from ai_exec.ops.sampling import TAP_GAS, TAP_PICOSECONDS, mixed, taps_at
from ai_exec.ops.windows import Windows, windows
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import (
    Floats,
    channels_of_block,
    combine,
    product_bits,
    quantise,
    round_to_float32,
    whole_product,
)
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]


def _placed(call: Call) -> Windows:
    data, weights = call.at(0), call.at(1)
    return windows(
        data.shape[2:],
        weights.shape[2:],
        strides=call.wholes("strides"),
        dilations=call.wholes("dilations"),
        pads=call.wholes("pads"),
        auto_pad="NOTSET",
    )


def _deform_conv(call: Call) -> tuple[Operand, ...]:
    data, weights, offset = call.at(0), call.at(1), call.at(2)
    dtype = one_dtype(call)
    require_rank(data, range(3, 6), "X")
    require_rank(weights, range(data.rank, data.rank + 1), "W")
    kernel = call.wholes("kernel_shape")
    if kernel is not None and kernel != weights.shape[2:]:
        raise Mismatch(f"kernel_shape is {list(kernel)}, W is {weights}")
    group, parts, channels = call.whole("group"), call.whole("offset_group"), data.shape[1]
    if group < 1 or weights.shape[0] % group or channels != weights.shape[1] * group:
        raise Mismatch(f"group is {group}, X is {data}, W is {weights}")
    if parts < 1 or channels % parts or not channels or 0 in data.shape[2:]:
        raise Mismatch(f"offset_group is {parts}, X is {data}")
    placed = _placed(call)
    places = parts * placed.elements
    require_shape(offset, (data.shape[0], places * (data.rank - 2), *placed.outputs), "offset")
    if call.optional(3) is not None:
        require_shape(call.at(3), (weights.shape[0],), "B")
    if call.optional(4) is not None:
        require_shape(call.at(4), (data.shape[0], places, *placed.outputs), "mask")
    return (Operand(dtype, (data.shape[0], weights.shape[0], *placed.outputs)),)


def _sampled(call: Call) -> int:
    """Count the sampled elements of all channels."""
    data, result = call.at(0), call.outputs[0].shape
    return size(data.shape[:2]) * size((*call.at(1).shape[2:], *result[2:]))


def _cost(call: Call) -> int:
    data, weights, result = call.at(0), call.at(1), call.outputs[0].shape
    taps, sampled = 1 << (data.rank - 2), _sampled(call)
    work = TAP_GAS * taps + gas(TAP_PICOSECONDS * taps * (sampled + size(call.at(2).shape)))
    products = size(result) * size(weights.shape[1:])
    quantised = sampled + size(weights.shape)
    return (
        work
        + GROUP_GAS * (3 + 2 * call.whole("group"))
        + contraction(products, quantised, size(result))
    )


def _scratch(call: Call) -> int:
    sampled, moved = _sampled(call), size(call.at(2).shape)
    held = size(call.at(0).shape) + size(call.at(1).shape) + size(call.outputs[0].shape)
    return 40 * sampled + 80 * moved + 24 * held


@operator(
    "DeformConv",
    since=(19, 22),
    infer=_deform_conv,
    cost=_cost,
    scratch=_scratch,
    values=FLOAT32,
)
def deform_conv(
    x: Tensor,
    w: Tensor,
    offset: Tensor,
    b: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    dilations: Wholes | None = None,
    group: int = 1,
    kernel_shape: Wholes | None = None,
    offset_group: int = 1,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """As Conv, of elements mixed linearly at moved places and multiplied by the mask in binary64.

    Elements outside the tensor count as 0.  Rows of R3 are all mixed elements of a sample and group
    within a block of channels, and each kernel; blocks are those of Conv.
    """
    placed = windows(
        x.shape[2:],
        w.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad="NOTSET",
    )
    columns = _columns(x, offset, mask, placed, offset_group)
    inputs, maps = w.shape[1], w.shape[0] // group
    parts = [
        _contract(
            columns[:, index * inputs : (index + 1) * inputs],
            w[index * maps : (index + 1) * maps].reshape(maps, inputs, placed.elements),
        )
        for index in range(group)
    ]
    total = np.concatenate(parts, axis=1).reshape(x.shape[0], w.shape[0], *placed.outputs)
    if b is not None:
        total = total + b.astype(np.float64).reshape(-1, *[1] * (x.ndim - 2))
    return round_to_float32(total)


def _columns(x: Tensor, offset: Tensor, mask: Tensor | None, placed: Windows, parts: int) -> Floats:
    """Give the mixed elements [sample, channel, kernel element, place]."""
    samples, channels, rank = x.shape[0], x.shape[1], x.ndim - 2
    moves = offset.astype(np.float64).reshape(
        samples * parts, *placed.kernel, rank, *placed.outputs
    )
    taps = []
    for axis in range(rank):
        element = np.arange(placed.kernel[axis], dtype=np.float64) * placed.dilations[axis]
        output = np.arange(placed.outputs[axis], dtype=np.float64) * placed.strides[axis]
        element = element.reshape(-1, *[1] * (2 * rank - axis - 1))
        output = (output - placed.before[axis]).reshape(-1, *[1] * (rank - axis - 1))
        place = element + output + np.take(moves, axis, axis=1 + rank)
        place = place.reshape(samples * parts, placed.elements * size(placed.outputs))
        taps.append(taps_at(place, x.shape[2 + axis], 2, zeros=True))
    flat = x.astype(np.float64).reshape(samples * parts, channels // parts, size(x.shape[2:]))
    found = mixed(flat, x.shape[2:], taps)
    places = size(placed.outputs)
    if mask is not None:
        found = found * mask.astype(np.float64).reshape(
            samples * parts, 1, placed.elements * places
        )
    return found.reshape(samples, channels, placed.elements, places)


def _contract(columns: Floats, kernels: Tensor) -> Floats:
    """Give one group's sums [sample, map, place], not yet rounded."""
    samples, channels, elements, places = columns.shape
    step = channels_of_block(elements)
    total = np.zeros((samples, kernels.shape[0], places))
    for start in range(0, channels, step):
        block = slice(start, min(start + step, channels))
        length = (block.stop - block.start) * elements
        bits = product_bits(length)
        a = quantise(columns[:, block].reshape(samples, length, places), (1, 2), bits)
        b = quantise(kernels[:, block].reshape(-1, length), (1,), bits)
        part = combine(whole_product(b.digits, a.digits), a.scale, b.scale)
        total = part if start == 0 else total + part
    return total
