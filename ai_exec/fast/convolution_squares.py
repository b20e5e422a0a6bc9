"""Convolutions with kernels of 3 x 3 that move by one: squares of results by fewer products.

Winograd's way: 2 x 2 results need 16 products instead of 36 for each channel and map.  With whole
numbers it loses nothing: kernels are transformed to four times what the way asks for, so that they
stay whole, and every sum stays within 2^53.  Channels come in chunks so short that this holds
whatever the data are.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution_finish import finish_piece, room_for
from ai_exec.fast.convolution_rows import combine_scales, panel_sums, scales_of
from ai_exec.fast.convolution_vectors import (
    PLACES,
    join_sums,
    square_of_input,
    squares_of_output,
)
from ai_exec.fast.tiles import VECTORS, WIDE_LANES

EXACT_BITS: Final = 53
INPUT_BITS: Final = 2
"""A transformed element of data is a sum of four."""


@compiled
def transform_kernel(kernel: Any, square: Any) -> None:
    """Multiply a kernel by rows (2 0 0), (1 1 1), (1 -1 1), (0 0 2) and by their transpose."""
    half = np.empty(12, np.int64)
    for column in range(3):
        first, second, third = (
            np.int64(kernel[column]),
            np.int64(kernel[3 + column]),
            np.int64(kernel[6 + column]),
        )
        half[column], half[9 + column] = 2 * first, 2 * third
        half[3 + column] = first + second + third
        half[6 + column] = first - second + third
    for row in range(4):
        first, second, third = half[3 * row], half[3 * row + 1], half[3 * row + 2]
        square[4 * row], square[4 * row + 3] = 2 * first, 2 * third
        square[4 * row + 1] = first + second + third
        square[4 * row + 2] = first - second + third


@compiled
def reach_of(digits: Any, reaches: Any) -> None:
    """Sums of sizes of transformed kernels [map, channel, 9] that go into each result of a square.

    Reaches are [channel, map, 4].
    """
    square = np.empty(PLACES, np.int64)
    for number in range(digits.shape[0]):
        for channel in range(digits.shape[1]):
            transform_kernel(digits[number, channel], square)
            for result in range(4):
                total = np.int64(0)
                for row in range(result // 2, result // 2 + 3):
                    for place in range(result % 2, result % 2 + 3):
                        total += abs(square[4 * row + place])
                reaches[channel, number, result] = total


@compiled
def pack_squares(digits: Any, columns: Any, chunks: Any, packed: Any) -> None:
    """Kernels [map, channel, 9] to panels [panel][chunk][place][channel][map], in reading order.

    Panels start at the given columns.
    """
    maps, channels, _ = digits.shape
    square = np.empty(PLACES, np.int64)
    for panel in range(columns.shape[0] - 1):
        start, width = columns[panel], columns[panel + 1] - columns[panel]
        for chunk in range(chunks.shape[0]):
            begin, end = chunks[chunk, 0], chunks[chunk, 1]
            base = (start * channels + begin * width) * PLACES
            for number in range(start, min(start + width, maps)):
                for channel in range(begin, end):
                    transform_kernel(digits[number, channel], square)
                    target = base + (channel - begin) * width + number - start
                    for place in range(PLACES):
                        packed[target + place * (end - begin) * width] = square[place]


@compiled
def cut_chunks(reaches: Any, bounds: Any, bits: Any, chunks: Any) -> int:
    """Cut blocks of channels into chunks whose sums stay exact; give their count, or -1.

    Chunks are [start, stop, block].
    """
    count = 0
    for block in range(bits.shape[0]):
        limit = np.int64(1) << np.int64(EXACT_BITS - INPUT_BITS - bits[block])
        start = bounds[block]
        sums = np.zeros(reaches.shape[1] * 4, np.int64)
        for channel in range(bounds[block], bounds[block + 1]):
            more = reaches[channel].reshape(sums.shape[0])
            sums += more
            if sums.max() > limit:
                if more.max() > limit:
                    return -1
                chunks[count] = (start, channel, block)
                count += 1
                start = channel
                sums[:] = more
        chunks[count] = (start, bounds[block + 1], block)
        count += 1
    return count


@compiled
def gather_squares(
    x: Any,
    zeros: Any,
    first: int,
    rows: int,
    across: int,
    before: tuple[int, ...],
    channels: int,
    bounds: Any,
    factors: Any,
    planes: Any,
) -> None:
    """Transform squares of x [height, width and channel] into planes [place, square, channel]."""
    height, width = x.shape[0], x.shape[1] // channels
    sources = np.empty(PLACES, np.int64)
    starts = np.empty(PLACES, np.int64)
    distance = planes.shape[1] * planes.shape[2] * 8
    for row in range(rows):
        top = (first + row) // across * 2 - before[0]
        left = (first + row) % across * 2 - before[1]
        for place in range(PLACES):
            y, z = top + place // 4, left + place % 4
            inside = 0 <= y < height and 0 <= z < width
            address = x.ctypes.data + (y * width + z) * channels * 4
            sources[place] = address if inside else zeros.ctypes.data
        for block in range(factors.shape[0]):
            start, stop = bounds[block], bounds[block + 1]
            for place in range(PLACES):
                starts[place] = sources[place] + start * 4
            target = planes[0, row].ctypes.data + start * 8
            square_of_input(starts.ctypes.data, target, distance, stop - start, factors[block])


@compiled
def place_squares(
    first: int, rows: int, across: int, height: int, width: int, start: int, places: Any
) -> None:
    """Give the pixel of each result of some squares, or -1 outside."""
    for row in range(rows):
        y, x = (first + row) // across * 2, (first + row) % across * 2
        for result in range(4):
            down, right = y + result // 2, x + result % 2
            inside = down < height and right < width
            places[4 * row + result] = start + down * width + right if inside else -1


@compiled
def multiply_chunk(
    planes: Any,
    rows: int,
    panel: int,
    width: int,
    start: int,
    steps: int,
    products: Any,
    sums: Any,
    fresh: int,
) -> None:
    """Products of a chunk of channels of all planes with a panel, to sums of results."""
    plane, distance = planes.shape[1] * planes.shape[2] * 8, products.shape[1] * 8
    for place in range(PLACES):
        panel_sums(
            *(planes.ctypes.data + place * plane + start * 8, planes.shape[2] * 8, rows),
            *(panel + (start * PLACES + place * steps) * width * 4, width, steps),
            products.ctypes.data + place * distance,
        )
    squares_of_output(products.ctypes.data, distance, rows, width, sums.ctypes.data, fresh)


@compiled
def multiply_panel(
    planes: Any,
    rows: int,
    panel: int,
    column: int,
    width: int,
    chunks: Any,
    combined: Any,
    products: Any,
    sums: Any,
    totals: Any,
) -> None:
    """Products of all planes with a panel to sums of results, or to totals of several blocks."""
    for chunk in range(chunks.shape[0]):
        start, stop, block = chunks[chunk]
        fresh = int(chunk == 0 or chunks[chunk - 1, 2] != block)
        multiply_chunk(*(planes, rows, panel, width, start, stop - start, products, sums, fresh))
        last = chunk + 1 == chunks.shape[0] or chunks[chunk + 1, 2] != block
        if combined.shape[0] > 1 and last:
            scale, place = combined[block].ctypes.data + column * 8, totals.ctypes.data
            join_sums(sums.ctypes.data, place, 4 * rows, width, scale, int(block == 0))


@compiled
def convolve_squares(
    x: Any,
    before: tuple[int, ...],
    outputs: tuple[int, ...],
    channels: int,
    piece: int,
    bounds: Any,
    bits: Any,
    chunks: Any,
    columns: Any,
    packed: Any,
    panel_scales: Any,
    ending: Any,
    tensor: Any,
    out: Any,
) -> None:
    """Convolve x [sample, height, width and channel] into out [sample and pixel, map].

    Panels start at the given columns, their scales are [1, block, map]; pieces have so many
    squares.
    """
    height, width = outputs
    across, maps = (width + 1) // 2, out.shape[1]
    squares, widest = (height + 1) // 2 * across, VECTORS * WIDE_LANES
    planes = np.empty((PLACES, piece, channels), np.float64)
    products = np.empty((PLACES, piece * widest), np.float64)
    totals, sums = np.empty(4 * piece * widest), np.empty(4 * piece * widest)
    room, ones = room_for(4 * piece, widest), np.ones(panel_scales.shape[2])
    places, zeros = np.empty(4 * piece, np.int64), np.zeros(channels, np.float32)
    combined = np.empty(panel_scales.shape)
    factors, scales = np.empty(bits.shape[0]), np.empty(bits.shape[0])
    found, left = (totals, ones) if panel_scales.shape[1] > 1 else (sums, combined[0, 0])
    for sample in range(x.shape[0]):
        scales_of(x[sample].reshape(x[sample].size), bounds, bits, factors, scales)
        combine_scales(scales, panel_scales, combined)
        for first in range(0, squares, piece):
            rows = min(piece, squares - first)
            gather_squares(
                *(x[sample], zeros, first, rows, across, before, channels),
                *(bounds, factors, planes),
            )
            place_squares(first, rows, across, height, width, sample * height * width, places)
            for panel in range(columns.shape[0] - 1):
                column, wide = columns[panel], columns[panel + 1] - columns[panel]
                base = packed.ctypes.data + column * PLACES * channels * 4
                multiply_panel(
                    *(planes, rows, base, column, wide, chunks, combined[0]),
                    *(products, sums, totals),
                )
                finish_piece(
                    *(found, 4 * rows, wide, column, min(wide, maps - column)),
                    *(left[column:], places, ending, tensor, out, room),
                )
