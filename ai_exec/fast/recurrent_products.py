"""Products of a few rows with a constant matrix that each step of a recurrent layer needs again.

Rows are quantised and multiplied within the pass over all steps; sums stay in binary64.  Where the
processor multiplies pairs of 16-bit numbers, a tile reads both digits of the weights once for all
three products of digits.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ai_exec.fast.compilation import borrowing, compiled
from ai_exec.fast.linear import blocks_of
from ai_exec.fast.machine import this_machine
from ai_exec.fast.multiply import PAIR_STEPS, scale_sums, wide_sums
from ai_exec.fast.products import NEVER, Products
from ai_exec.fast.rows import pack_pairs, pack_wide, quantise_pairs, quantise_wide
from ai_exec.fast.tiles import PAIR_COLUMNS, PAIR_LANES, VECTORS, WIDE_COLUMNS, pair_step
from ai_exec.fast.vectors import I32, I64, load, splat
from ai_exec.fast.weights import in_lines
from ai_exec.semantics.numerics import BLOCK_LENGTH
from ai_exec.tensor import Tensor

ROWS: Final = 2
"""Rows of a tile of pairs."""
DIGITS: Final = 3
"""Products of a pair of operands: of high digits, of low ones, of the sums of both."""

_SUMS = ir.VectorType(I32, PAIR_LANES)
_SHORTS = ir.VectorType(ir.IntType(16), 2 * PAIR_LANES)
_VECTOR_BYTES = 4 * PAIR_LANES


def _weights(builder: Any, panel: Any, low: Any, place: Any) -> list[list[Any]]:
    """Load the high and the low digits of a step, and add them."""
    found: list[list[Any]] = [[], [], []]
    for number in range(VECTORS):
        at = builder.add(place, I64(number * _VECTOR_BYTES))
        high = load(builder, panel, at, _SHORTS, 4)
        below = load(builder, low, at, _SHORTS, 4)
        for kept, value in zip(found, (high, below, builder.add(high, below)), strict=True):
            kept.append(builder.bitcast(value, _SUMS))
    return found


def _emit(builder: Any, rows: int, arguments: Any) -> None:
    """Emit the loop over the contraction axis and the stores after it."""
    left, row_stride, digit_stride, panel, low, steps, target = arguments
    starts = [
        builder.add(
            left,
            builder.add(builder.mul(row_stride, I64(row)), builder.mul(digit_stride, I64(digit))),
        )
        for row in range(rows)
        for digit in range(DIGITS)
    ]
    before, function = builder.block, builder.function
    loop, done = function.append_basic_block("loop"), function.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    totals = [[builder.phi(_SUMS) for _ in range(VECTORS)] for _ in starts]
    rights = _weights(builder, panel, low, builder.mul(index, I64(VECTORS * _VECTOR_BYTES)))
    following = []
    for place, (start, own) in enumerate(zip(starts, totals, strict=True)):
        value = load(builder, start, builder.mul(index, I64(4)), I32, 4)
        splatted = splat(builder, value, PAIR_LANES)
        vectors = zip(rights[place % DIGITS], own, strict=True)
        following.append([pair_step(builder, splatted, right, total) for right, total in vectors])
    next_index = builder.add(index, I64(1))
    index.add_incoming(next_index, loop)
    zero = ir.Constant(_SUMS, [0] * PAIR_LANES)
    for own, new in zip(totals, following, strict=True):
        for total, value in zip(own, new, strict=True):
            total.add_incoming(zero, before)
            total.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", next_index, steps), loop, done)
    builder.position_at_end(done)
    for place, new in enumerate(following):
        for number, value in enumerate(new):
            address = builder.add(target, I64((place * VECTORS + number) * _VECTOR_BYTES))
            builder.store(value, builder.inttoptr(address, _SUMS.as_pointer()), align=4)


def _tile(rows: int) -> Any:
    """Make a tile of so many rows: digits of rows and weights at addresses, sums [row, digit]."""

    def tile(  # type: ignore[no-untyped-def]
        typing_context, left, row_stride, digit_stride, panel, low, steps, target
    ):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _emit(builder, rows, arguments)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), generate

    return intrinsic(tile)


digits_many, digits_one = _tile(ROWS), _tile(1)
"""Rows of 16-bit pairs [row, digit, K] times panels [digit, step, column, 2], at least one step."""


@borrowing
def gather_digits(sums: Any, scale: float, right: Any, target: Any, fresh: int) -> None:
    """Put the products [digit, column] of a row together, scaled; see `multiply.gather_pairs`."""
    high, low = sums[:PAIR_COLUMNS], sums[PAIR_COLUMNS : 2 * PAIR_COLUMNS]
    both = sums[2 * PAIR_COLUMNS :]
    if fresh:
        target[:] = 0.0
    for column in range(target.shape[0]):
        middle = np.int32(np.int32(both[column] - high[column]) - low[column])
        whole = np.float64(high[column]) * 16777216.0 + np.float64(middle) * 4096.0
        whole = whole + np.float64(low[column])
        target[column] = target[column] + whole * (scale * right[column])


@compiled
def room_for(rows: Any, panels: Any, panel_scales: Any) -> Any:
    """Digits and scales of rows [M, K], and room for sums, for panels of either kind.

    Their axes tell the kinds apart when this is compiled.
    """
    count, length = rows.shape
    scales = np.empty((panel_scales.shape[0], count), np.float64)
    if panels.ndim == 4:
        digits = np.empty((count, DIGITS, 2 * panels.shape[2]), np.int16)
        sums = np.empty((ROWS, DIGITS * PAIR_COLUMNS), np.int32)
        return digits, scales, sums, np.empty((ROWS, PAIR_COLUMNS), np.float64)
    else:
        size = count * WIDE_COLUMNS
        digits = np.empty((count, length), np.float64)
        return digits, scales, np.empty(size, np.float64), np.empty(size, np.float64)


@borrowing
def multiply_digits(rows: Any, panels: Any, panel_scales: Any, room: Any, totals: Any) -> None:
    """Rows [M, K] of binary32 times panels of pairs into totals [M, N or more] of binary64."""
    digits, scales, sums, more = room
    count, steps = rows.shape[0], panels.shape[2]
    quantise_pairs(rows, digits, scales)
    across, stride = 2 * steps * 2, DIGITS * 2 * steps * 2
    for panel in range(panels.shape[0]):
        column = panel * PAIR_COLUMNS
        valid = min(PAIR_COLUMNS, totals.shape[1] - column)
        for row in range(0, count, ROWS):
            taken = min(ROWS, count - row)
            for block in range(scales.shape[0]):
                start = block * (BLOCK_LENGTH // 2)
                stop = min(start + BLOCK_LENGTH // 2, steps)
                for begin in range(start, stop, PAIR_STEPS):
                    source = digits[row].ctypes.data + begin * 4
                    high = panels[panel, 0, begin].ctypes.data
                    low = panels[panel, 1, begin].ctypes.data
                    passed, to = min(begin + PAIR_STEPS, stop) - begin, sums.ctypes.data
                    if taken == ROWS:
                        digits_many(source, stride, across, high, low, passed, to)
                    else:
                        digits_one(source, stride, across, high, low, passed, to)
                    for line in range(taken):
                        own = more[line, :valid]
                        if block == 0:
                            own = totals[row + line, column : column + valid]
                        right = panel_scales[block, column : column + valid]
                        left, fresh = scales[block, row + line], int(begin == start)
                        gather_digits(sums[line], left, right, own, fresh)
                if block:
                    for line in range(taken):
                        own = totals[row + line, column : column + valid]
                        for place in range(valid):
                            own[place] = own[place] + more[line, place]


@borrowing
def copy_numbers(source: Any, target: Any) -> None:
    """Copy one by one: an assignment might need room for a copy between."""
    for index in range(target.shape[0]):
        target[index] = source[index]


@borrowing
def multiply_wholes(rows: Any, panels: Any, panel_scales: Any, room: Any, totals: Any) -> None:
    """The same with panels of 32-bit numbers."""
    digits, scales, sums, scaled = room
    count, length = rows.shape
    quantise_wide(rows, digits, scales)
    for panel in range(panels.shape[0]):
        column = panel * WIDE_COLUMNS
        valid = min(WIDE_COLUMNS, totals.shape[1] - column)
        for block in range(scales.shape[0]):
            start = block * BLOCK_LENGTH
            part = panels[panel, start : min(start + BLOCK_LENGTH, length)]
            wide_sums(digits, 0, count, start, part, sums)
            right = panel_scales[block, column : column + WIDE_COLUMNS]
            scale_sums(sums, scaled, count, WIDE_COLUMNS, scales[block], right, int(block == 0))
        for row in range(count):
            source = scaled[row * WIDE_COLUMNS : row * WIDE_COLUMNS + valid]
            copy_numbers(source, totals[row, column : column + valid])


@borrowing
def multiply_rows(rows: Any, panels: Any, panel_scales: Any, room: Any, totals: Any) -> None:
    """Rows [M, K] times panels of either kind."""
    if panels.ndim == 4:
        multiply_digits(rows, panels, panel_scales, room, totals)
    else:
        multiply_wholes(rows, panels, panel_scales, room, totals)


@dataclass(frozen=True, eq=False)
class Panels:
    """A constant matrix in the form that steps read."""

    panels: Tensor
    """[panel, digit, half of K, 2 * column] of 16 bits, or [panel, K, column] of 32 bits."""
    scales: Tensor
    """[block, column] of all panels."""


def takes_pairs(products: Products) -> bool:
    """Tell whether matrices are made of pairs: always where the processor multiplies them."""
    return this_machine().pairs and products.pairs_rows_min < NEVER


def panels_of(right: Tensor, *, pairs: bool) -> Panels:
    """Make a matrix [K, N] ready."""
    length, columns = right.shape
    width = PAIR_COLUMNS if pairs else WIDE_COLUMNS
    count = -(-columns // width)
    scales = np.ones((blocks_of(length), count * width))
    right = np.ascontiguousarray(right)
    if not pairs:
        wide = in_lines((count, length, width), np.int32)
        pack_wide(right, wide, scales)
        return Panels(wide, scales)
    steps = (length + 1) // 2
    digits = in_lines((count, 2, steps, width, 2), np.int16)
    pack_pairs(right, digits, scales)
    return Panels(digits.reshape(count, 2, steps, 2 * width), scales)
