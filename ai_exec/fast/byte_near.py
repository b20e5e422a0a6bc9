"""Bytes from products of dequantised bytes: nearly all from whole sums, the few others exactly.

The model's meaning is the product of binary32 numbers by R3, rounded and quantised.  The sum of
products of the bytes' values, times the scales, is so near to it that both round to the same byte,
unless the quotient lies about half way between two whole numbers.  How near is bounded for each row
and column; where that leaves a doubt, the result is computed as the reference does.

With A the left values, a = A s rounded and cut to digits, W and w likewise, the reference's sum is
sum(a w), and differs from s S sum(A W) by at most |A| s |w - S W| + |a - s A| |w| (Cauchy, Schwarz;
|.| the root of the sum of squares): the size of the column, |w|, times an error of the row.
Estimates are in binary32: their own rounding and that of the reference after its sum are less than
2^-21 of the estimate and of the offset.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.byte_sums import LINES, PIECE_ROWS, STRIDE, VECTORS, WIDTH, ZERO, whole_sums
from ai_exec.fast.byte_tiles import LANES, VECTORS_MAX
from ai_exec.fast.compilation import compiled
from ai_exec.fast.rows import exponent_of, greatest_bits, power_of_two, row_bits
from ai_exec.fast.scalar import WHOLE
from ai_exec.semantics.numerics import ROW_BITS_MAX, ROW_SIZE_MAX

PIECE: Final = PIECE_ROWS * VECTORS_MAX * LANES
UNIT, OFFSET, SIZE, FIXED, ADDED = range(5)
"""Rows of what is known of columns: the factor of sums, what is added to them, the column's size in
steps of the result, an error whatever the row, and what is added after the first rounding."""
SLACK: Final = np.float32(2.0**-21)
HALF: Final = np.float32(0.5)
SCALE, RESULT_SCALE, LEAST, MOST, LOW, HIGH, FACTOR = range(7)
"""Places in `numbers`: scales of the left operand and of the result, bounds of the number before it
is quantised, bounds of the whole number, and a factor of the sum."""
NUMBERS: Final = 7


@compiled
def dot(source: Any, digits: Any, zero: Any, scale: Any, factor: float) -> Any:
    """Sum of the products of dequantised and cut bytes with digits."""
    total = np.int64(0)
    for index in range(source.shape[0]):
        value = np.float64(np.float32(np.int32(source[index]) - zero) * scale) * factor + WHOLE
        # The lowest bits of the sum are those of the whole number.
        cut = np.int32(np.float64(value).view(np.int64))
        total += np.int64(cut) * np.int64(digits[index])
    return total


@compiled
def own_exponent(source: Any, zero: Any, scale: Any, values: Any) -> Any:
    """The power of two of the digits of a row of its own (`numerics.row_bits`)."""
    count = source.shape[0]
    for index in range(count):
        values[index] = np.float32(np.int32(source[index]) - zero) * scale
    greatest = greatest_bits(values[:count])
    exponent = np.int64(0)
    if greatest > 0:
        exponent = exponent_of(np.float64(np.int32(greatest).view(np.float32)))
    return exponent - row_bits(values[:count], greatest, exponent)


@compiled
def exact_total(
    image: Any, start: int, column: int, zero: Any, scale: Any, exact: Any, exponents: Any
) -> float:
    """The reference's sum of a row and a column; no exponents where a row has its own."""
    runs, blocks, digits, scales, values = exact
    total = 0.0
    for block in range(blocks.shape[0]):
        first, last = blocks[block, 0], blocks[block, 1]
        if exponents.shape[0]:
            exponent = np.int64(exponents[block])
        else:
            begin = start + runs[first, 0]
            row = image[begin : begin + runs[first, 1]]
            exponent = np.int64(own_exponent(row, zero, scale, values))
        factor, whole = power_of_two(-exponent), np.int64(0)
        for run in range(first, last):
            begin, length, where = start + runs[run, 0], runs[run, 1], runs[run, 2]
            source = image[begin : begin + length]
            whole += dot(source, digits[column, where : where + length], zero, scale, factor)
        part = np.float64(whole) * power_of_two(exponent) * scales[block, column]
        total = part if block == 0 else total + part
    return total


@compiled
def exact_byte(total: float, column: int, numbers: Any, biases: Any, columns: Any) -> Any:
    """Finish a sum as the reference does, to a whole number without its zero point."""
    if numbers[FACTOR] != 1.0:
        total = total * numbers[FACTOR]
    if biases.shape[0]:
        total = total + biases[column]
    value = np.float32(np.float32(total) + columns[ADDED, column])
    value = min(max(value, np.float32(numbers[LEAST])), np.float32(numbers[MOST]))
    whole = np.float64(np.rint(np.float32(value / np.float32(numbers[RESULT_SCALE]))))
    return np.int32(min(max(whole, numbers[LOW]), numbers[HIGH]))


