"""Whole sums of products of bytes: rows that lie at equal distances, and what zero points add.

A row is what a result takes from the left operand: a row of a matrix, or a window of an image
whose channels lie last.  It is read in segments [offset, first step, steps], one for a matrix, one
for each line of a kernel.  Left bytes are unsigned and stand `zero` above their values.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.byte_tiles import LANES, add_bytes
from ai_exec.fast.compilation import compiled

PIECE_ROWS: Final = 48
"""Rows that are finished together; tiles of each number of vectors divide it."""
WIDTH, STRIDE, VECTORS, BASED, LINES, ZERO = range(6)
"""Places in a geometry: rows of a line, bytes from one to the next, vectors of a panel, whether
weights have zero points, lines of a sample, the left zero point."""
GEOMETRY: Final = 6


@compiled
def copy_rows(rows: Any, turned: int, fill: int, out: Any) -> None:
    """Copy rows of bytes to longer ones, with the highest bit turned where `turned` is 128."""
    length = rows.shape[1]
    for row in range(rows.shape[0]):
        source, target = rows[row], out[row]
        for index in range(length):
            target[index] = source[index] ^ np.uint8(turned)
        for index in range(length, out.shape[1]):
            target[index] = np.uint8(fill)


@compiled
def copy_image(x: Any, turned: int, fill: int, top: int, left: int, out: Any) -> None:
    """Copy images [sample, row, column, channel] into the middle of larger ones."""
    height, width, channels = x.shape[1:]
    filling = np.uint8(fill)
    for sample in range(out.shape[0]):
        for row in range(out.shape[1]):
            inside = top <= row < top + height
            for column in range(out.shape[2]):
                target = out[sample, row, column]
                if inside and left <= column < left + width:
                    source = x[sample, row - top, column - left]
                    for channel in range(channels):
                        target[channel] = source[channel] ^ np.uint8(turned)
                    for channel in range(channels, target.shape[0]):
                        target[channel] = filling
                else:
                    target[:] = filling


@compiled
def measure_rows(rows: Any, zero: int, totals: Any, squares: Any, greatest: Any) -> None:
    """Give the sum of each row's values and of their squares, and the greatest size of one."""
    base = np.int32(zero)
    for row in range(rows.shape[0]):
        source = rows[row]
        total, square = np.int32(0), np.int32(0)
        low, high = np.uint8(255), np.uint8(0)
        for index in range(source.shape[0]):
            value = np.int32(np.int32(source[index]) - base)
            total += value
            square += np.int32(value * value)
            low, high = min(low, source[index]), max(high, source[index])
        totals[row], squares[row] = total, square
        greatest[row] = max(np.int32(high) - base, base - np.int32(low))


@compiled
def measure_windows(
    pixels: Any, starts: Any, width: int, step: int, offsets: Any, out: Any
) -> None:
    """Add what was measured of the pixels of each window."""
    for line in range(starts.shape[0]):
        for place in range(width):
            first, total = starts[line] + place * step, np.int32(0)
            for index in range(offsets.shape[0]):
                total += pixels[first + offsets[index]]
            out[line * width + place] = total


@compiled
def whole_sums(
    image: Any,
    start: int,
    rows: int,
    column: int,
    geometry: Any,
    operands: Any,
    totals: Any,
    sums: Any,
) -> None:
    """Sums of values [row, column] of rows and the columns of a panel.

    `wholes` has, by columns, sums of the weights' bytes and their zero points.
    """
    segments, panels, wholes = operands
    vectors = geometry[VECTORS]
    width, zero = vectors * LANES, np.int32(geometry[ZERO])
    panel, base = panels[column // width], image.ctypes.data + start
    weights, zeros = wholes[0, column : column + width], wholes[1, column : column + width]
    for row in range(rows):
        target = sums[row * width : (row + 1) * width]
        for place in range(width):
            target[place] = -np.int32(zero * weights[place])
        if geometry[BASED]:
            total = np.int32(totals[row])
            for place in range(width):
                target[place] -= np.int32(total * zeros[place])
    for segment in range(segments.shape[0]):
        add_bytes(
            *(base + segments[segment, 0], geometry[STRIDE], rows, panel),
            *(segments[segment, 1], segments[segment, 2], vectors, sums),
        )
