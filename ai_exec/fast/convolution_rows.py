"""Convolutions as products of rows: the window of each result, gathered and quantised by pieces.

Data lies as [sample, depth, height, width and channel], so that a row of a window is one piece.
"""

from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.convolution_finish import (
    SIZES_AT,
    finish_chain,
    kind_of,
    record_of,
    room_for,
    settle,
)
from ai_exec.fast.convolution_vectors import greatest_pixels, join_sums, quantise_runs
from ai_exec.fast.multiply import wide_rows
from ai_exec.fast.rows import INFINITY, exponent_of_bits, power_of_two
from ai_exec.fast.scalar import WHOLE
from ai_exec.fast.tiles import (
    NARROW_ROWS,
    VECTORS,
    WIDE_COLUMNS,
    WIDE_LANES,
    narrow_four,
    narrow_many,
    narrow_one,
)

Places = tuple[int, ...]
Shapes = tuple[Places, ...]
"""Kernel, strides, dilations, then outputs or padding before, as a pass says."""


@compiled
def sizes_of(x: Any, blocks: int, sizes: Any) -> None:
    """Greatest bits of the sizes of each channel of a sample [pixel and channel].

    Of one block the first channel has the greatest of all.
    """
    bits, channels = x.view(np.int32), sizes.shape[0]
    sizes[:] = 0
    if blocks == 1:
        best = np.int32(0)
        for index in range(bits.shape[0]):
            best = max(best, np.int32(bits[index] & 0x7FFFFFFF))
        sizes[0] = best
        return
    if channels >= WIDE_LANES:
        pixels = bits.shape[0] // channels
        greatest_pixels(bits.ctypes.data, pixels, channels, sizes.ctypes.data)
        return
    for start in range(0, bits.shape[0], channels):
        row = bits[start : start + channels]
        for channel in range(channels):
            sizes[channel] = max(sizes[channel], np.int32(row[channel] & 0x7FFFFFFF))


@compiled
def scales_of(x: Any, known: Any, bounds: Any, bits: Any, factors: Any, scales: Any) -> None:
    """Give what each block of a sample [pixel and channel] is multiplied by, and its scale.

    A block is the channels between two bounds.  One that is not finite has scale NaN.  The greatest
    bits of channels are known, or that is empty.
    """
    sizes = known
    if not known.shape[0]:
        sizes = np.empty(bounds[bits.shape[0]], np.int32)
        sizes_of(x, bits.shape[0], sizes)
    for block in range(bits.shape[0]):
        greatest: Any = np.int32(0)
        for channel in range(bounds[block], bounds[block + 1]):
            greatest = max(greatest, sizes[channel])
        if greatest >= INFINITY:
            factors[block], scales[block] = 0.0, np.nan
        else:
            exponent = exponent_of_bits(greatest)
            factors[block] = power_of_two(bits[block] - exponent)
            scales[block] = power_of_two(exponent - bits[block])


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
    if width == WIDE_COLUMNS:
        wide_rows(left, stride, rows, panel, steps, target)
        return
    done, across = 0, width * 8
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
def combine_scales(left: Any, right: Any, combined: Any) -> None:
    """Products of the scales of a sample's blocks and of kernels [group, block, map]."""
    groups, blocks, columns = right.shape
    for group in range(groups):
        for block in range(blocks):
            scale = left[group * blocks + block]
            source, target = right[group, block], combined[group, block]
            for column in range(columns):
                target[column] = scale * source[column]


@inlined
def place_of(result: int, outputs: Places) -> Any:
    """Where a result lies along each axis."""
    plane = outputs[1] * outputs[2]
    return result // plane, result % plane // outputs[2], result % outputs[2]


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
    """Quantise some windows of a group's blocks from x [depth, height, width and channel].

    Neighbours lie in one piece where a block has all channels of x, `pixel` for each place.
    """
    kernel, strides, dilations, outputs = shape
    taps, joined = kernel[0] * kernel[1] * kernel[2], dilations[2] == 1
    line, plane = x.shape[2] * 4, x.shape[1] * x.shape[2] * 4
    row_bytes = digits.shape[1] * 8
    far, down, right = place_of(first, outputs)
    for row in range(rows):
        start = x.ctypes.data + far * strides[0] * plane
        start += down * strides[1] * line + right * strides[2] * pixel * 4
        right += 1
        if right == outputs[2]:
            right, down = 0, down + 1
            if down == outputs[1]:
                down, far = 0, far + 1
        for block in range(factors.shape[0]):
            channels = bounds[block + 1] - bounds[block]
            target = digits.ctypes.data + row * row_bytes + (bounds[block] - bounds[0]) * taps * 8
            source = start + bounds[block] * 4
            for z in range(kernel[0]):
                depth = source + z * dilations[0] * plane
                if joined and channels == pixel:
                    count, distance = kernel[2] * channels, dilations[1] * line
                    quantise_runs(depth, target, kernel[1], distance, count, factors[block])
                    target += kernel[1] * count * 8
                else:
                    for y in range(kernel[1]):
                        height, distance = depth + y * dilations[1] * line, dilations[2] * pixel * 4
                        quantise_runs(height, target, kernel[2], distance, channels, factors[block])
                        target += kernel[2] * channels * 8


