"""Convolutions as products of rows: the window of each result, gathered and quantised by pieces.

Data lies as [sample, depth, height, width and channel], so that a row of a window is one piece.
"""

from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution_finish import finish_piece, room_for
from ai_exec.fast.convolution_vectors import join_sums, quantise_run
from ai_exec.fast.rows import INFINITY, WHOLE, exponent_of_bits, power_of_two
from ai_exec.fast.tiles import (
    NARROW_ROWS,
    VECTORS,
    WIDE_LANES,
    WIDE_ROWS,
    narrow_four,
    narrow_many,
    narrow_one,
    wide_four,
    wide_many,
    wide_one,
    wide_two,
)

Places = tuple[int, ...]
Shapes = tuple[Places, ...]
"""Kernel, strides, dilations, padding before, outputs."""


@compiled
def sizes_of(x: Any, samples: int, channels: int, sizes: Any) -> None:
    """Greatest bits of the sizes of x [sample, pixel, channel] for each sample and channel."""
    bits = x.view(np.int32)
    for sample in range(samples):
        greatest = sizes[sample]
        greatest[:] = 0
        for pixel in range(bits.shape[1]):
            row = bits[sample, pixel]
            for channel in range(channels):
                greatest[channel] = max(greatest[channel], np.int32(row[channel] & 0x7FFFFFFF))


@compiled
def scales_of(sizes: Any, bounds: Any, bits: Any, factors: Any, scales: Any) -> None:
    """Give what each sample and block is multiplied by, and its scale.

    A block is the channels between two bounds.  One that is not finite has scale NaN.
    """
    for sample in range(sizes.shape[0]):
        for block in range(bits.shape[0]):
            greatest: Any = np.int32(0)
            for channel in range(bounds[block], bounds[block + 1]):
                greatest = max(greatest, sizes[sample, channel])
            if greatest >= INFINITY:
                factors[sample, block], scales[sample, block] = 0.0, np.nan
            else:
                exponent = exponent_of_bits(greatest)
                factors[sample, block] = power_of_two(bits[block] - exponent)
                scales[sample, block] = power_of_two(exponent - bits[block])


@compiled
def quantise_kernels(kernels: Any, bounds: Any, bits: Any, digits: Any, scales: Any) -> None:
    """Write kernels [map, channel, tap] as whole numbers, with scales [block, map]."""
    taps = kernels.shape[2]
    for number in range(kernels.shape[0]):
        for block in range(bits.shape[0]):
            start, stop = bounds[block], bounds[block + 1]
            greatest: Any = np.int32(0)
            source = kernels[number, start:stop].reshape((stop - start) * taps)
            target = digits[number, start:stop].reshape((stop - start) * taps)
            sizes = source.view(np.int32)
            for index in range(sizes.shape[0]):
                greatest = max(greatest, np.int32(sizes[index] & 0x7FFFFFFF))
            if greatest >= INFINITY:
                scales[block, number] = np.nan
                target[:] = 0
                continue
            exponent = exponent_of_bits(greatest)
            factor = power_of_two(bits[block] - exponent)
            scales[block, number] = power_of_two(exponent - bits[block])
            for index in range(source.shape[0]):
                value = np.float64(source[index]) * factor + WHOLE
                target[index] = np.int32(np.float64(value).view(np.int64))


@compiled
def pack_rows(digits: Any, bounds: Any, columns: Any, packed: Any) -> None:
    """Kernels [map, channel, tap] to panels [panel][block with tap with channel][map].

    Panels start at the given columns, and lie one after the other.
    """
    _, channels, taps = digits.shape
    for panel in range(columns.shape[0] - 1):
        start, width = columns[panel], columns[panel + 1] - columns[panel]
        for block in range(bounds.shape[0] - 1):
            begin, end = bounds[block], bounds[block + 1]
            for number in range(start, min(start + width, digits.shape[0])):
                for channel in range(begin, end):
                    for tap in range(taps):
                        row = begin * taps + tap * (end - begin) + channel - begin
                        place = start * channels * taps + row * width + number - start
                        packed[place] = digits[number, channel, tap]


@compiled
def panel_sums(
    left: int, stride: int, rows: int, panel: int, width: int, steps: int, target: int
) -> None:
    """Products of rows with a panel of so many columns, to sums [row, column]; all at addresses."""
    done, across = 0, width * 8
    if width == VECTORS * WIDE_LANES:
        while rows - done >= WIDE_ROWS:
            wide_many(left + done * stride, stride, panel, steps, target + done * across, across)
            done += WIDE_ROWS
        if rows - done >= 4:
            wide_four(left + done * stride, stride, panel, steps, target + done * across, across)
            done += 4
        if rows - done >= 2:
            wide_two(left + done * stride, stride, panel, steps, target + done * across, across)
            done += 2
        if rows - done >= 1:
            wide_one(left + done * stride, stride, panel, steps, target + done * across, across)
    else:
        while rows - done >= NARROW_ROWS:
            narrow_many(left + done * stride, stride, panel, steps, target + done * across, across)
            done += NARROW_ROWS
        while rows - done >= 4:
            narrow_four(left + done * stride, stride, panel, steps, target + done * across, across)
            done += 4
        while rows - done >= 1:
            narrow_one(left + done * stride, stride, panel, steps, target + done * across, across)
            done += 1


