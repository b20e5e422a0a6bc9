"""Softmax and layer normalisation in one pass over each row, whatever the elements are.

Greatest elements are found among bits, and sums are those of whole numbers (R3): a number times a
power of two, plus 1.5 * 2^52, has its nearest whole number in its lowest bits, and whole numbers
add up in any order.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.finishing import apply_chain
from ai_exec.fast.rows import INFINITY, exponent_of, greatest_bits, power_of_two
from ai_exec.fast.scalar import WHOLE, exp_f32

WHOLE_BITS: Final = 0x4338000000000000
"""Bits of 1.5 * 2^52."""

LOST_BITS: Final = (1 << 29) - 1
"""Bits of a binary64 number that a binary32 number has not."""
MIDDLE: Final = 1 << 28
LEAST_NORMAL: Final = 2.0**-126
CANONICAL_NAN: Final = 0x7FC00000


@inlined
def sum_bits(length: int) -> Any:
    """As `numerics.sum_bits`."""
    bits, power = np.int64(52), np.int64(1)
    while power < length:
        power, bits = power * 2, bits - 1
    return bits


@inlined
def whole_of(value: float) -> Any:
    """The nearest whole number, half to even, for sizes of at most 2^51."""
    return np.float64(value + WHOLE).view(np.int64) - WHOLE_BITS


@compiled
def holds_numbers(row: Any) -> bool:
    """Tell whether there is no NaN in a row of binary32."""
    return bool(greatest_bits(row) <= INFINITY)


@compiled
def one_nan(bits: Any, found: Any) -> None:
    """Copy bits of binary32, all NaNs as the canonical one."""
    for index in range(bits.shape[0]):
        number = bits[index]
        is_nan = np.int32(number & 0x7FFFFFFF) > INFINITY
        found[index] = np.int32(CANONICAL_NAN) if is_nan else number


@compiled
def greatest_of(row: Any) -> Any:
    """The greatest element of a row of binary32; NaN if there is one or the greatest is infinite.

    With the lower bits of negative numbers turned, bits compare as the numbers do.
    """
    bits = row.view(np.int32)
    greatest, size = np.int32(-0x80000000), np.int32(0)
    for index in range(bits.shape[0]):
        number = bits[index]
        greatest = max(greatest, np.int32(number ^ ((number >> 31) & 0x7FFFFFFF)))
        size = max(size, np.int32(number & 0x7FFFFFFF))
    found = np.int32(greatest ^ ((greatest >> 31) & 0x7FFFFFFF)).view(np.float32)
    if size > INFINITY or not abs(found) < np.inf:
        return np.float32(np.nan)
    return found


@compiled
def divide_all(row: Any, share: float, target: Any) -> None:
    """Quotients of numbers by one of at least 1 in binary64, rounded to binary32.

    A product with the inverse is wrong by at most 3 units of binary64, so it rounds to the same
    number unless it lies near the middle of two: then all are divided.
    """
    inverse, doubts = 1.0 / share, np.int64(0)
    for index in range(row.shape[0]):
        quotient = np.float64(row[index]) * inverse
        beside = (np.float64(quotient).view(np.int64) & LOST_BITS) - MIDDLE
        small = (quotient < LEAST_NORMAL) & (row[index] > np.float32(0))
        doubts |= np.int64((abs(beside) < 8) | small)
        target[index] = np.float32(quotient)
    if doubts:
        for index in range(row.shape[0]):
            target[index] = np.float32(np.float64(row[index]) / share)


@compiled
def softmax_rows(rows: Any, out: Any) -> None:
    """Softmax of rows [M, K].  The greatest power is 1, so the scale of R3 is known before."""
    length = rows.shape[1]
    scale, powers = power_of_two(sum_bits(length)), np.empty(length, np.float32)
    for line in range(rows.shape[0]):
        row, target = rows[line], out[line]
        greatest = greatest_of(row)
        if greatest != greatest or length == 1:
            target[:] = np.float32(1) if greatest == greatest else np.float32(np.nan)
            continue
        for index in range(length):
            powers[index] = exp_f32(np.float32(row[index] - greatest))
        total = np.int64(0)
        for index in range(length):
            total += whole_of(np.float64(powers[index]) * scale)
        divide_all(powers, np.float64(total) / scale, target)


@compiled
def sum_of_singles(row: Any) -> float:
    """Exact sum of binary32 numbers; NaN or an infinity as `numerics.exact_sum` gives it."""
    length = row.shape[0]
    greatest = greatest_bits(row)
    if greatest >= INFINITY or length == 1:
        plain = 0.0
        for index in range(length):
            if not abs(row[index]) < np.inf or length == 1:
                plain += np.float64(row[index])
        return plain + 0.0
    bits = sum_bits(length)
    exponent = exponent_of(np.float64(np.int32(greatest).view(np.float32)))
    factor = power_of_two(bits - exponent)
    total = np.int64(0)
    for index in range(length):
        total += whole_of(np.float64(row[index]) * factor)
    return np.float64(total) * power_of_two(exponent - bits)


@compiled
def sum_of_squares(row: Any) -> float:
    """Exact sum of finite binary64 numbers that are not negative; NaN if one is not finite."""
    length = row.shape[0]
    bits = row.view(np.int64)
    greatest = np.int64(0)
    for index in range(length):
        greatest = max(greatest, bits[index] & 0x7FFFFFFFFFFFFFFF)
    size = np.int64(greatest).view(np.float64)
    if not size < np.inf:
        return np.nan
    if length == 1:
        return size
    digits = sum_bits(length)
    exponent = exponent_of(size)
    factor = power_of_two(digits - exponent)
    total = np.int64(0)
    for index in range(length):
        total += whole_of(row[index] * factor)
    return np.float64(total) * power_of_two(exponent - digits)


@compiled
def layer_rows(rows: Any, epsilon: float, scale: Any, bias: Any, out: Any) -> None:
    """LayerNormalization of rows [M, K]; scale and bias in binary64, an empty bias for none."""
    length = rows.shape[1]
    centred, squares = np.empty(length, np.float64), np.empty(length, np.float64)
    for line in range(rows.shape[0]):
        row, target = rows[line], out[line]
        mean = sum_of_singles(row) / length
        for index in range(length):
            centred[index] = np.float64(row[index]) - mean
            squares[index] = centred[index] * centred[index]
        deviation = np.sqrt(sum_of_squares(squares) / length + epsilon)
        if bias.shape[0]:
            for index in range(length):
                value = centred[index] / deviation * scale[index] + bias[index]
                target[index] = np.float32(value)
        else:
            for index in range(length):
                target[index] = np.float32(centred[index] / deviation * scale[index])


@compiled
def centre_rows(
    rows: Any, epsilon: Any, codes: Any, numbers: Any, table: Any, tensor: Any, out: Any
) -> None:
    """A normalisation written as single nodes, each result rounded to binary32, and a chain.

    mean of x; x - mean; mean of its squares; plus epsilon; square root; quotient.
    """
    length = rows.shape[1]
    centred, squares = np.empty(length, np.float32), np.empty(length, np.float32)
    saved = np.empty(length, np.float32)
    for line in range(rows.shape[0]):
        row, target = rows[line], out[line]
        mean = np.float32(sum_of_singles(row) / length)
        for index in range(length):
            centred[index] = row[index] - mean
            squares[index] = centred[index] * centred[index]
        variance = np.float32(sum_of_singles(squares) / length)
        root = np.sqrt(np.float32(variance + epsilon))
        for index in range(length):
            target[index] = centred[index] / root
        apply_chain(target, saved, 1, length, line, 0, length, codes, numbers, table, tensor)
