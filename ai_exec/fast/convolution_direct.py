"""Convolutions and transposed ones as products of windows that are read where they lie.

Data are quantised once into an image with its padding; an element of a window lies at a distance
from its first one that is the same for all windows.  Results come in parts: a convolution has one;
of a transposed one each phase of the stride is a part, with the elements of kernels that paint
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution_finish import (
    SIZES_AT,
    finish_chain,
    kind_of,
    record_of,
    room_for,
    settle,
)
from ai_exec.fast.convolution_rows import combine_scales, scales_of
from ai_exec.fast.convolution_tiles import (
    DIRECT_ROWS,
    direct_four,
    direct_many,
    direct_one,
    slim_four,
    slim_many,
    slim_one,
)
from ai_exec.fast.convolution_vectors import (
    greatest_pixels,
    join_sums,
    quantise_pixels,
    quantise_runs,
)
from ai_exec.fast.scalar import WHOLE
from ai_exec.fast.tiles import VECTORS, WIDE_COLUMNS, WIDE_LANES
from ai_exec.tensor import Shape, Tensor

Places = tuple[int, ...]
PLANES, NARROW, LINES, PIXELS = range(4)
"""How data lie: channels first; channels last; so with a vector in a line, all of one factor; so
with a vector of channels."""
NO_TAP: Final = -1
NO_NUMBERS: Final = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Phase:
    """Results along an axis that lie evenly, and which elements of kernels they take."""

    taps: tuple[int, ...]
    """Elements of a kernel."""
    places: tuple[int, ...]
    """Where each meets the data for the first of the results, or before them or behind."""
    step: int
    """How far from a result to the next in the data."""
    count: int
    """How many results there are."""
    first: int
    """The first result."""
    distance: int
    """How far from a result to the next."""


def phases_of_windows(
    kernel: int, stride: int, dilation: int, before: int, outputs: int
) -> list[Phase]:
    """Give the only phase of a convolution along an axis."""
    places = tuple(tap * dilation - before for tap in range(kernel))
    return [Phase(tuple(range(kernel)), places, stride, outputs, 0, 1)]


def phases_of_painting(
    kernel: int, stride: int, dilation: int, before: int, outputs: int
) -> list[Phase]:
    """Give the phases of a transposed convolution along an axis, from which so much is cut off."""
    found = []
    for first in range(min(stride, outputs)):
        shifts = [(tap, first + before - tap * dilation) for tap in range(kernel)]
        kept = [(tap, shift // stride) for tap, shift in shifts if shift % stride == 0]
        taps, places = tuple(tap for tap, _ in kept), tuple(place for _, place in kept)
        count = -(-(outputs - first) // stride)
        found.append(Phase(taps, places, 1, count, first, stride))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the image lies in its padding, and the parts of the results."""

    before: Shape
    lengths: Shape
    """Of the image with its padding."""
    parts: Tensor
    """[part, 11]: how many elements of kernels; steps in the image; counts of results; the first
    result, and the distances of results, of all axes together."""
    offsets: Tensor
    """Distances of all elements of each part's windows in bytes, as `pack_rows` orders them."""
    taps: tuple[Tensor, ...]
    """Which elements of kernels each part takes; negative for one of zeros."""


def layout_of(
    spatial: Shape,
    kernel: Shape,
    outputs: Shape,
    axes: Sequence[list[Phase]],
    inner: Tensor,
    channels: int,
) -> Layout:
    """Lay out data of so many channels; blocks of a group have bounds `inner`."""
    every = [[place for phase in phases for place in phase.places] for phases in axes]
    before = tuple(max(0, -min(places, default=0)) for places in every)
    ends = [
        max((*phase.places, 0)) + (phase.count - 1) * phase.step + 1
        for phases in axes
        for phase in phases
    ]
    firsts = np.cumsum([0, *map(len, axes)])
    lengths = tuple(
        start + max(length, *ends[firsts[axis] : firsts[axis + 1]])
        for axis, (start, length) in enumerate(zip(before, spatial, strict=True))
    )
    across = np.array([lengths[1] * lengths[2], lengths[2], 1])
    along = np.array([outputs[1] * outputs[2], outputs[2], 1])
    parts, offsets, taps = [], [], []
    for phases in product(*axes):
        # Where no element of a kernel paints, one of zeros does.
        places = list(product(*[phase.places for phase in phases])) or [(0, 0, 0)]
        at = np.array(places, np.int64) @ across * channels
        offsets += [
            (at[:, None] + np.arange(start, stop)).reshape(-1) * 8
            for start, stop in pairwise(inner)
        ]
        numbers = list(product(*[phase.taps for phase in phases])) or [(0, 0, NO_TAP)]
        taps.append(np.array(numbers, np.int64) @ [kernel[1] * kernel[2], kernel[2], 1])
        first = int(np.array([phase.first for phase in phases]) @ along)
        distances = np.array([phase.distance for phase in phases]) * along
        steps, counts = [phase.step for phase in phases], [phase.count for phase in phases]
        parts.append([len(at), *steps, *counts, first, *distances])
    found = np.array(parts, np.int64).reshape(-1, 11)
    return Layout(
        before, lengths, found, np.concatenate([*offsets, [0]]).astype(np.int64), tuple(taps)
    )


