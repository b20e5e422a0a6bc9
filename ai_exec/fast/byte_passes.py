"""Products of bytes by panels, finished piece by piece while sums are near: three endings.

As int32; as binary32 numbers times a factor, followed by a chain; as bytes again, by a multiplier.
Results are [row, column]; those of images have one row for each place and their channels last.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.byte_sums import (
    PIECE_ROWS,
    STRIDE,
    VECTORS,
    WIDTH,
    whole_sums,
)
from ai_exec.fast.byte_tiles import LANES, VECTORS_MAX
from ai_exec.fast.compilation import compiled
from ai_exec.fast.finishing import apply_chain
from ai_exec.fast.multiply import store

PIECE: Final = PIECE_ROWS * VECTORS_MAX * LANES
"""Sums of a piece, at most."""


@compiled
def to_integers(
    image: Any,
    starts: Any,
    geometry: Any,
    segments: Any,
    panels: Any,
    wholes: Any,
    totals: Any,
    out: Any,
) -> None:
    """Write sums of values as they are."""
    sums = np.empty(PIECE, np.int32)
    operands, width, across = (segments, panels, wholes), geometry[WIDTH], geometry[VECTORS] * LANES
    for line in range(starts.shape[0]):
        for first in range(0, width, PIECE_ROWS):
            rows, above = min(PIECE_ROWS, width - first), line * width + first
            start = starts[line] + first * geometry[STRIDE]
            for column in range(0, out.shape[1], across):
                valid = min(across, out.shape[1] - column)
                whole_sums(image, start, rows, column, geometry, operands, totals[above:], sums)
                for row in range(rows):
                    target = out[above + row, column : column + valid]
                    source = sums[row * across : row * across + valid]
                    for place in range(valid):
                        target[place] = source[place]


@compiled
def scale_sums(sums: Any, rows: int, across: int, scale: Any, factors: Any, values: Any) -> None:
    """Sums [rows, across] as binary32 numbers times (scale factor)."""
    for row in range(rows):
        source = sums[row * across : (row + 1) * across]
        target = values[row * across : (row + 1) * across]
        for place in range(across):
            target[place] = np.float32(source[place]) * np.float32(scale * factors[place])


@compiled
def to_numbers(
    image: Any,
    starts: Any,
    geometry: Any,
    segments: Any,
    panels: Any,
    wholes: Any,
    totals: Any,
    scale: Any,
    factors: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
    out: Any,
) -> None:
    """Write sums times (scale factor), both rounded to binary32, after a chain."""
    sums = np.empty(PIECE, np.int32)
    values, saved = np.empty(PIECE, np.float32), np.empty(PIECE, np.float32)
    operands, width, across = (segments, panels, wholes), geometry[WIDTH], geometry[VECTORS] * LANES
    for line in range(starts.shape[0]):
        for first in range(0, width, PIECE_ROWS):
            rows, above = min(PIECE_ROWS, width - first), line * width + first
            start = starts[line] + first * geometry[STRIDE]
            for column in range(0, out.shape[1], across):
                valid = min(across, out.shape[1] - column)
                whole_sums(image, start, rows, column, geometry, operands, totals[above:], sums)
                scale_sums(sums, rows, across, scale, factors[column : column + across], values)
                apply_chain(
                    *(values, saved, rows, across, above, column, valid),
                    *(codes, numbers, table, tensor),
                )
                store(values, rows, across, above, column, valid, out)


@compiled
def to_bytes(
    image: Any,
    starts: Any,
    geometry: Any,
    segments: Any,
    panels: Any,
    wholes: Any,
    totals: Any,
    multipliers: Any,
    ends: Any,
    out: Any,
) -> None:
    """Write (sums plus bias) times multipliers, half to even, plus a zero point, saturated.

    `wholes` has the bias as its third row; `ends` are least and greatest result and zero point.
    """
    sums = np.empty(PIECE, np.int32)
    operands, width, across = (segments, panels, wholes), geometry[WIDTH], geometry[VECTORS] * LANES
    zero = np.int32(ends[2])
    least, most = np.float32(ends[0] - ends[2]), np.float32(ends[1] - ends[2])
    for line in range(starts.shape[0]):
        for first in range(0, width, PIECE_ROWS):
            rows, above = min(PIECE_ROWS, width - first), line * width + first
            start = starts[line] + first * geometry[STRIDE]
            for column in range(0, out.shape[1], across):
                valid = min(across, out.shape[1] - column)
                whole_sums(image, start, rows, column, geometry, operands, totals[above:], sums)
                bias, times = wholes[2, column : column + valid], multipliers[column:]
                for row in range(rows):
                    source = sums[row * across : row * across + valid]
                    target = out[above + row, column : column + valid]
                    for place in range(valid):
                        total = np.int32(source[place] + bias[place])
                        value = np.rint(np.float32(total) * times[place])
                        value = value if value > least else least
                        value = value if value < most else most
                        target[place] = np.uint8((np.int32(value) + zero) & 255)
