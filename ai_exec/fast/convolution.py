"""Prepared convolutions: kernels quantised once, in the form of the way that suits their shape.

Data lies with its channels last inside of chains of convolutions: results are views of such
arrays with the axes in ONNX's order, which other kernels may read as any array.
"""

from math import prod
from typing import Final, Protocol

import numpy as np

from ai_exec.fast.convolution_depth import convolve_depth
from ai_exec.fast.convolution_direct import (
    LINES,
    NARROW,
    PIXELS,
    PLANES,
    Layout,
    convolve_direct,
    layout_of,
    phases_of_painting,
    phases_of_windows,
)
from ai_exec.fast.convolution_finish import Ending, Link, ending_of
from ai_exec.fast.convolution_kernels import (
    ByChannel,
    Packed,
    depth_kernels,
    painting_kernels,
    row_kernels,
    square_kernels,
)
from ai_exec.fast.convolution_rows import Shapes, convolve_rows
from ai_exec.fast.convolution_squares import convolve_squares
from ai_exec.fast.convolution_vectors import PLACES
from ai_exec.fast.tiles import WIDE_LANES
from ai_exec.fast.weights import Weights
from ai_exec.ops.deconvolution import painted
from ai_exec.ops.windows import Windows, windows
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import channels_of_block
from ai_exec.tensor import Shape, Tensor

PIECE_ROWS: Final = 48
"""Rows that are computed together, at most: so many that tiles of all heights divide them."""
PIECE_BYTES: Final = 1 << 20
"""Room for a piece of gathered data: it should stay near the core."""
IMAGE_BYTES_MAX: Final = 4 << 20
"""Data that take more than this as whole numbers are gathered piece by piece."""
SQUARES_MIN: Final = 8
NO_TENSOR: Final = np.zeros((1, 1), np.float32)


def channels_last(x: Tensor) -> Tensor:
    """Give [sample, ...spatial, channel] in one piece, without copying what lies so already."""
    return np.ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))


def channels_second(x: Tensor) -> Tensor:
    """Give the view in ONNX's order of what lies with its channels last."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


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
        *,
        painting: bool = False,
    ) -> None:
        groups, kept = attributes["group"], weights or Weights()
        assert isinstance(groups, int)
        self._spatial = (1,) * (5 - len(shape)) + shape[2:]
        self._way: Way
        if painting:
            placed, outputs = painted(shape[2:], kernels.shape[2:], attributes)
            self._way = _painting(self._spatial, kernels, groups, placed, outputs, kept)
            maps = kernels.shape[1] * groups
        else:
            placed = _place(shape, kernels, attributes)
            outputs, maps = placed.outputs, kernels.shape[0]
            self._way = way_of(self._spatial, kernels, groups, placed, kept)
        self._result = (shape[0], *outputs, maps)
        self._flat = (shape[0] * prod(outputs), maps)
        self._data = (*shape[:2], *self._spatial)
        self._second = (0, len(shape) - 1, *range(1, len(shape) - 1))
        self._unknown = np.zeros((shape[0], 0), np.int32)
        self._ending = ending_of(links, bias, maps)

    def run(
        self, x: Tensor, tensor: Tensor | None = None, sizes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Convolve, and take each result through the chain, with another tensor if it reads one.

        Gives the results and the greatest bits of their sizes by sample and channel, which whoever
        has them of x may pass, so that they need not be found again.
        """
        out = np.empty(self._result, np.float32)
        other = NO_TENSOR if tensor is None else channels_last(tensor).reshape(self._flat)
        found = np.zeros((out.shape[0], out.shape[-1]), np.int32)
        known, flat = self._unknown if sizes is None else sizes, out.reshape(self._flat)
        self._way.run(x.reshape(self._data), (self._ending, other, known, flat, found))
        return out.transpose(self._second), found


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


def _shapes(placed: Windows, outputs: Shape) -> tuple[Shape, ...]:
    """Give kernel, strides, dilations, padding before and outputs over three axes."""
    return tuple(
        (fill,) * (3 - len(part)) + part
        for part, fill in (
            (placed.kernel, 1),
            (placed.strides, 1),
            (placed.dilations, 1),
            (placed.before, 0),
            (outputs, 1),
        )
    )


def way_of(spatial: Shape, kernels: Tensor, groups: int, placed: Windows, weights: Weights) -> Way:
    """Choose by shapes and by the sizes of kernels, which are constant."""
    shape = _shapes(placed, placed.outputs)
    flat = spatial[0] == shape[0][0] == shape[4][0] == 1 and not shape[3][0]
    if flat and groups == len(kernels) >= WIDE_LANES and kernels.shape[1] == 1:
        by_channel = weights.ready(kernels, "channels", depth_kernels)
        return Depth(by_channel, tuple(part[1:] for part in shape))
    if groups == 1 and is_square(shape, flat=flat):
        squares = weights.ready(kernels, "squares", square_kernels)
        if squares.packed.size:
            return Squares(squares, shape[3][1:], shape[4][1:])
    form = ("rows", groups)
    rows = weights.ready(kernels, form, lambda value: row_kernels(value, groups))
    axes = [phases_of_windows(*along) for along in zip(*shape, strict=True)]
    channels = kernels.shape[1] * groups
    layout = layout_of(spatial, shape[0], shape[4], axes, rows.blocks.inner, channels)
    if placed.elements > 1 and 8 * prod(layout.lengths) * channels <= IMAGE_BYTES_MAX:
        return Direct(rows, layout)
    return Rows(rows, shape, spatial)


