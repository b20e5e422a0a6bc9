"""Prepared convolutions: kernels quantised once, in the form of the way that suits their shape.

Data lies with its channels last inside of chains of convolutions: results are views of such
arrays with the axes in ONNX's order, which other kernels may read as any array.
"""

from dataclasses import dataclass
from math import prod
from typing import Final, Protocol

import numpy as np

from ai_exec.fast.convolution_depth import convolve_depth
from ai_exec.fast.convolution_finish import Ending, Link, ending_of
from ai_exec.fast.convolution_rows import Shapes, convolve_rows, pack_rows, quantise_kernels
from ai_exec.fast.convolution_squares import (
    convolve_squares,
    cut_chunks,
    pack_squares,
    reach_of,
)
from ai_exec.fast.convolution_vectors import PLACES
from ai_exec.fast.tiles import NARROW_VECTORS, VECTORS, WIDE_LANES
from ai_exec.fast.weights import Weights
from ai_exec.ops.windows import Windows, windows
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import Floats, channels_of_block, product_bits
from ai_exec.tensor import Shape, Tensor

PIECE_ROWS: Final = 48
"""Rows that are computed together, at most: so many that tiles of all heights divide them."""
PIECE_BYTES: Final = 1 << 20
"""Room for a piece of gathered data: it should stay near the core."""
CHUNK_CHANNELS_MIN: Final = 8
"""Where chunks are shorter than this, squares cost more than they save."""
SQUARES_MIN: Final = 8
NO_TENSOR: Final = np.zeros((1, 1), np.float32)


def channels_last(x: Tensor) -> Tensor:
    """Give [sample, ...spatial, channel] in one piece, without copying what lies so already."""
    return np.ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))


def channels_second(x: Tensor) -> Tensor:
    """Give the view in ONNX's order of what lies with its channels last."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Channels in blocks, all groups one after the other."""

    inner: Tensor
    """Where blocks of a group start and end."""
    bounds: Tensor
    """The same of all groups."""
    bits: Tensor
    """Of each block."""


def quantised_blocks(kernels: Tensor, groups: int) -> tuple[Blocks, Tensor, Floats]:
    """Quantise kernels [map, channel of the group, ...] by blocks.

    Gives digits of 32 bits [map, channel, tap] and scales [block of the group, map] too.
    """
    maps, channels = kernels.shape[:2]
    taps = prod(kernels.shape[2:])
    inner = np.array([*range(0, channels, channels_of_block(taps)), channels])
    bits = np.array([product_bits(int(length) * taps) for length in np.diff(inner)])
    digits = np.empty((maps, channels, taps), np.int32)
    scales = np.ones((len(bits), maps))
    whole = np.array(kernels, np.float32).reshape(maps, channels, taps)
    quantise_kernels(whole, inner, bits, digits, scales)
    starts = (np.arange(groups)[:, None] * channels + inner[:-1]).reshape(-1)
    bounds = np.append(starts, groups * channels)
    return Blocks(inner, bounds, np.tile(bits, groups)), digits, scales


Operands = tuple[Ending, Tensor, Tensor, Tensor, Tensor]
"""The ending, the other tensor [sample and pixel, map], the greatest bits of x [sample, channel] or
[sample, 0], results, and their greatest bits, which begin with 0."""


class Way(Protocol):
    """How results of a convolution are computed."""

    def run(self, x: Tensor, operands: Operands) -> None:
        """Convolve x [sample, channel, depth, height, width] into `out` [sample and pixel, map]."""
        ...