@compiled
def gather_row(
    x: Any,
    place: Places,
    kernel: Places,
    dilations: Places,
    pixel: int,
    channel: int,
    channels: int,
    factor: float,
    row: Any,
) -> None:
    """Quantise a window of x [depth, height, width and channel] that starts at a place, or outside.

    Neighbours lie in one piece where the window takes all channels of x, `pixel` elements each.
    """
    width = x.shape[2] // pixel
    joined = dilations[2] == 1 and channels == pixel
    taps, run = (1, kernel[2]) if joined else (kernel[2], 1)
    base, target = x.ctypes.data, 0
    for z in range(kernel[0]):
        depth = place[0] + z * dilations[0]
        for y in range(kernel[1]):
            height = place[1] + y * dilations[1]
            inside = 0 <= depth < x.shape[0] and 0 <= height < x.shape[1]
            line = base + ((depth * x.shape[1] + height) * width * pixel + channel) * 4
            for tap in range(taps):
                start = place[2] + tap * dilations[2]
                low = min(max(0, -start), run) if inside else run
                high = max(min(run, width - start), low)
                if low > 0:
                    row[target : target + low * channels] = 0.0
                if high < run:
                    row[target + high * channels : target + run * channels] = 0.0
                if high > low:
                    quantise_run(
                        line + (start + low) * pixel * 4,
                        row.ctypes.data + (target + low * channels) * 8,
                        (high - low) * channels,
                        factor,
                    )
                target += run * channels


@compiled
def place_of(pixel: int, outputs: Places, strides: Places, before: Places) -> Any:
    """Where the window of a result starts."""
    plane = outputs[1] * outputs[2]
    z, y, x = pixel // plane, pixel // outputs[2] % outputs[1], pixel % outputs[2]
    return (z * strides[0] - before[0], y * strides[1] - before[1], x * strides[2] - before[2])


@compiled
def combine_scales(left: Any, right: Any, combined: Any) -> None:
    """Products of the scales of a sample's blocks and of kernels [group, block, map]."""
    groups, blocks, columns = right.shape
    for group in range(groups):
        for block in range(blocks):
            scale = left[group * blocks + block]
            source, target = right[group, block], combined[group, block]
            for column in range(columns):
                target[column] = scale * source[column]


@compiled
def gather_rows(
    x: Any,
    shape: Shapes,
    pixel: int,
    first: int,
    rows: int,
    bounds: Any,
    factors: Any,
    digits: Any,
) -> None:
    """Quantise some windows of a group's blocks."""
    kernel, strides, dilations, before, outputs = shape
    taps, origin = kernel[0] * kernel[1] * kernel[2], bounds[0]
    plain = taps == 1 and bounds[bounds.shape[0] - 1] - origin == pixel and factors.shape[0] == 1
    if plain and x.size == outputs[0] * outputs[1] * outputs[2] * pixel:
        source = x.ctypes.data + first * pixel * 4
        quantise_run(source, digits.ctypes.data, rows * pixel, factors[0])
        return
    for row in range(rows):
        place = place_of(first + row, outputs, strides, before)
        for block in range(factors.shape[0]):
            start, stop = bounds[block], bounds[block + 1]
            gather_row(
                *(x, place, kernel, dilations, pixel, start, stop - start),
                *(factors[block], digits[row, (start - origin) * taps :]),
            )


@compiled
def convolve_rows(
    x: Any,
    shape: Shapes,
    pixel: int,
    piece: int,
    bounds: Any,
    factors: Any,
    scales: Any,
    columns: Any,
    packed: Any,
    panel_scales: Any,
    ending: Any,
    tensor: Any,
    out: Any,
) -> None:
    """Convolve x [sample, depth, height, width and channel] into out [sample and pixel, map].

    Bounds, factors and scales are of all groups' blocks, one group after the other; panels of a
    group start at the given columns, their scales are [group, block, map].
    """
    kernel, _, _, _, outputs = shape
    groups, blocks, reach = panel_scales.shape
    taps, count = kernel[0] * kernel[1] * kernel[2], outputs[0] * outputs[1] * outputs[2]
    maps, length = out.shape[1] // groups, (bounds[blocks] - bounds[0]) * taps
    digits = np.empty((piece, length), np.float64)
    widest = VECTORS * WIDE_LANES
    totals, sums = np.empty(piece * widest), np.empty(piece * widest)
    room, ones = room_for(piece, widest), np.ones(reach)
    places, combined = np.empty(piece, np.int64), np.empty(panel_scales.shape)
    for sample in range(x.shape[0]):
        combine_scales(scales[sample], panel_scales, combined)
        for work in range(groups * ((count + piece - 1) // piece)):
            group, first = work % groups, work // groups * piece
            rows, begin = min(piece, count - first), group * blocks
            edges = bounds[begin : begin + blocks + 1]
            for row in range(rows):
                places[row] = sample * count + first + row
            factor = factors[sample, begin : begin + blocks]
            gather_rows(x[sample], shape, pixel, first, rows, edges, factor, digits)
            base = packed.ctypes.data + group * length * columns[columns.shape[0] - 1] * 4
            for panel in range(columns.shape[0] - 1):
                column, width = columns[panel], columns[panel + 1] - columns[panel]
                for block in range(blocks):
                    start = (edges[block] - edges[0]) * taps
                    panel_sums(
                        *(digits.ctypes.data + start * 8, length * 8, rows),
                        *(base + (column * length + start * width) * 4, width),
                        *((edges[block + 1] - edges[block]) * taps, sums.ctypes.data),
                    )
                    if blocks > 1:
                        scale = combined[group, block].ctypes.data + column * 8
                        place = totals.ctypes.data
                        join_sums(sums.ctypes.data, place, rows, width, scale, int(block == 0))
                found = totals if blocks > 1 else sums
                scales_left = ones if blocks > 1 else combined[group, 0]
                finish_piece(
                    *(found, rows, width, group * maps + column, min(width, maps - column)),
                    *(scales_left[column:], places, ending, tensor, out, room),
                )