@compiled
def multiply_rows(
    left: int,
    stride: int,
    rows: int,
    taps: int,
    edges: Any,
    panel: int,
    column: int,
    width: int,
    combined: Any,
    sums: Any,
    totals: int,
) -> None:
    """Products of gathered rows with a panel, to totals of several blocks."""
    for block in range(combined.shape[0]):
        start, steps = (edges[block] - edges[0]) * taps, (edges[block + 1] - edges[block]) * taps
        right = panel + start * width * 4
        panel_sums(left + start * 8, stride, rows, right, width, steps, sums.ctypes.data)
        scale = combined[block].ctypes.data + column * 8
        join_sums(sums.ctypes.data, totals, rows, width, scale, int(block == 0))


@compiled
def convolve_rows(
    x: Any,
    shape: Shapes,
    pixel: int,
    piece: int,
    kernels: Any,
    operands: Any,
) -> None:
    """Convolve x [sample, depth, height, width and channel] into out [sample and pixel, map].

    All windows lie in x, which goes on for a vector behind its end.  Bounds and bits are of all
    groups' blocks, one group after the other; panels of a group start at the given columns, their
    scales are [group, block, map].  Sizes [sample, channel] of x are known, or [sample, 0] are
    given; those of out are raised from 0.
    """
    ending, tensor, known, out, sizes = operands
    bounds, bits, columns, packed, panel_scales = kernels
    kernel, _, _, outputs = shape
    groups, blocks, _ = panel_scales.shape
    taps, count = kernel[0] * kernel[1] * kernel[2], outputs[0] * outputs[1] * outputs[2]
    maps, length = out.shape[1] // groups, (bounds[blocks] - bounds[0]) * taps
    digits, widest = np.empty((piece + WIDE_LANES, length)), VECTORS * WIDE_LANES
    totals, sums = np.empty(piece * widest), np.empty(piece * widest)
    room, combined = room_for(piece, widest), np.empty(panel_scales.shape)
    places = np.empty(piece, np.int64)
    after = np.ones(panel_scales.shape) if blocks > 1 else combined
    factors, scales = np.empty(bits.shape[0]), np.empty(bits.shape[0])
    found = totals if blocks > 1 else sums
    kind, record = kind_of(ending, maps), record_of(ending, places, tensor, out, room[0])
    desk, left = record.ctypes.data, digits.ctypes.data
    for sample in range(x.shape[0]):
        image = x[sample]
        scales_of(image.reshape(image.size), known[sample], bounds, bits, factors, scales)
        combine_scales(scales, panel_scales, combined)
        record[SIZES_AT] = sizes[sample].ctypes.data
        rest = (ending, tensor, out, sizes[sample], room)
        for work in range(groups * ((count + piece - 1) // piece)):
            group, first = work % groups, work // groups * piece
            rows, begin = min(piece, count - first), group * blocks
            edges, factor = bounds[begin : begin + blocks + 1], factors[begin : begin + blocks]
            places[:rows] = np.arange(first, first + rows) + sample * count
            gather_rows(image, shape, pixel, first, rows, edges, factor, digits)
            base = packed.ctypes.data + group * length * columns[-1] * 4
            scale = after[group, 0].ctypes.data - group * maps * 8
            for panel in range(columns.shape[0] - 1):
                column, width = columns[panel], columns[panel + 1] - columns[panel]
                own, valid = group * maps + column, min(width, maps - column)
                right = base + column * length * 4
                result = found.ctypes.data  # Asked for here: else the array would be freed.
                if blocks > 1:
                    multiply_rows(
                        *(left, length * 8, rows, taps, edges, right, column, width),
                        *(combined[group], sums, result),
                    )
                else:
                    panel_sums(left, length * 8, rows, right, width, length, result)
                if kind >= 0:
                    settle(kind, desk, result, width * 8, rows, own, valid, scale)
                else:
                    finish_chain(result, rows, width, own, valid, scale, places, *rest)