class PreparedConvolution:
    """A convolution with constant kernels and what follows it; the bits of the operators'.

    No length of its operands may be 0.
    """

    def __init__(
        self,
        shape: Shape,
        kernels: Tensor,
        bias: Tensor | None,
        attributes: Attributes,
        links: tuple[Link, ...] = (),
        weights: Weights | None = None,
    ) -> None:
        groups = attributes["group"]
        assert isinstance(groups, int)
        placed = _place(shape, kernels, attributes)
        self._spatial = (1,) * (5 - len(shape)) + shape[2:]
        self._result = (shape[0], *placed.outputs, kernels.shape[0])
        self._unknown = np.zeros((shape[0], 0), np.int32)
        self._ending = ending_of(links, bias, kernels.shape[0])
        self._way = way_of(self._spatial, kernels, groups, placed, weights or Weights())

    def run(
        self, x: Tensor, tensor: Tensor | None = None, sizes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Convolve, and take each result through the chain, with another tensor if it reads one.

        Gives the results and the greatest bits of their sizes by sample and channel, which whoever
        has them of x may pass, so that they need not be found again.
        """
        out = np.empty(self._result, np.float32)
        flat = out.reshape(-1, out.shape[-1])
        other = NO_TENSOR if tensor is None else channels_last(tensor).reshape(flat.shape)
        found = np.zeros((out.shape[0], out.shape[-1]), np.int32)
        known = self._unknown if sizes is None else sizes
        data = x.reshape(*x.shape[:2], *self._spatial)
        self._way.run(data, (self._ending, other, known, flat, found))
        return channels_second(out), found


def _place(shape: Shape, kernels: Tensor, attributes: Attributes) -> Windows:
    given = {name: attributes[name] for name in ("strides", "dilations", "pads")}
    return windows(
        shape[2:],
        kernels.shape[2:],
        strides=given["strides"],  # type: ignore[arg-type]
        dilations=given["dilations"],  # type: ignore[arg-type]
        pads=given["pads"],  # type: ignore[arg-type]
        auto_pad=str(attributes["auto_pad"]),
    )


def way_of(spatial: Shape, kernels: Tensor, groups: int, placed: Windows, weights: Weights) -> Way:
    """Choose by shapes and by the sizes of kernels, which are constant."""
    shape = tuple(
        (fill,) * (3 - len(part)) + part
        for part, fill in (
            (placed.kernel, 1),
            (placed.strides, 1),
            (placed.dilations, 1),
            (placed.before, 0),
            (placed.outputs, 1),
        )
    )
    flat = spatial[0] == shape[0][0] == shape[4][0] == 1 and not shape[3][0]
    if flat and groups == len(kernels) >= WIDE_LANES and kernels.shape[1] == 1:
        by_channel = weights.ready(kernels, "channels", depth_kernels)
        return Depth(by_channel, tuple(part[1:] for part in shape))
    if groups == 1 and is_square(shape, flat=flat):
        squares = weights.ready(kernels, "squares", square_kernels)
        if squares.packed.size:
            return Squares(squares, shape[3][1:], shape[4][1:])
    form = ("rows", groups)
    return Rows(
        weights.ready(kernels, form, lambda value: row_kernels(value, groups)), shape, spatial
    )


def is_square(shape: tuple[Shape, ...], *, flat: bool) -> bool:
    """Tell whether kernels are 3 x 3 and move by one over enough results."""
    kernel, strides, dilations, _, outputs = shape
    fits = kernel == (1, 3, 3) and strides[1:] == dilations[1:] == (1, 1)
    return flat and fits and prod((length + 1) // 2 for length in outputs) >= SQUARES_MIN


def _lines(x: Tensor) -> Tensor:
    """Give [sample, height, width and channel] of what has no depth."""
    return channels_last(x).reshape(x.shape[0], x.shape[3], -1)


def panel_columns(maps: int) -> Tensor:
    """Where panels of three and two vectors start that hold so many maps, and where they end."""
    vectors = max(-(-maps // WIDE_LANES), NARROW_VECTORS)
    narrow = -vectors % VECTORS
    wide = (vectors - NARROW_VECTORS * narrow) // VECTORS
    widths = [VECTORS] * wide + [NARROW_VECTORS] * narrow
    return np.append(0, np.cumsum(widths)) * WIDE_LANES


def _padded(scales: Floats, columns: Tensor) -> Floats:
    """Scales [..., map] for all columns of panels."""
    found = np.ones((*scales.shape[:-1], int(columns[-1])))
    found[..., : scales.shape[-1]] = scales
    return found


def _piece(rows: int, row_bytes: int) -> int:
    """How many of so many rows are computed together."""
    room = max(8, min(PIECE_ROWS, PIECE_BYTES // max(row_bytes, 1) // 8 * 8))
    pieces = -(-rows // room)
    return min(rows, -(-rows // pieces // 8) * 8)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Packed:
    """Kernels in panels."""

    blocks: Blocks
    columns: Tensor
    """Where panels of a group start."""
    packed: Tensor
    """Whole numbers of 32 bits, as `convolution_rows` or `convolution_squares` order them."""
    scales: Floats
    """[group, block, column]."""
    chunks: Tensor
    """First channel, the one after the last, and block of each chunk of squares."""


NO_CHUNKS: Final = np.zeros((0, 3), np.int64)


def row_kernels(kernels: Tensor, groups: int) -> Packed:
    """Pack kernels for `Rows`."""
    blocks, digits, scales = quantised_blocks(kernels, groups)
    maps, channels, taps = digits.shape
    each = maps // groups
    columns = panel_columns(each)
    packed = np.zeros((groups, channels * taps * int(columns[-1])), np.int32)
    for group in range(groups):
        pack_rows(digits[group * each : (group + 1) * each], blocks.inner, columns, packed[group])
    split = scales.reshape(len(scales), groups, each).transpose(1, 0, 2)
    return Packed(blocks, columns, packed, _padded(split, columns), NO_CHUNKS)


class Rows:
    """Windows as rows of a product: any shape."""

    def __init__(self, kernels: Packed, placed: Shapes, spatial: Shape) -> None:
        kernel, strides, dilations, before, outputs = placed
        self._kernels, self._shape = kernels, (kernel, strides, dilations, outputs)
        length = kernels.packed.shape[1] // int(kernels.columns[-1])
        self._piece = _piece(prod(outputs), 8 * length)
        parts = zip(*placed, spatial, strict=True)
        self._lengths = tuple(
            max((count - 1) * stride + (size - 1) * dilation + 1, start + length)
            for size, stride, dilation, start, count, length in parts
        )
        starts = zip(before, spatial, strict=True)
        self._inside = tuple(slice(start, start + length) for start, length in starts)
        self._fits = self._lengths == spatial
        self._whole = self._fits and np.diff(kernels.blocks.bounds).min() >= WIDE_LANES

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels, blocks = self._kernels, self._kernels.blocks
        data = self._surrounded(x)
        lines = data.reshape(*data.shape[:3], -1)
        convolve_rows(
            *(lines, self._shape, x.shape[1], self._piece, blocks.bounds, blocks.bits),
            *(kernels.columns, kernels.packed, kernels.scales, *operands),
        )

    def _surrounded(self, x: Tensor) -> Tensor:
        """Give [sample, ...spatial, channel] with its padding, in memory that goes on behind it."""
        shape = (x.shape[0], *self._lengths, x.shape[1])
        turned = x.transpose(0, 2, 3, 4, 1)
        if self._whole:
            return np.ascontiguousarray(turned)
        room = (np.empty if self._fits else np.zeros)(prod(shape) + WIDE_LANES, np.float32)
        found = room[: prod(shape)].reshape(shape)
        found[:, *self._inside] = turned
        return found


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ByChannel:
    """Kernels of one channel each."""

    blocks: Blocks
    digits: Floats
    """[tap, channel]."""
    scales: Floats


def depth_kernels(kernels: Tensor) -> ByChannel:
    """Prepare kernels for `Depth`."""
    blocks, digits, scales = quantised_blocks(kernels, len(kernels))
    return ByChannel(blocks, np.ascontiguousarray(digits[:, 0].T.astype(np.float64)), scales[0])


class Depth:
    """A kernel for each channel."""

    def __init__(self, kernels: ByChannel, shape: tuple[Shape, ...]) -> None:
        self._kernels, self._shape = kernels, shape

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels = self._kernels
        lines = _lines(x)
        convolve_depth(
            *(lines, self._shape, x.shape[1], kernels.blocks.bounds, kernels.blocks.bits),
            *(kernels.digits, kernels.scales, *operands),
        )


def square_kernels(kernels: Tensor) -> Packed:
    """Pack kernels for `Squares`; nothing is packed where they don't suit."""
    blocks, digits, scales = quantised_blocks(kernels, 1)
    maps, channels, _ = digits.shape
    columns = panel_columns(maps)
    nothing = Packed(blocks, columns, np.zeros(0, np.int32), _padded(scales, columns), NO_CHUNKS)
    if np.diff(blocks.bounds).min() < WIDE_LANES:
        return nothing
    reaches = np.empty((channels, maps, 4), np.int64)
    reach_of(digits, reaches)
    chunks = np.empty((channels, 3), np.int64)
    found = cut_chunks(reaches, blocks.bounds, blocks.bits, chunks)
    if found < 0 or found * CHUNK_CHANNELS_MIN > channels:
        return nothing
    packed = np.zeros(PLACES * channels * int(columns[-1]), np.int32)
    pack_squares(digits, columns, chunks[:found], packed)
    return Packed(blocks, columns, packed, _padded(scales[None], columns), chunks[:found].copy())


class Squares:
    """Kernels of 3 x 3 that move by one."""

    def __init__(self, kernels: Packed, before: Shape, outputs: Shape) -> None:
        self._kernels, self._before, self._outputs = kernels, before, outputs
        count = prod((length + 1) // 2 for length in outputs)
        self._piece = _piece(count, 8 * PLACES * int(kernels.blocks.bounds[-1]))

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels = self._kernels
        convolve_squares(
            *(_lines(x), self._before, self._outputs, x.shape[1], self._piece),
            *(kernels.blocks.bounds, kernels.blocks.bits, kernels.chunks, kernels.columns),
            *(kernels.packed, kernels.scales, *operands),
        )
