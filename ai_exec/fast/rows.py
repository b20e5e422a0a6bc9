"""Block fixed point (R3) in compiled passes: left operands by rows, constant operands in panels.

A pass gives the whole numbers of `numerics.quantise` in the form that the tiles read.  Greatest
magnitudes are found among bits, as whole numbers compare in any order and many at a time; NaN and
infinity have the greatest.  Adding and subtracting 1.5 * 2^52 rounds half to even.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.scalar import WHOLE
from ai_exec.fast.tiles import PAIR_COLUMNS, WIDE_COLUMNS
from ai_exec.semantics.numerics import BLOCK_LENGTH, ROW_BITS_MAX, ROW_SIZE_MAX

INFINITY: Final = 0x7F800000
"""Bits of the infinity; those of NaNs are above."""
HALF_DIGIT: Final = 1 << 11
DIGIT_BITS: Final = 12
"""Bits of the lower one of two digits of 16 bits."""


@inlined
def power_of_two(exponent: Any) -> float:
    """2^exponent for exponents of normal numbers."""
    power: float = np.int64((exponent + 1023) << 52).view(np.float64)
    return power


@inlined
def exponent_of(size: float) -> Any:
    """The least n with 2^n >= size; 0 for 0."""
    bits = np.float64(size).view(np.int64)
    above = (bits & ((1 << 52) - 1)) != 0
    return np.int64(0) if bits == 0 else (bits >> 52) - 1023 + np.int64(above)


@inlined
def exponent_of_bits(bits: int) -> Any:
    """As `exponent_of` a finite number of binary32, given by the bits of its size."""
    return exponent_of(np.float64(np.int32(bits).view(np.float32)))


@inlined
def _whole(value: float, factor: float) -> Any:
    """A whole number of 32 bits; 0 for a factor of 0, whatever the value."""
    wide = np.float64(value) * factor + WHOLE
    # The lowest bits of the sum are those of the whole number.
    bits = np.int32(np.float64(wide).view(np.int64))
    return bits if factor != 0.0 else np.int32(0)


@inlined
def fewest(squares: Any) -> Any:
    """The bits that a row's squares leave it (`numerics.row_bits`)."""
    bits = np.int64(ROW_BITS_MAX)
    bits -= np.int64(squares > 1 << 53) + np.int64(squares > 1 << 55)
    return bits - np.int64(squares > 1 << 57)


@inlined
def row_limit(greatest: int, exponent: Any) -> Any:
    """The bits that the greatest magnitude leaves a row, given by its bits."""
    size = np.float64(np.int32(greatest).view(np.float32))
    largest = size * power_of_two(ROW_BITS_MAX - exponent) + WHOLE - WHOLE
    return np.int64(ROW_BITS_MAX) - np.int64(largest > ROW_SIZE_MAX)


@inlined
def square_of(value: float, factor: float) -> Any:
    """(|p| + 5)^2 of a number, p the whole number at the most bits."""
    size = np.int64(abs(_whole(value, factor)) + np.int32(5))
    return size * size


@compiled
def row_bits(row: Any, greatest: int, exponent: Any) -> Any:
    """As `numerics.row_bits` of a finite row of binary32."""
    factor, squares = power_of_two(ROW_BITS_MAX - exponent), np.int64(0)
    for index in range(row.shape[0]):
        squares += square_of(row[index], factor)
    return min(fewest(squares), row_limit(greatest, exponent))


@compiled
def greatest_bits(row: Any) -> Any:
    """Greatest bits of the sizes of a row of binary32."""
    bits = row.view(np.int32)
    greatest = np.int32(0)
    for index in range(bits.shape[0]):
        greatest = max(greatest, np.int32(bits[index] & 0x7FFFFFFF))
    return greatest


@compiled
def quantise_wide(rows: Any, digits: Any, scales: Any) -> None:
    """Write rows [M, K] as whole numbers in binary64 with scales [block, M]."""
    count, length = rows.shape
    for row in range(count):
        for block in range(scales.shape[0]):
            start = block * BLOCK_LENGTH
            stop = min(start + BLOCK_LENGTH, length)
            greatest = greatest_bits(rows[row, start:stop])
            if greatest >= INFINITY:
                scales[block, row] = np.nan
                digits[row, start:stop] = 0.0
                continue
            exponent = exponent_of_bits(greatest)
            bits = row_bits(rows[row, start:stop], greatest, exponent)
            scales[block, row] = power_of_two(exponent - bits)
            factor = power_of_two(bits - exponent)
            source, target = rows[row, start:stop], digits[row, start:stop]
            for index in range(source.shape[0]):
                target[index] = (np.float64(source[index]) * factor + WHOLE) - WHOLE