@compiled
def sizes_by_channel(x: Any, lies: int, sizes: Any) -> None:
    """Greatest bits of the sizes of each channel of a sample."""
    if lies == PIXELS:
        pixels = x.shape[0] * x.shape[1] * x.shape[2]
        greatest_pixels(x.ctypes.data, pixels, x.shape[3], sizes.ctypes.data)
        return
    channels = sizes.shape[0]
    bits, count = x.reshape(x.size).view(np.int32), x.size // channels
    for channel in range(channels):
        best = np.int32(0)
        if lies == PLANES:
            for size in bits[channel * count : (channel + 1) * count]:
                best = max(best, np.int32(size & 0x7FFFFFFF))
        else:
            for place in range(channel, bits.shape[0], channels):
                best = max(best, np.int32(bits[place] & 0x7FFFFFFF))
        sizes[channel] = best


@compiled
def fill_planes(x: Any, before: Places, factors: Any, image: Any) -> None:
    """Quantise a sample [channel, depth, height, width] to its place in the image."""
    for channel in range(x.shape[0]):
        factor = factors[channel]
        for z in range(x.shape[1]):
            for y in range(x.shape[2]):
                source = x[channel, z, y]
                target = image[before[0] + z, before[1] + y, before[2] :, channel]
                for place in range(source.shape[0]):
                    target[place] = np.float64(source[place]) * factor + WHOLE - WHOLE


@compiled
def fill_lines(x: Any, before: Places, factors: Any, lies: int, image: Any) -> None:
    """Quantise a sample [depth, height, width, channel] to its place in the image."""
    _, _, width, channels = x.shape
    for z in range(x.shape[0]):
        for y in range(x.shape[1]):
            line = image[before[0] + z, before[1] + y]
            source, target = x[z, y].ctypes.data, line.ctypes.data + before[2] * channels * 8
            if lies == LINES:
                quantise_runs(source, target, 1, 0, width * channels, factors[0])
            elif lies == PIXELS:
                quantise_pixels(source, target, width, channels, factors.ctypes.data)
            else:
                for place in range(width):
                    for channel in range(channels):
                        value = np.float64(x[z, y, place, channel]) * factors[channel] + WHOLE
                        line[before[2] + place, channel] = value - WHOLE


@compiled
def place_windows(
    part: Any,
    first: int,
    rows: int,
    lengths: Places,
    pixel_bytes: int,
    start: int,
    at: Any,
    places: Any,
) -> None:
    """Give where some windows of a part begin, and the pixels of their results."""
    line, across = lengths[2] * pixel_bytes, part[6]
    plane, area = lengths[1] * line, part[5] * part[6]
    far, down, right = first // area, first % area // across, first % across
    for row in range(rows):
        at[row] = far * part[1] * plane + down * part[2] * line + right * part[3] * pixel_bytes
        places[row] = start + far * part[8] + down * part[9] + right * part[10]
        right += 1
        if right == across:
            right, down = 0, down + 1
            if down == part[5]:
                down, far = 0, far + 1


@compiled
def direct_sums(
    left: int, at: int, rows: int, offsets: int, panel: int, width: int, steps: int, target: int
) -> None:
    """Products of windows with a panel of so many columns, to sums [row, column]."""
    done, across, wide = 0, width * 8, width == WIDE_COLUMNS
    while rows - done >= DIRECT_ROWS:
        if wide:
            direct_many(left, at + 8 * done, offsets, panel, steps, target + done * across)
        else:
            slim_many(left, at + 8 * done, offsets, panel, steps, target + done * across)
        done += DIRECT_ROWS
    if rows - done >= 4:
        if wide:
            direct_four(left, at + 8 * done, offsets, panel, steps, target + done * across)
        else:
            slim_four(left, at + 8 * done, offsets, panel, steps, target + done * across)
        done += 4
    while rows - done >= 1:
        if wide:
            direct_one(left, at + 8 * done, offsets, panel, steps, target + done * across)
        else:
            slim_one(left, at + 8 * done, offsets, panel, steps, target + done * across)
        done += 1


@compiled
def multiply_windows(
    left: int,
    at: int,
    rows: int,
    taps: int,
    edges: Any,
    offsets: int,
    panel: int,
    column: int,
    width: int,
    combined: Any,
    sums: Any,
    totals: int,
) -> None:
    """Products of windows with a panel, to totals of several blocks."""
    for block in range(combined.shape[0]):
        start, steps = (edges[block] - edges[0]) * taps, (edges[block + 1] - edges[block]) * taps
        where, right = offsets + start * 8, panel + start * width * 4
        direct_sums(left, at, rows, where, right, width, steps, sums.ctypes.data)
        scale = combined[block].ctypes.data + column * 8
        join_sums(sums.ctypes.data, totals, rows, width, scale, int(block == 0))


