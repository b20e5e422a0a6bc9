"""Transposed convolution (R3): every element paints a kernel."""

from dataclasses import replace
from math import prod

import numpy as np

from ai_exec.metering import contraction, gas
from ai_exec.ops.rules import FLOAT32, one_dtype, require_rank, require_shape, size
from ai_exec.ops.windows import (
    AUTO_PADS,
    ELEMENT_GAS,
    PADDED_ELEMENTS_MAX,
    WINDOW_ELEMENTS_MAX,
    Windows,
)
from ai_exec.registry import Attributes, Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import (
    Floats,
    channels_of_block,
    combine,
    product_bits,
    quantise,
    round_to_float32,
    whole_product,
)
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]

BLOCK_GAS = 100_000
"""One block of one group, whatever it holds."""


def painted(spatial: Shape, kernel: Shape, given: Attributes) -> tuple[Windows, Shape]:
    """Place the kernel of each element on the result, and give its lengths; raises Mismatch.

    Paddings say what is cut off; where they are to be found they are not negative.
    """
    rank = len(spatial)
    lists = {
        name: tuple(given[name] or (least,) * count)  # type: ignore[arg-type]
        for name, least, count in (
            ("strides", 1, rank),
            ("dilations", 1, rank),
            ("output_padding", 0, rank),
            ("pads", 0, 2 * rank),
        )
    }
    wanted = given["output_shape"]
    lists["output_shape"] = tuple(wanted or (1,) * rank)  # type: ignore[arg-type]
    for name, values in lists.items():
        least = 0 if name in ("output_padding", "pads") else 1
        length = 2 * rank if name == "pads" else rank
        if len(values) != length or any(value < least for value in values):
            raise Mismatch(f"{name} is {list(values)} for {rank} spatial axes")
    if given["auto_pad"] not in AUTO_PADS:
        raise Mismatch(f"auto_pad is {given['auto_pad']}, not one of {', '.join(AUTO_PADS)}")
    if not 0 < prod(kernel) <= WINDOW_ELEMENTS_MAX or not prod(spatial):
        raise Mismatch(f"a kernel {list(kernel)} on {list(spatial)}")
    placed = Windows(kernel, lists["strides"], lists["dilations"], spatial, spatial, spatial)
    full = tuple(sum(pair) for pair in zip(placed.reach, lists["output_padding"], strict=True))
    before, outputs = _cut(full, spatial, lists, given["auto_pad"], bool(wanted))
    if any(length < 0 for length in outputs):
        raise Mismatch(f"pads {list(lists['pads'])} cut off more than there is: {list(full)}")
    return replace(placed, before=before), outputs