@compiled
def quantise_pairs(rows: Any, digits: Any, scales: Any) -> None:
    """Write rows [M, K] as two digits of 16 bits and their sum [M, 3, K or K + 1]; also scales."""
    count, length = rows.shape
    for row in range(count):
        for block in range(scales.shape[0]):
            start = block * BLOCK_LENGTH
            stop = min(start + BLOCK_LENGTH, length)
            greatest = greatest_bits(rows[row, start:stop])
            if greatest >= INFINITY:
                scales[block, row] = np.nan
                digits[row, :, start:stop] = 0
                continue
            exponent = exponent_of_bits(greatest)
            source = rows[row, start:stop]
            bits = row_bits(source, greatest, exponent)
            scales[block, row] = power_of_two(exponent - bits)
            factor = power_of_two(bits - exponent)
            high, low = digits[row, 0, start:stop], digits[row, 1, start:stop]
            both = digits[row, 2, start:stop]
            for index in range(source.shape[0]):
                value = np.float64(source[index]) * factor + WHOLE
                whole = np.int32(np.float64(value).view(np.int64))
                above = np.int32(np.int32(whole + HALF_DIGIT) >> DIGIT_BITS)
                below = np.int32(whole - np.int32(above << DIGIT_BITS))
                high[index] = np.int16(above)
                low[index] = np.int16(below)
                both[index] = np.int16(above + below)
        if digits.shape[2] > length:
            digits[row, :, length] = 0


@compiled
def column_factors(weights: Any, start: int, stop: int, factors: Any, scales: Any) -> None:
    """Give what columns [K, N] from a row to another are multiplied by, and their scales."""
    columns = weights.shape[1]
    greatest = np.zeros(columns, np.int32)
    sizes = weights.view(np.int32)
    for row in range(start, stop):
        source = sizes[row]
        for column in range(columns):
            size = np.int32(source[column] & 0x7FFFFFFF)
            greatest[column] = max(greatest[column], size)
    exponents, squares = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    for column in range(columns):
        finite = greatest[column] < INFINITY
        exponents[column] = exponent_of_bits(greatest[column]) if finite else np.int64(0)
        factors[column] = power_of_two(ROW_BITS_MAX - exponents[column]) if finite else 0.0
    for row in range(start, stop):
        source = weights[row]
        for column in range(columns):
            squares[column] += square_of(source[column], factors[column])
    for column in range(columns):
        finite, exponent = greatest[column] < INFINITY, exponents[column]
        limit = row_limit(greatest[column], exponent) if finite else np.int64(ROW_BITS_MAX)
        bits = min(fewest(squares[column]), limit)
        factors[column] = power_of_two(bits - exponent) if finite else 0.0
        scales[column] = power_of_two(exponent - bits) if finite else np.nan


@compiled
def pack_wide(weights: Any, panels: Any, scales: Any) -> None:
    """Write columns [K, N] as panels [panel, K, column] of 32-bit numbers, scales [block, N]."""
    length, columns = weights.shape
    factors = np.empty(columns, np.float64)
    for block in range(scales.shape[0]):
        start = block * BLOCK_LENGTH
        stop = min(start + BLOCK_LENGTH, length)
        column_factors(weights, start, stop, factors, scales[block])
        for row in range(start, stop):
            for panel in range(panels.shape[0]):
                first = panel * WIDE_COLUMNS
                width = min(WIDE_COLUMNS, columns - first)
                source = weights[row, first : first + width]
                target, factor = panels[panel, row, :width], factors[first : first + width]
                for column in range(width):
                    target[column] = _whole(source[column], factor[column])


@compiled
def pack_pairs(weights: Any, panels: Any, scales: Any) -> None:
    """As `pack_wide`: panels [panel, digit, half of K, column, 2] of 16-bit numbers, high first."""
    length, columns = weights.shape
    factors = np.empty(columns, np.float64)
    for block in range(scales.shape[0]):
        start = block * BLOCK_LENGTH
        stop = min(start + BLOCK_LENGTH, length)
        column_factors(weights, start, stop, factors, scales[block])
        for row in range(start, stop):
            half, odd = row // 2, row % 2
            for panel in range(panels.shape[0]):
                first = panel * PAIR_COLUMNS
                width = min(PAIR_COLUMNS, columns - first)
                source, factor = weights[row, first : first + width], factors[first : first + width]
                high, low = panels[panel, 0, half, :, odd], panels[panel, 1, half, :, odd]
                for column in range(width):
                    whole = _whole(source[column], factor[column])
                    above = np.int32(np.int32(whole + HALF_DIGIT) >> DIGIT_BITS)
                    high[column] = np.int16(above)
                    low[column] = np.int16(np.int32(whole - np.int32(above << DIGIT_BITS)))
