"""Constant kernels made ready for convolutions: quantised once, in the form that each way reads."""

from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from ai_exec.fast.convolution_rows import pack_rows, quantise_kernels
from ai_exec.fast.convolution_squares import cut_chunks, pack_squares, reach_of
from ai_exec.fast.convolution_vectors import PLACES
from ai_exec.fast.tiles import NARROW_VECTORS, VECTORS, WIDE_LANES
from ai_exec.semantics.numerics import Floats, channels_of_block, product_bits
from ai_exec.tensor import Tensor

CHUNK_CHANNELS_MIN: Final = 8
"""Where chunks are shorter than this, squares cost more than they save."""


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
    whole = np.array(kernels, np.float32, order="C").reshape(maps, channels, taps)
    quantise_kernels(whole, inner, bits, digits, scales)
    starts = (np.arange(groups)[:, None] * channels + inner[:-1]).reshape(-1)
    bounds = np.append(starts, groups * channels)
    return Blocks(inner, bounds, np.tile(bits, groups)), digits, scales


def panel_columns(maps: int) -> Tensor:
    """Where panels of three and two vectors start that hold so many maps, and where they end."""
    vectors = max(-(-maps // WIDE_LANES), NARROW_VECTORS)
    narrow = -vectors % VECTORS
    wide = (vectors - NARROW_VECTORS * narrow) // VECTORS
    widths = [VECTORS] * wide + [NARROW_VECTORS] * narrow
    return np.append(0, np.cumsum(widths)) * WIDE_LANES


def padded_scales(scales: Floats, columns: Tensor) -> Floats:
    """Scales [..., map] for all columns of panels."""
    found = np.ones((*scales.shape[:-1], int(columns[-1])))
    found[..., : scales.shape[-1]] = scales
    return found


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
    """Pack kernels for rows, of all elements in their order."""
    return part_kernels(kernels, groups, (np.arange(prod(kernels.shape[2:])),))


def part_kernels(kernels: Tensor, groups: int, parts: tuple[Tensor, ...]) -> Packed:
    """Pack kernels in parts, each of some of their elements: [part][group] as `pack_rows` does."""
    blocks, digits, scales = quantised_blocks(kernels, groups)
    maps, channels, _ = digits.shape
    each = maps // groups
    columns = panel_columns(each)
    packed = []
    for taps in parts:
        some = np.ascontiguousarray(digits[:, :, taps] * (taps >= 0).astype(np.int32))
        found = np.zeros((groups, channels * len(taps) * int(columns[-1])), np.int32)
        for group in range(groups):
            own = some[group * each : (group + 1) * each]
            pack_rows(own, blocks.inner, columns, found[group])
        packed.append(found.reshape(-1))
    split = scales.reshape(len(scales), groups, each).transpose(1, 0, 2)
    return Packed(blocks, columns, np.concatenate(packed), padded_scales(split, columns), NO_CHUNKS)


def painting_kernels(kernels: Tensor, groups: int, parts: tuple[Tensor, ...]) -> Packed:
    """As `part_kernels` of the kernels [channel, map of the group, ...] of a transposed one."""
    channels, maps, *lengths = kernels.shape
    split = kernels.reshape(groups, channels // groups, maps, *lengths).swapaxes(1, 2)
    turned = split.reshape(groups * maps, channels // groups, *lengths)
    return part_kernels(turned, groups, parts)


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


def square_kernels(kernels: Tensor) -> Packed:
    """Pack kernels for `Squares`; nothing is packed where they don't suit."""
    blocks, digits, scales = quantised_blocks(kernels, 1)
    maps, channels, _ = digits.shape
    columns = panel_columns(maps)
    nothing = Packed(
        blocks, columns, np.zeros(0, np.int32), padded_scales(scales, columns), NO_CHUNKS
    )
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
    return Packed(
        blocks, columns, packed, padded_scales(scales[None], columns), chunks[:found].copy()
    )
