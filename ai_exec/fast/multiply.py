"""Matrix products of whole numbers by tiles, scaled, rounded and finished while they are near."""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.finishing import WIDTH_MAX, apply_chain
from ai_exec.fast.rows import quantise_wide
from ai_exec.fast.tiles import (
    PAIR_COLUMNS,
    PAIR_ROWS,
    WIDE_COLUMNS,
    WIDE_ROWS,
    pair_many,
    pair_one,
    wide_four,
    wide_many,
    wide_one,
    wide_two,
)
from ai_exec.semantics.numerics import BLOCK_LENGTH

PIECE_ROWS: Final = 32
"""Rows that are finished together."""
PAIR_PIECE_ROWS: Final = 64
"""The same, where more rows share the sum of digits of a panel."""
PAIR_STEPS: Final = 192
"""Steps after which sums of pairs are put together: of 384 products.

A row's whole numbers have squares that sum to at most 2^53, so those of its high digits sum to less
than 2^29.1, those of its low ones to at most 2^22 * 384 < 2^30.6.  Any sums of products of two rows
of digits are below the roots of both (Cauchy, Schwarz): below 2^29.1, 2^30.6, and 2^30.9 for the
two middle ones together, which int32 holds.
"""


@compiled
def wide_rows(left: int, stride: int, rows: int, panel: int, steps: int, target: int) -> None:
    """Products of rows with a panel of WIDE_COLUMNS, to sums [row, column]; all at addresses."""
    done, across = 0, WIDE_COLUMNS * 8
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


@compiled
def wide_sums(digits: Any, row: int, rows: int, start: int, panel: Any, sums: Any) -> None:
    """Products of rows with a part of a panel [step, column] into sums [rows, column]."""
    stride = digits.shape[1] * 8
    left = digits.ctypes.data + row * stride + start * 8
    wide_rows(left, stride, rows, panel.ctypes.data, panel.shape[0], sums.ctypes.data)


@compiled
def pair_part(
    digits: Any, row: int, rows: int, place: int, start: int, panel: int, steps: int, sums: Any
) -> None:
    """Products of one digit of rows with a part of a panel at an address into sums in int32."""
    stride = digits.shape[1] * digits.shape[2] * 2
    left = digits.ctypes.data + row * stride + place * digits.shape[2] * 2 + start * 2
    target, target_stride = sums.ctypes.data, PAIR_COLUMNS * 4
    done = 0
    while rows - done >= PAIR_ROWS:
        pair_many(left, stride, panel, steps, target, target_stride)
        done += PAIR_ROWS
        left += PAIR_ROWS * stride
        target += PAIR_ROWS * target_stride
    while done < rows:
        pair_one(left, stride, panel, steps, target, target_stride)
        done, left, target = done + 1, left + stride, target + target_stride


@compiled
def add_digits(panel: Any, start: int, stop: int, together: Any) -> None:
    """Add both digits [digit, step, 2 * column] of a part of a panel."""
    for step in range(stop - start):
        high, low, target = panel[0, start + step], panel[1, start + step], together[step]
        for column in range(panel.shape[2]):
            target[column] = np.int16(high[column] + low[column])


@compiled
def gather_pairs(high: Any, low: Any, both: Any, count: int, sums: Any, fresh: int) -> None:
    """Put the three products of digits together: a b = h h' 2^24 + (h l' + l h') 2^12 + l l'.

    The middle sum is what the product of the sums of digits holds beside the others; it fits in
    int32 although the product may have wrapped.
    """
    if fresh:
        sums[:count] = 0.0
    for index in range(count):
        middle = np.int32(np.int32(both[index] - high[index]) - low[index])
        whole = np.float64(high[index]) * 16777216.0 + np.float64(middle) * 4096.0
        sums[index] = sums[index] + (whole + np.float64(low[index]))


@compiled
def scale_sums(
    sums: Any, totals: Any, rows: int, width: int, left: Any, right: Any, fresh: int
) -> None:
    """Scale sums [rows, width] of a block and add them to those of the blocks before."""
    for row in range(rows):
        scale = left[row]
        source = sums[row * width : (row + 1) * width]
        target = totals[row * width : (row + 1) * width]
        if fresh:
            for column in range(width):
                target[column] = source[column] * scale * right[column]
        else:
            for column in range(width):
                target[column] = target[column] + source[column] * scale * right[column]