@compiled
def prepare_sample(
    x: Any,
    known: Any,
    before: Places,
    bounds: Any,
    bits: Any,
    lies: int,
    scales: Any,
    image: Any,
) -> None:
    """Find the scales of a sample's blocks, and fill the image."""
    factors, wide = np.empty(bits.shape[0]), np.empty(image.shape[3])
    sizes = known
    if not known.shape[0]:
        sizes = np.empty(image.shape[3], np.int32)
        sizes_by_channel(x, lies, sizes)
    scales_of(NO_NUMBERS, sizes, bounds, bits, factors, scales)
    for block in range(bits.shape[0]):
        wide[bounds[block] : bounds[block + 1]] = factors[block]
    if lies == PLANES:
        fill_planes(x, before, wide, image)
    else:
        fill_lines(x, before, wide, lies, image)


@compiled
def convolve_part(
    part: Any,
    start: int,
    lengths: Places,
    left: int,
    where: int,
    panels: int,
    kernels: Any,
    combined: Any,
    buffers: Any,
    record: Any,
    rest: Any,
) -> None:
    """Convolve a part of a sample, whose image, distances and panels lie at addresses."""
    bounds, bits, columns, _, _ = kernels
    at, places, sums, found, after = buffers
    groups, blocks, _ = combined.shape
    channels, maps = bounds[bits.shape[0]], rest[2].shape[1] // groups
    taps, inside = part[0], bounds[blocks] - bounds[0]
    piece, count, steps = at.shape[0], part[4] * part[5] * part[6], inside * taps
    kind, desk = kind_of(rest[0], maps), record.ctypes.data
    begin, result = at.ctypes.data, found.ctypes.data
    for work in range(groups * ((count + piece - 1) // piece)):
        group, first = work % groups, work // groups * piece
        rows, image = min(piece, count - first), left + group * inside * 8
        if group == 0:
            place_windows(part, first, rows, lengths, channels * 8, start, at, places)
        base = panels + group * steps * columns[-1] * 4
        scale = after[group, 0].ctypes.data - group * maps * 8
        for panel in range(columns.shape[0] - 1):
            column, width = columns[panel], columns[panel + 1] - columns[panel]
            own, valid = group * maps + column, min(width, maps - column)
            right = base + column * steps * 4
            if blocks > 1:
                edges = bounds[group * blocks : (group + 1) * blocks + 1]
                multiply_windows(
                    *(image, begin, rows, taps, edges, where, right, column, width),
                    *(combined[group], sums, result),
                )
            else:
                direct_sums(image, begin, rows, where, right, width, steps, result)
            if kind >= 0:
                settle(kind, desk, result, width * 8, rows, own, valid, scale)
            else:
                finish_chain(result, rows, width, own, valid, scale, places, *rest)


@compiled
def convolve_direct(
    x: Any,
    before: Places,
    lengths: Places,
    piece: int,
    lies: int,
    parts: Any,
    offsets: Any,
    kernels: Any,
    operands: Any,
) -> None:
    """Convolve x, whose samples lie in one of the ways above, into out [sample and pixel, map].

    Bounds and bits are of all groups' blocks, one group after the other; panels of a part and group
    start at the given columns, their scales are [group, block, map].
    """
    ending, tensor, known, out, sizes = operands
    bounds, bits, columns, packed, panel_scales = kernels
    groups, blocks, _ = panel_scales.shape
    image = np.zeros((lengths[0], lengths[1], lengths[2], bounds[bits.shape[0]]))
    origin = image[before[0], before[1], before[2]].ctypes.data
    places, combined = np.empty(piece, np.int64), np.empty(panel_scales.shape)
    scales, widest = np.empty(bits.shape[0]), VECTORS * WIDE_LANES
    sums, after = np.empty(piece * widest), combined
    found, room = sums, room_for(piece, widest)
    if blocks > 1:
        found, after = np.empty(piece * widest), np.ones(panel_scales.shape)
    buffers = (np.empty(piece, np.int64), places, sums, found, after)
    record, pixels = record_of(ending, places, tensor, out, room[0]), out.shape[0] // x.shape[0]
    for sample in range(x.shape[0]):
        prepare_sample(x[sample], known[sample], before, bounds, bits, lies, scales, image)
        combine_scales(scales, panel_scales, combined)
        where, panels = offsets.ctypes.data, packed.ctypes.data
        record[SIZES_AT] = sizes[sample].ctypes.data
        rest = (ending, tensor, out, sizes[sample], room)
        for part in parts:
            start, steps = sample * pixels + part[7], (bounds[blocks] - bounds[0]) * part[0]
            convolve_part(
                *(part, start, lengths, origin, where, panels),
                *(kernels, combined, buffers, record, rest),
            )
            where += steps * 8
            panels += groups * steps * columns[-1] * 4
