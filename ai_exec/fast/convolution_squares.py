"""Convolutions with kernels of 3 x 3 that move by one: squares of results by fewer products.

Winograd's way: 2 x 2 results need 16 products instead of 36 for each channel and map.  With whole
numbers it loses nothing: kernels are transformed to four times what the way asks for, so that they
stay whole, and every sum stays within 2^53.  Channels come in chunks so short that this holds
whatever the data are.
"""

from typing import Any, Final

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


@inlined
def combined(first: Any, second: Any, third: Any) -> Any:
    """Rows (2 0 0), (1 1 1), (1 -1 1), (0 0 2) times three numbers."""
    outer = first + third
    return 2 * first, outer + second, outer - second, 2 * third


@inlined
def store_row(squares: Any, number: int, place: int, row: Any) -> None:
    """Put four numbers into planes from a place on."""
    squares[place, number], squares[place + 1, number] = row[0], row[1]
    squares[place + 2, number], squares[place + 3, number] = row[2], row[3]


@compiled
def transform_kernels(digits: Any, channel: int, start: int, count: int, squares: Any) -> None:
    """Multiply kernels [map, channel, 9] by the rows of `combined` and by their transpose.

    Squares [place, map] take some maps of a channel.
    """
    for number in range(count):
        kernel = digits[start + number, channel]
        left = combined(kernel[0], kernel[3], kernel[6])
        middle = combined(kernel[1], kernel[4], kernel[7])
        right = combined(kernel[2], kernel[5], kernel[8])
        store_row(squares, number, 0, combined(left[0], middle[0], right[0]))
        store_row(squares, number, 4, combined(left[1], middle[1], right[1]))
        store_row(squares, number, 8, combined(left[2], middle[2], right[2]))
        store_row(squares, number, 12, combined(left[3], middle[3], right[3]))


@compiled
def reach_of(digits: Any, reaches: Any) -> None:
    """Sums of sizes of transformed kernels [map, channel, 9] that go into each result of a square.

    Reaches are [channel, map, 4].
    """
    maps = digits.shape[0]
    squares, sums = np.empty((PLACES, maps), np.int32), np.empty((8, maps), np.int32)
    for channel in range(digits.shape[1]):
        transform_kernels(digits, channel, 0, maps, squares)
        for row in range(4):
            for number in range(maps):
                inner = abs(squares[4 * row + 1, number]) + abs(squares[4 * row + 2, number])
                sums[row, number] = abs(squares[4 * row, number]) + inner
                sums[4 + row, number] = abs(squares[4 * row + 3, number]) + inner
        for number in range(maps):
            target = reaches[channel, number]
            first, second = sums[1, number] + sums[2, number], sums[5, number] + sums[6, number]
            target[0], target[1] = sums[0, number] + first, sums[4, number] + second
            target[2], target[3] = sums[3, number] + first, sums[7, number] + second


@compiled
def pack_squares(digits: Any, columns: Any, chunks: Any, packed: Any) -> None:
    """Kernels [map, channel, 9] to panels [panel][chunk][place][channel][map], in reading order.

    Panels start at the given columns.
    """
    maps, channels, _ = digits.shape
    squares = np.empty((PLACES, VECTORS * WIDE_LANES), np.int32)
    for panel in range(columns.shape[0] - 1):
        start, width = columns[panel], columns[panel + 1] - columns[panel]
        count = min(width, maps - start)
        for chunk in range(chunks.shape[0]):
            begin, end = chunks[chunk, 0], chunks[chunk, 1]
            base = (start * channels + begin * width) * PLACES
            for channel in range(begin, end):
                transform_kernels(digits, channel, start, count, squares)
                target = base + (channel - begin) * width
                for place in range(PLACES):
                    at = target + place * (end - begin) * width
                    packed[at : at + count] = squares[place, :count]


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
    kernels: Any,
    operands: Any,
) -> None:
    """Convolve x [sample, height, width and channel] into out [sample and pixel, map].

    Panels start at the given columns, their scales are [1, block, map]; pieces have so many
    squares.
    """
    ending, tensor, known, out, sizes = operands
    bounds, bits, chunks, columns, packed, panel_scales = kernels
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
    kind, record = kind_of(ending, maps), record_of(ending, places, tensor, out, room[0])
    desk = record.ctypes.data
    for sample in range(x.shape[0]):
        image = x[sample]
        scales_of(image.reshape(image.size), known[sample], bounds, bits, factors, scales)
        combine_scales(scales, panel_scales, combined)
        record[SIZES_AT] = sizes[sample].ctypes.data
        for first in range(0, squares, piece):
            rows = min(piece, squares - first)
            gather_squares(
                *(image, zeros, first, rows, across, before, channels),
                *(bounds, factors, planes),
            )
            place_squares(first, rows, across, height, width, sample * height * width, places)
            for panel in range(columns.shape[0] - 1):
                column, wide = columns[panel], columns[panel + 1] - columns[panel]
                base = packed.ctypes.data + column * PLACES * channels * 4
                valid = min(wide, maps - column)
                # Asked for here: arrays of which only addresses are used later would be freed.
                result, scale = found.ctypes.data, left.ctypes.data
                multiply_panel(
                    *(planes, rows, base, column, wide, chunks, combined[0]),
                    *(products, sums, totals),
                )
                if kind >= 0:
                    settle(kind, desk, result, wide * 8, 4 * rows, column, valid, scale)
                else:
                    finish_chain(
                        *(result, 4 * rows, wide, column, valid, scale, places),
                        *(ending, tensor, out, sizes[sample], room),
                    )