@compiled
def round_wide(sums: Any, rows: int, left: Any, right: Any, added: Any, values: Any) -> None:
    """Scale the sums of an only block, add a bias and round to binary32, in one pass."""
    width = right.shape[0]
    for row in range(rows):
        scale = left[row]
        source = sums[row * width : (row + 1) * width]
        target = values[row * width : (row + 1) * width]
        for column in range(width):
            target[column] = np.float32(source[column] * (scale * right[column]) + added[column])


@compiled
def round_pairs(
    high: Any, low: Any, both: Any, rows: int, left: Any, right: Any, added: Any, values: Any
) -> None:
    """As `gather_pairs` and `round_wide` in one pass."""
    width = right.shape[0]
    for row in range(rows):
        scale = left[row]
        above, below = high[row * width : (row + 1) * width], low[row * width : (row + 1) * width]
        together = both[row * width : (row + 1) * width]
        target = values[row * width : (row + 1) * width]
        for column in range(width):
            middle = np.int32(np.int32(together[column] - above[column]) - below[column])
            whole = np.float64(above[column]) * 16777216.0 + np.float64(middle) * 4096.0
            whole = whole + np.float64(below[column])
            target[column] = np.float32(whole * (scale * right[column]) + added[column])


@compiled
def finish(
    totals: Any, rows: int, width: int, column: int, factor: float, bias: Any, values: Any
) -> None:
    """Factor and bias in binary64 as Gemm has them, if any, and the rounding to binary32."""
    if factor != 1.0:
        for index in range(rows * width):
            totals[index] = totals[index] * factor
    if bias.shape[0]:
        added = bias[column : column + width]
        for row in range(rows):
            target = totals[row * width : (row + 1) * width]
            for place in range(width):
                target[place] = target[place] + added[place]
    for index in range(rows * width):
        values[index] = np.float32(totals[index])


@compiled
def store(values: Any, rows: int, width: int, row: int, column: int, valid: int, out: Any) -> None:
    """Copy a finished piece to its place."""
    for line in range(rows):
        source = values[line * width : line * width + valid]
        target = out[row + line, column : column + valid]
        for place in range(valid):
            target[place] = source[place]


@compiled
def multiply_wide(
    digits: Any,
    scales: Any,
    panels: Any,
    panel_scales: Any,
    factor: float,
    bias: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
    out: Any,
    first: int,
    last: int,
) -> None:
    """Rows [M, K] times panels [panel, K, column] from the first to before the last, finished."""
    count, length = digits.shape
    totals = np.empty(PIECE_ROWS * WIDE_COLUMNS, np.float64)
    sums = np.empty(PIECE_ROWS * WIDE_COLUMNS, np.float64)
    values = np.empty(PIECE_ROWS * WIDE_COLUMNS, np.float32)
    saved = np.empty(PIECE_ROWS * WIDE_COLUMNS, np.float32)
    none = np.zeros(WIDE_COLUMNS, np.float64)
    plain = scales.shape[0] == 1 and factor == 1.0
    for panel in range(first, last):
        column = panel * WIDE_COLUMNS
        valid = min(WIDE_COLUMNS, out.shape[1] - column)
        added = bias[column : column + WIDE_COLUMNS] if bias.shape[0] else none
        for row in range(0, count, PIECE_ROWS):
            rows = min(PIECE_ROWS, count - row)
            for block in range(scales.shape[0]):
                start = block * BLOCK_LENGTH
                part = panels[panel, start : min(start + BLOCK_LENGTH, length)]
                wide_sums(digits, row, rows, start, part, sums)
                right = panel_scales[block, column : column + WIDE_COLUMNS]
                left = scales[block, row : row + rows]
                if plain:
                    round_wide(sums, rows, left, right, added, values)
                else:
                    scale_sums(sums, totals, rows, WIDE_COLUMNS, left, right, int(block == 0))
            if not plain:
                finish(totals, rows, WIDE_COLUMNS, column, factor, bias, values)
            apply_chain(
                *(values, saved, rows, WIDE_COLUMNS, row, column, valid),
                *(codes, numbers, table, tensor),
            )
            store(values, rows, WIDE_COLUMNS, row, column, valid, out)


@compiled
def multiply_few(
    rows: Any,
    panels: Any,
    panel_scales: Any,
    factor: float,
    bias: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
    out: Any,
) -> None:
    """As `multiply_wide`, from rows of binary32: one call instead of two where there are few."""
    digits = np.empty(rows.shape, np.float64)
    scales = np.empty((panel_scales.shape[0], rows.shape[0]), np.float64)
    quantise_wide(rows, digits, scales)
    multiply_wide(
        *(digits, scales, panels, panel_scales, factor, bias),
        *(codes, numbers, table, tensor, out, 0, panels.shape[0]),
    )


