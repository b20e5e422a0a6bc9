"""Operators that rearrange images: blocks and depth, centred crops, columns to an image."""

from math import prod

import numpy as np

from ai_exec.metering import gas, per_element
from ai_exec.ops.rules import (
    ANY,
    NUMBERS,
    axes_of,
    axis_of,
    listed,
    require_rank,
    require_word,
    size,
    wholes_of,
)
from ai_exec.ops.windows import PADDED_ELEMENTS_MAX, Windows
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]

ORDERS = ("DCR", "CRD")


def _block(call: Call) -> int:
    block = call.whole("blocksize")
    require_rank(call.at(0), range(4, 5), "input")
    require_word(call, "mode", ORDERS)
    if block < 1:
        raise Mismatch(f"blocksize is {block}")
    return block


def _depth_to_space(call: Call) -> tuple[Operand, ...]:
    data, block = call.at(0), _block(call)
    samples, depth, height, width = data.shape
    if depth % (block * block):
        raise Mismatch(f"blocksize is {block} for {data}")
    shape = (samples, depth // (block * block), height * block, width * block)
    return (Operand(data.dtype, shape),)


@operator(
    "DepthToSpace",
    since=(11, 13, 28),
    infer=_depth_to_space,
    cost=per_element(4_500, 5_000),
    values=ANY,
    moves=True,
)
def depth_to_space(input: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """Blocks of the image from its depth: row and column of a block first, or depth with `CRD`."""
    samples, depth, height, width = input.shape
    inner = depth // (blocksize * blocksize)
    if mode == "DCR":
        parts = input.reshape(samples, blocksize, blocksize, inner, height, width)
        order = (0, 3, 4, 1, 5, 2)
    else:
        parts = input.reshape(samples, inner, blocksize, blocksize, height, width)
        order = (0, 1, 4, 2, 5, 3)
    shape = (samples, inner, height * blocksize, width * blocksize)
    return np.transpose(parts, order).reshape(shape)


earlier("DepthToSpace", since=1, of=11, lacks=("mode",))


def _space_to_depth(call: Call) -> tuple[Operand, ...]:
    data, block = call.at(0), _block(call)
    samples, depth, height, width = data.shape
    if height % block or width % block:
        raise Mismatch(f"blocksize is {block} for {data}")
    shape = (samples, depth * block * block, height // block, width // block)
    return (Operand(data.dtype, shape),)


@operator(
    "SpaceToDepth",
    since=28,
    infer=_space_to_depth,
    cost=per_element(4_500, 5_000),
    values=ANY,
    moves=True,
)
def space_to_depth(input: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """Depth from blocks of the image: row and column of a block first, or depth with `CRD`."""
    samples, depth, height, width = input.shape
    rows, columns = height // blocksize, width // blocksize
    parts = input.reshape(samples, depth, rows, blocksize, columns, blocksize)
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    shape = (samples, depth * blocksize * blocksize, rows, columns)
    return np.transpose(parts, order).reshape(shape)


earlier("SpaceToDepth", since=(1, 13), of=28, lacks=("mode",))


def _centred_axes(call: Call) -> Wholes:
    axes, rank = call.wholes("axes"), call.at(0).rank
    axes = tuple(range(rank)) if axes is None else axes
    axes_of(axes, rank)
    return tuple(axis_of(axis, rank) for axis in axes)


def _centred(call: Call) -> tuple[Operand, ...]:
    axes, lengths = _centred_axes(call), wholes_of(call, 1)
    if len(axes) != len(lengths) or any(length < 0 for length in lengths):
        raise Mismatch(f"shape {list(lengths)} for {len(axes)} axes")
    shape = list(call.at(0).shape)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    return (Operand(call.at(0).dtype, tuple(shape)),)


@operator(
    "CenterCropPad",
    since=18,
    infer=_centred,
    cost=per_element(2_000, 15_000),
    values=ANY,
    moves=True,
)
def center_crop_pad(input_data: Tensor, shape: Tensor, *, axes: Wholes | None = None) -> Tensor:
    """Cropped or padded with 0 around the centre; an odd element more at the end."""
    along = tuple(range(input_data.ndim)) if axes is None else axes
    lengths = list(input_data.shape)
    taken, placed = [slice(None)] * input_data.ndim, [slice(None)] * input_data.ndim
    for axis, length in zip(along, listed(shape), strict=True):
        spare = input_data.shape[axis] - length
        taken[axis] = slice(max(spare, 0) // 2, max(spare, 0) // 2 + min(length + spare, length))
        placed[axis] = slice(max(-spare, 0) // 2, max(-spare, 0) // 2 + min(length + spare, length))
        lengths[axis] = length
    result = np.zeros(tuple(lengths), input_data.dtype)
    result[tuple(placed)] = input_data[tuple(taken)]
    return result


def blocks_of(
    image: Shape,
    block: Shape,
    dilations: Wholes | None,
    pads: Wholes | None,
    strides: Wholes | None,
) -> Windows:
    """Place the blocks of Col2Im on the image; raises Mismatch."""
    rank = len(image)
    dilations, strides = dilations or (1,) * rank, strides or (1,) * rank
    pads = pads or (0,) * (2 * rank)
    counts = (len(block), len(dilations), len(strides), len(pads) - rank)
    if counts != (rank,) * 4 or min(*image, *block, *dilations, *strides, *pads, 1) < 0:
        raise Mismatch(f"image {list(image)}, block {list(block)} and attributes do not fit")
    if 0 in (*image, *block, *dilations, *strides):
        raise Mismatch(f"image {list(image)} or block {list(block)} of nothing")
    before, after = pads[:rank], pads[rank:]
    outputs = tuple(
        (length + first + last - (reach - 1) * dilation - 1) // stride + 1
        for length, first, last, reach, dilation, stride in zip(
            image, before, after, block, dilations, strides, strict=True
        )
    )
    if min(outputs, default=0) < 1:
        raise Mismatch(f"block {list(block)} does not fit into image {list(image)}")
    return Windows(block, strides, dilations, before, after, outputs)


def _blocks(call: Call) -> Windows:
    names = ("dilations", "pads", "strides")
    return blocks_of(wholes_of(call, 1), wholes_of(call, 2), *(call.wholes(name) for name in names))


def _padded_lengths(image: Shape, placed: Windows) -> Shape:
    parts = zip(placed.before, image, placed.after, strict=True)
    return tuple(sum(lengths) for lengths in parts)


def _col2im(call: Call) -> tuple[Operand, ...]:
    data, image = call.at(0), wholes_of(call, 1)
    require_rank(data, range(3, 4), "input")
    placed = _blocks(call)
    samples, depth, count = data.shape
    if depth % placed.elements or not depth or count != prod(placed.outputs):
        raise Mismatch(f"{data} is not {list(placed.outputs)} blocks of {list(placed.kernel)}")
    channels = depth // placed.elements
    padded = (samples, channels, *_padded_lengths(image, placed))
    if size(padded) > PADDED_ELEMENTS_MAX:
        raise Mismatch(f"padding makes more than {PADDED_ELEMENTS_MAX} elements of {list(image)}")
    return (Operand(data.dtype, (samples, channels, *image)),)


def _col2im_cost(call: Call) -> int:
    return 10_000 * call.at(0).shape[1] + gas(
        4_000 * size(call.at(0).shape) + 3_000 * _padded_elements(call)
    )


def _col2im_scratch(call: Call) -> int:
    return 8 * _padded_elements(call) + 16 * size(call.at(0).shape)


def _padded_elements(call: Call) -> int:
    """Count the elements of the image with its padding."""
    image = call.outputs[0].shape[2:]
    pads = call.wholes("pads") or (0,) * 2 * len(image)
    lengths = (length + sum(pads[axis :: len(image)]) for axis, length in enumerate(image))
    return size((*call.outputs[0].shape[:2], *lengths))


@operator(
    "Col2Im",
    since=18,
    infer=_col2im,
    cost=_col2im_cost,
    scratch=_col2im_scratch,
    values=NUMBERS,
)
def col2im(
    input: Tensor,
    image_shape: Tensor,
    block_shape: Tensor,
    *,
    dilations: Wholes | None = None,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """Overlapping blocks added in the order of a block's elements, each sum rounded, from +0 on."""
    image = listed(image_shape)
    placed = blocks_of(image, listed(block_shape), dilations, pads, strides)
    samples, channels = input.shape[0], input.shape[1] // placed.elements
    columns = input.reshape(samples, channels, placed.elements, *placed.outputs)
    total = np.zeros((samples, channels, *_padded_lengths(image, placed)), input.dtype)
    for element, place in enumerate(placed.slices()):
        total[(slice(None), slice(None), *place)] += columns[:, :, element]
    inner = zip(placed.before, image, strict=True)
    return total[(slice(None), slice(None), *(slice(at, at + length) for at, length in inner))]