def _cut(
    full: Shape, spatial: Shape, lists: dict[str, Wholes], auto_pad: object, wanted: bool
) -> tuple[Shape, Shape]:
    """Give what is cut off in front of each axis, and the lengths that are left."""
    rank, pads = len(spatial), lists["pads"]
    same = auto_pad in ("SAME_UPPER", "SAME_LOWER")
    if not wanted and not same:
        pads = pads if auto_pad == "NOTSET" else (0,) * (2 * rank)
        parts = zip(full, pads[:rank], pads[rank:], strict=True)
        return pads[:rank], tuple(length - before - after for length, before, after in parts)
    outputs = lists["output_shape"]
    if not wanted:
        pairs = zip(spatial, lists["strides"], strict=True)
        outputs = tuple(length * stride for length, stride in pairs)
    totals = [max(length - left, 0) for length, left in zip(full, outputs, strict=True)]
    less = tuple(total // 2 for total in totals)
    more = tuple(total - total // 2 for total in totals)
    return less if auto_pad == "SAME_UPPER" else more, outputs


def _held(placed: Windows, outputs: Shape) -> Shape:
    """Give the lengths of the result before it is cut."""
    parts = zip(placed.reach, placed.before, outputs, strict=True)
    return tuple(max(reach, before + length) for reach, before, length in parts)


def _painted(call: Call) -> tuple[Windows, Shape]:
    return painted(call.at(0).shape[2:], call.at(1).shape[2:], call.attributes)


def _conv_transpose(call: Call) -> tuple[Operand, ...]:
    data, weights, group = call.at(0), call.at(1), call.whole("group")
    dtype = one_dtype(call)
    require_rank(data, range(3, 6), "X")
    require_rank(weights, range(data.rank, data.rank + 1), "W")
    kernel = call.wholes("kernel_shape")
    if kernel is not None and kernel != weights.shape[2:]:
        raise Mismatch(f"kernel_shape is {list(kernel)}, W is {weights}")
    if group < 1 or data.shape[1] % group or data.shape[1] != weights.shape[0]:
        raise Mismatch(f"group is {group}, X is {data}, W is {weights}")
    maps = weights.shape[1] * group
    if not maps or not data.shape[1]:
        raise Mismatch(f"nothing to convolve: X is {data}, W is {weights}")
    bias = call.optional(2)
    if bias is not None:
        require_shape(bias, (maps,), "B")
    placed, outputs = _painted(call)
    if max(data.shape[0], 1) * maps * size(_held(placed, outputs)) > PADDED_ELEMENTS_MAX:
        raise Mismatch(f"a result of more than {PADDED_ELEMENTS_MAX} elements before it is cut")
    return (Operand(dtype, (data.shape[0], maps, *outputs)),)


def _cost(call: Call) -> int:
    data, weights = call.at(0), call.at(1)
    placed, outputs = _painted(call)
    group, samples, channels = call.whole("group"), data.shape[0], data.shape[1]
    products = size(data.shape) * size(weights.shape[1:])
    blocks = group * -(-(channels // group) // channels_of_block(placed.elements))
    painted_elements = products // max(channels // group, 1) * blocks // group
    held = samples * weights.shape[1] * size(_held(placed, outputs)) * blocks
    overhead = BLOCK_GAS * (1 + blocks) + ELEMENT_GAS * blocks * placed.elements
    quantised = size(data.shape) + size(weights.shape)
    return (
        overhead
        + contraction(products, quantised, size(call.outputs[0].shape))
        + gas(12_000 * (painted_elements + held))
    )


def _scratch(call: Call) -> int:
    data, weights = call.at(0), call.at(1)
    placed, outputs = _painted(call)
    maps = weights.shape[1]
    columns = size(data.shape[2:]) * maps * placed.elements * data.shape[0]
    held = data.shape[0] * maps * size(_held(placed, outputs))
    results = size(call.outputs[0].shape)
    return 16 * (columns + 2 * held) + 24 * (size(data.shape) + size(weights.shape) + results)


@operator(
    "ConvTranspose",
    since=(1, 11, 22),
    infer=_conv_transpose,
    cost=_cost,
    scratch=_scratch,
    values=FLOAT32,
)
def conv_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Wholes | None = None,
    group: int = 1,
    kernel_shape: Wholes | None = None,
    output_padding: Wholes | None = None,
    output_shape: Wholes | None = None,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """Sum of the kernels that elements paint, each times its element, plus a bias, rounded once.

    Rows of R3 are all elements of a sample and group within a block of channels, and all of a block
    of W that belong to one map; K is the channels of the block times the elements of a kernel, and
    blocks are those of Conv.  The bias is added in binary64.
    """
    given: Attributes = {
        "auto_pad": auto_pad,
        "dilations": dilations,
        "output_padding": output_padding,
        "output_shape": output_shape,
        "pads": pads,
        "strides": strides,
    }
    placed, outputs = painted(x.shape[2:], w.shape[2:], given)
    channels = x.shape[1] // group
    groups = [slice(index * channels, (index + 1) * channels) for index in range(group)]
    total = np.concatenate([_paint(x[:, one], w[one], placed, outputs) for one in groups], axis=1)
    if b is not None:
        total = total + b.astype(np.float64).reshape(-1, *[1] * (x.ndim - 2))
    return round_to_float32(total)


def _paint(data: Tensor, kernels: Tensor, placed: Windows, outputs: Shape) -> Floats:
    """Give one group's sums, not yet rounded: [sample, map, ...outputs]."""
    samples, channels, maps = data.shape[0], data.shape[1], kernels.shape[1]
    spatial = tuple(range(2, data.ndim))
    step = channels_of_block(placed.elements)
    total = np.zeros((samples, maps, *outputs))
    for start in range(0, channels, step):
        block = slice(start, min(start + step, channels))
        count = block.stop - block.start
        bits = product_bits(count * placed.elements)
        a = quantise(data[:, block], (1, *spatial), bits)
        b = quantise(kernels[block], (0, *spatial), bits)
        columns = whole_product(
            b.digits.reshape(count, maps * placed.elements).T,
            a.digits.reshape(samples, count, size(placed.outputs)),
        ).reshape(samples, maps, placed.elements, *placed.outputs)
        whole = np.zeros((samples, maps, *_held(placed, outputs)))
        for element, place in enumerate(placed.slices()):
            whole[(slice(None), slice(None), *place)] += columns[:, :, element]
        inner = zip(placed.before, outputs, strict=True)
        kept = [slice(before, before + length) for before, length in inner]
        part = combine(whole[(slice(None), slice(None), *kept)], a.scale, b.scale)
        total = part if start == 0 else total + part
    return total