@compiled
def pair_sums(
    digits: Any, row: int, rows: int, panel: Any, begin: int, end: int, places: Any
) -> None:
    """The three products of digits of rows with some steps of a panel."""
    high, low, both, together = places
    add_digits(panel, begin, end, together)
    steps = end - begin
    pair_part(digits, row, rows, 0, 2 * begin, panel[0, begin].ctypes.data, steps, high)
    pair_part(digits, row, rows, 1, 2 * begin, panel[1, begin].ctypes.data, steps, low)
    pair_part(digits, row, rows, 2, 2 * begin, together.ctypes.data, steps, both)


@compiled
def pair_block(
    digits: Any, row: int, rows: int, panel: Any, start: int, stop: int, places: Any, sums: Any
) -> None:
    """Products of rows with the steps of a panel from `start` to before `stop` into sums."""
    high, low, both, _ = places
    count = rows * PAIR_COLUMNS
    for begin in range(start, stop, PAIR_STEPS):
        pair_sums(digits, row, rows, panel, begin, min(begin + PAIR_STEPS, stop), places)
        gather_pairs(high, low, both, count, sums, int(begin == start))


@compiled
def multiply_pairs(
    digits: Any,
    scales: Any,
    panels: Any,
    panel_scales: Any,
    factor: float,
    bias: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
    out: Any,
    first: int,
    last: int,
) -> None:
    """As `multiply_wide` with rows [M, 3, K] and panels [panel, digit, half of K, 2 * column]."""
    count, steps = digits.shape[0], panels.shape[2]
    size = PAIR_PIECE_ROWS * PAIR_COLUMNS
    totals, sums = np.empty(size, np.float64), np.empty(size, np.float64)
    values, saved = np.empty(size, np.float32), np.empty(size, np.float32)
    places = (
        *(np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)),
        np.empty((PAIR_STEPS, 2 * PAIR_COLUMNS), np.int16),
    )
    none = np.zeros(PAIR_COLUMNS, np.float64)
    plain = steps <= PAIR_STEPS and factor == 1.0
    for panel in range(first, last):
        column = panel * PAIR_COLUMNS
        valid = min(PAIR_COLUMNS, out.shape[1] - column)
        added = bias[column : column + PAIR_COLUMNS] if bias.shape[0] else none
        for row in range(0, count, PAIR_PIECE_ROWS):
            rows = min(PAIR_PIECE_ROWS, count - row)
            for block in range(scales.shape[0]):
                start = block * (BLOCK_LENGTH // 2)
                stop = min(start + BLOCK_LENGTH // 2, steps)
                right = panel_scales[block, column : column + PAIR_COLUMNS]
                left = scales[block, row : row + rows]
                if plain:
                    pair_sums(digits, row, rows, panels[panel], 0, steps, places)
                    round_pairs(*places[:3], rows, left, right, added, values)
                else:
                    pair_block(digits, row, rows, panels[panel], start, stop, places, sums)
                    scale_sums(sums, totals, rows, PAIR_COLUMNS, left, right, int(block == 0))
            if not plain:
                finish(totals, rows, PAIR_COLUMNS, column, factor, bias, values)
            apply_chain(
                *(values, saved, rows, PAIR_COLUMNS, row, column, valid),
                *(codes, numbers, table, tensor),
            )
            store(values, rows, PAIR_COLUMNS, row, column, valid, out)


@compiled
def finish_totals(
    totals: Any,
    factor: float,
    bias: Any,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
    out: Any,
) -> None:
    """Finish products [M, N] that were computed elsewhere."""
    count, columns = totals.shape
    piece = np.empty(WIDTH_MAX, np.float64)
    values, saved = np.empty(WIDTH_MAX, np.float32), np.empty(WIDTH_MAX, np.float32)
    for row in range(count):
        for column in range(0, columns, WIDTH_MAX):
            valid = min(WIDTH_MAX, columns - column)
            piece[:valid] = totals[row, column : column + valid]
            finish(piece, 1, valid, column, factor, bias, values)
            apply_chain(
                *(values, saved, 1, valid, row, column, valid),
                *(codes, numbers, table, tensor),
            )
            store(values, 1, valid, row, column, valid, out)