@compiled
def errors_of_rows(
    greatest: Any, squares: Any, length: int, scale: float, ratio: float, out: Any
) -> None:
    """How far rows' digits may be from their values, for a column of size 1 and a scale of 1.

    `ratio` says that of the column's digits, for each unit of a row's size.
    """
    root = np.sqrt(np.float64(length))
    for row in range(out.shape[0]):
        size, bits = np.sqrt(np.float64(squares[row])), np.int64(ROW_BITS_MAX)
        exponent = exponent_of(np.float64(greatest[row]) * scale * (1 + 1e-7))
        unit = scale * power_of_two(bits - exponent)
        if greatest[row] * unit > ROW_SIZE_MAX - 2:
            bits -= 1
        longest = size * unit * (1 + 1e-6) + 6 * root
        above = longest * longest
        while bits > 20 and above > np.ldexp(1.0, 53 + 2 * (ROW_BITS_MAX - bits)):
            bits -= 1
        half = power_of_two(exponent - bits) / scale * 0.5
        out[row] = np.float32((root * half + size * (ratio + 2.0**-24)) * 1.01)


@compiled
def near_row(
    sums: Any, error: Any, columns: Any, column: int, ends: Any, moved: Any, places: Any, out: Any
) -> Any:
    """Write a row's bytes; say in how many places the number may lie half way between two.

    `places` get the numbers, and how far each may be from its byte at most.
    """
    numbers, apart = places
    count, least, most = out.shape[0], ends[0], ends[1]
    units, offsets = columns[UNIT, column : column + count], columns[OFFSET, column:]
    for place in range(count):
        number = np.float32(sums[place]) * units[place] + offsets[place]
        number = number if number > least else least
        numbers[place] = number if number < most else most
    sizes, fixed = columns[SIZE, column : column + count], columns[FIXED, column:]
    doubts = np.int32(0)
    for place in range(count):
        number = numbers[place]
        slack = error * sizes[place] + (fixed[place] + abs(number) * SLACK)
        distance = abs(number - np.rint(number)) + slack
        apart[place] = distance
        doubts += np.int32(distance >= HALF)
    for place in range(count):
        out[place] = np.uint8(np.int32(np.rint(numbers[place])) + moved)
    return doubts


@compiled
def to_near_bytes(
    image: Any,
    starts: Any,
    geometry: Any,
    segments: Any,
    panels: Any,
    whole_columns: Any,
    totals: Any,
    errors: Any,
    columns: Any,
    numbers: Any,
    biases: Any,
    runs: Any,
    blocks: Any,
    digits: Any,
    scales: Any,
    exponents: Any,
    result_zero: int,
    out: Any,
) -> None:
    """Write bytes [row, column]; `exponents` [sample, block], or [1, 0] for rows of matrices."""
    sums = np.empty(PIECE, np.int32)
    places = (np.empty(VECTORS_MAX * LANES, np.float32), np.empty(VECTORS_MAX * LANES, np.float32))
    operands = (segments, panels, whole_columns)
    width, across = geometry[WIDTH], geometry[VECTORS] * LANES
    exact = (runs, blocks, digits, scales, np.empty(runs[0, 1], np.float32))
    zero, scale = np.int32(geometry[ZERO]), np.float32(numbers[SCALE])
    by, moved = np.float32(numbers[RESULT_SCALE]), np.int32(result_zero)
    ends = (
        max(np.float32(numbers[LEAST]) / by, np.float32(numbers[LOW])),
        min(np.float32(numbers[MOST]) / by, np.float32(numbers[HIGH])),
    )
    for line in range(starts.shape[0]):
        powers = exponents[line // geometry[LINES]]
        for first in range(0, width, PIECE_ROWS):
            rows, above = min(PIECE_ROWS, width - first), line * width + first
            start = starts[line] + first * geometry[STRIDE]
            for column in range(0, out.shape[1], across):
                valid = min(across, out.shape[1] - column)
                whole_sums(image, start, rows, column, geometry, operands, totals[above:], sums)
                for row in range(rows):
                    source = sums[row * across : row * across + valid]
                    target = out[above + row, column : column + valid]
                    error, begin = errors[above + row], start + row * geometry[STRIDE]
                    doubts = near_row(source, error, columns, column, ends, moved, places, target)
                    for at in range(valid if doubts else 0):
                        if places[1][at] >= HALF:
                            total = exact_total(
                                image, begin, column + at, zero, scale, exact, powers
                            )
                            whole = exact_byte(total, column + at, numbers, biases, columns)
                            target[at] = np.uint8(whole + moved)


@compiled
def peaks(x: Any, turned: int, zero: int, step: int, out: Any) -> None:
    """Greatest size of a value in each sample and block of channels of [sample, place, channel]."""
    samples, count, channels = x.shape
    low, high = np.empty(channels, np.uint8), np.empty(channels, np.uint8)
    for sample in range(samples):
        low[:], high[:] = np.uint8(255), np.uint8(0)
        for place in range(count):
            source = x[sample, place]
            for channel in range(channels):
                value = source[channel] ^ np.uint8(turned)
                low[channel] = min(low[channel], value)
                high[channel] = max(high[channel], value)
        out[sample] = 0
        for channel in range(channels):
            size = max(np.int32(high[channel]) - zero, zero - np.int32(low[channel]))
            out[sample, channel // step] = max(out[sample, channel // step], size)
