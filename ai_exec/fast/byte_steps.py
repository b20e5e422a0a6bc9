"""Steps between dequantised bytes and bytes that look at each element alone, and pools.

A step of one operand is a table of 256 bytes.  Others dequantise, follow the chain and quantise.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.finishing import PIECE, apply_chain

BYTE_VALUES: Final = 256


@compiled
def look_up(x: Any, table: Any, out: Any) -> None:
    """Give the table's byte for each byte."""
    for index in range(x.shape[0]):
        out[index] = table[x[index]]


@compiled
def dequantise_piece(x: Any, zero: Any, scale: Any, turned: Any, values: Any) -> None:
    """Bytes as numbers."""
    for index in range(x.shape[0]):
        values[index] = np.float32(np.int32(x[index] ^ turned) - zero) * scale


@compiled
def chain_bytes(
    x: Any,
    y: Any,
    zeros: Any,
    scales: Any,
    ends: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    out: Any,
) -> None:
    """Take bytes [row, column] through a chain to bytes; `y` of the same shape or empty.

    `zeros` are the operands' zero points and what turns them, twice; `scales` those of x, y and the
    result; `ends` its least and greatest whole number without its zero point, and that.
    """
    rows, columns = x.shape
    values, saved = np.empty(PIECE, np.float32), np.empty(PIECE, np.float32)
    other = np.zeros((1, columns), np.float32)
    least, most, moved = np.float32(ends[0]), np.float32(ends[1]), np.int32(ends[2])
    by = np.float32(scales[2])
    for row in range(rows):
        for column in range(0, columns, PIECE):
            count = min(PIECE, columns - column)
            source = x[row, column : column + count]
            dequantise_piece(source, zeros[0], scales[0], np.uint8(zeros[1]), values)
            if y.shape[0]:
                source = y[row, column : column + count]
                target = other[0, column : column + count]
                dequantise_piece(source, zeros[2], scales[1], np.uint8(zeros[3]), target)
            apply_chain(
                *(values, saved, 1, count, row, column, count),
                *(codes, numbers, table, other),
            )
            target = out[row, column : column + count]
            for index in range(count):
                value = np.rint(values[index] / by)
                value = value if value == value else np.float32(0)
                value = value if value > least else least
                value = value if value < most else most
                target[index] = np.uint8((np.int32(value) + moved) & 255)


@compiled
def greatest_bytes(x: Any, window: Any, turned: int, out: Any) -> None:
    """Greatest bytes of windows of images [sample, row, column, channel]; turned ones are signed.

    `window` has kernel, strides, dilations and what lies in front, for rows and columns.
    """
    height, width, channels = x.shape[1:]
    turn = np.uint8(turned)
    best = np.empty(channels, np.uint8)
    for sample in range(out.shape[0]):
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                best[:] = np.uint8(0)
                for high in range(window[0, 0]):
                    place = row * window[1, 0] - window[3, 0] + high * window[2, 0]
                    for wide in range(window[0, 1]):
                        across = column * window[1, 1] - window[3, 1] + wide * window[2, 1]
                        if 0 <= place < height and 0 <= across < width:
                            source = x[sample, place, across]
                            for channel in range(channels):
                                best[channel] = max(best[channel], source[channel] ^ turn)
                target = out[sample, row, column]
                for channel in range(channels):
                    target[channel] = best[channel] ^ turn