def _painting(
    spatial: Shape,
    kernels: Tensor,
    groups: int,
    placed: Windows,
    outputs: Shape,
    weights: Weights,
) -> "Direct":
    """Prepare a transposed convolution."""
    shape, channels = _shapes(placed, outputs), kernels.shape[0]
    axes = [phases_of_painting(*along) for along in zip(*shape, strict=True)]
    each = channels // groups
    inner = np.array([*range(0, each, channels_of_block(placed.elements)), each])
    layout = layout_of(spatial, shape[0], shape[4], axes, inner, channels)
    form = ("painting", groups, *(tuple(taps) for taps in layout.taps))
    return Direct(
        weights.ready(kernels, form, lambda value: painting_kernels(value, groups, layout.taps)),
        layout,
    )


def is_square(shape: tuple[Shape, ...], *, flat: bool) -> bool:
    """Tell whether kernels are 3 x 3 and move by one over enough results."""
    kernel, strides, dilations, _, outputs = shape
    fits = kernel == (1, 3, 3) and strides[1:] == dilations[1:] == (1, 1)
    return flat and fits and prod((length + 1) // 2 for length in outputs) >= SQUARES_MIN


def _lines(x: Tensor) -> Tensor:
    """Give [sample, height, width and channel] of what has no depth."""
    return channels_last(x).reshape(x.shape[0], x.shape[3], -1)


def _panels(kernels: Packed) -> tuple[Tensor, ...]:
    blocks = kernels.blocks
    return blocks.bounds, blocks.bits, kernels.columns, kernels.packed, kernels.scales


def _piece(rows: int, row_bytes: int) -> int:
    """How many of so many rows are computed together."""
    room = max(8, min(PIECE_ROWS, PIECE_BYTES // max(row_bytes, 1) // 8 * 8))
    pieces = -(-rows // room)
    return min(rows, -(-rows // pieces // 8) * 8)


class Rows:
    """Windows as rows of a product: any shape."""

    def __init__(self, kernels: Packed, placed: Shapes, spatial: Shape) -> None:
        kernel, strides, dilations, before, outputs = placed
        self._kernels, self._shape = kernels, (kernel, strides, dilations, outputs)
        length = prod(kernel) * int(kernels.blocks.inner[-1])
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
        kernels = self._kernels
        data = self._surrounded(x)
        lines = data.reshape(*data.shape[:3], -1)
        convolve_rows(
            *(lines, self._shape, x.shape[1], self._piece, _panels(kernels), operands),
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


class Direct:
    """Windows as rows of a product, read where they lie."""

    def __init__(self, kernels: Packed, layout: Layout) -> None:
        self._kernels, self._layout = kernels, layout
        self._piece = min(PIECE_ROWS, max(prod(part) for part in layout.parts[:, 4:7].tolist()))

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels, blocks, layout = self._kernels, self._kernels.blocks, self._layout
        data, lies = _in_one_piece(x, len(blocks.bits))
        convolve_direct(
            *(data, layout.before, layout.lengths, self._piece, lies),
            *(layout.parts, layout.offsets, _panels(kernels), operands),
        )


def _in_one_piece(x: Tensor, blocks: int) -> tuple[Tensor, int]:
    """Give data as they lie, and how that is; they are copied if it is no way of these."""
    turned = x.transpose(0, 2, 3, 4, 1)
    if not turned.flags.c_contiguous:
        return np.ascontiguousarray(x), PLANES
    width, channels = turned.shape[3:]
    if channels >= WIDE_LANES:
        return turned, PIXELS
    return turned, LINES if blocks == 1 and width * channels >= WIDE_LANES else NARROW


class Depth:
    """A kernel for each channel."""

    def __init__(self, kernels: ByChannel, shape: tuple[Shape, ...]) -> None:
        self._kernels, self._shape = kernels, shape

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels = self._kernels
        lines = _lines(x)
        given = (kernels.blocks.bounds, kernels.blocks.bits, kernels.digits, kernels.scales)
        convolve_depth(lines, self._shape, x.shape[1], given, operands)


class Squares:
    """Kernels of 3 x 3 that move by one."""

    def __init__(self, kernels: Packed, before: Shape, outputs: Shape) -> None:
        self._kernels, self._before, self._outputs = kernels, before, outputs
        count = prod((length + 1) // 2 for length in outputs)
        self._piece = _piece(count, 8 * PLACES * int(kernels.blocks.bounds[-1]))

    def run(self, x: Tensor, operands: Operands) -> None:
        """See `Way`."""
        kernels = self._kernels
        bounds, bits, *panels = _panels(kernels)
        given = (bounds, bits, kernels.chunks, *panels)
        convolve_squares(
            *(_lines(x), self._before, self._outputs, x.shape[1], self._piece, given, operands),
        )
