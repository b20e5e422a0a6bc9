"""Exact contractions from bytes: quantised values are three digits each, products of digits int32.

With a and b the digits of the operands' whole numbers, each from -128 to 127,
N = sum over i and j of 2^(8 (i + j)) sum(a_i b_j).  Digits of equal weight lie one after the other
along the contraction axis, so that one product of bytes adds them up: five sums for each result.
Of up to 3 * 2048 products of digits, sums stay below 2^27 and need no more than int32.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.finishing import Finish
from ai_exec.fast.multiply import finish_totals
from ai_exec.fast.products import Way
from ai_exec.fast.rows import INFINITY, exponent_of_bits, greatest_bits, power_of_two, row_bits
from ai_exec.fast.scalar import WHOLE
from ai_exec.fast.session import ZERO_POINT, BoundProducts, ByteProducts, SignedBytes
from ai_exec.semantics.numerics import Floats, block_slices, quantise
from ai_exec.semantics.numerics import row_bits as bits_of_rows
from ai_exec.tensor import Tensor

DIGITS: Final = 3
ABOVE: Final = ZERO_POINT * (1 + (1 << 8) + (1 << 16))
"""Added to a whole number, makes all of its digits unsigned at once."""
CLASSES: Final = ((0,), (0, 1), (0, 1, 2), (1, 2), (2,))
"""The left operand's places that meet a place of the right one, by the sum of both places."""


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    place: slice
    scale: Floats
    """Powers of two of the columns."""


@compiled
def spread_rows(rows: Any, lefts: Any, scales: Any) -> None:
    """Write rows [M, K] as digits, those of each class one after the other; also scales."""
    length = rows.shape[1]
    for row in range(rows.shape[0]):
        source = rows[row]
        greatest = greatest_bits(source)
        finite = greatest < INFINITY
        exponent = exponent_of_bits(greatest) if finite else np.int64(0)
        bits = row_bits(source, greatest, exponent) if finite else np.int64(0)
        scales[row] = power_of_two(exponent - bits) if finite else np.nan
        factor = power_of_two(bits - exponent)
        whole = lefts[2][row]
        first, second, third = whole[:length], whole[length : 2 * length], whole[2 * length :]
        for index in range(length):
            value = np.float64(source[index]) * factor + WHOLE
            digits = np.int32(np.float64(value).view(np.int64)) if finite else np.int32(0)
            shifted = np.int32(digits + ABOVE)
            first[index] = np.uint8(shifted & 255)
            second[index] = np.uint8((shifted >> 8) & 255)
            third[index] = np.uint8((shifted >> 16) & 255)
        lefts[0][row, :] = first
        lefts[1][row, :] = whole[: 2 * length]
        lefts[3][row, :] = whole[length:]
        lefts[4][row, :] = third


@compiled
def weigh(sums: Any, left: Any, right: Any, totals: Any, fresh: int) -> None:
    """Put the five sums [class, M, N] together, scale them, and add them to the totals."""
    for row in range(totals.shape[0]):
        scale, target = left[row], totals[row]
        if fresh:
            target[:] = 0.0
        none, one, two = sums[0, row], sums[1, row], sums[2, row]
        three, four = sums[3, row], sums[4, row]
        for column in range(target.shape[0]):
            high = (np.int64(four[column]) << 32) + (np.int64(three[column]) << 24)
            low = (np.int64(two[column]) << 16) + (np.int64(one[column]) << 8)
            whole = np.float64(high + low + np.int64(none[column]))
            value = whole * (scale * right[column])
            target[column] = value if fresh else target[column] + value


class ByteDigits:
    """The digits of a constant matrix [K, N]."""

    def __init__(self, right: Tensor) -> None:
        assert right.size, "a session needs constants"
        self.columns = right.shape[1]
        self.blocks: list[_Block] = []
        self.matrices: list[SignedBytes] = []
        for place in block_slices(right.shape[0]):
            columns = quantise(right[place], (0,), bits_of_rows(right[place], 0))
            self.blocks.append(_Block(place, columns.scale.reshape(-1)))
            self.matrices += _below(columns.digits)


class ByteMatrix:
    """A constant matrix [K, N]; products of so many rows on onnxruntime."""

    form = Way.BYTES

    def __init__(self, digits: ByteDigits, rows: int) -> None:
        assert rows > 0, "a session needs rows"
        self.columns, self._rows = digits.columns, rows
        # Held, so that matrices for other rows are made of the same digits.
        self._digits = digits
        self._blocks = digits.blocks
        self._products = ByteProducts(digits.matrices, rows)
        self._free: list[BoundProducts] = []

    def quantise(self, rows: Tensor) -> Tensor:
        """The rows themselves: digits are written where the session reads them."""
        return rows

    def multiply(self, quantised: Tensor, finish: Finish, tensor: Tensor, out: Tensor) -> None:
        """Write the finished product of rows to `out` [M, N]."""
        totals = self.totals(quantised)
        finish_totals(totals, finish.factor, finish.bias, *finish.chain, tensor, out)

    apply = multiply

    def totals(self, rows: Tensor) -> Floats:
        """Product of rows [M, K] with the matrix, not yet rounded to binary32."""
        assert rows.shape[0] == self._rows, "the rows it was prepared for"
        # Taking from a list is one step, so that two threads never hold the same arrays.
        bound = self._free.pop() if self._free else self._products.bound()
        scales = np.empty((len(self._blocks), self._rows))
        count = len(CLASSES)
        for index, block in enumerate(self._blocks):
            lefts = bound.lefts[count * index : count * (index + 1)]
            part = np.ascontiguousarray(rows[:, block.place])
            spread_rows(part, lefts, scales[index])
        bound.compute()
        totals = np.empty((self._rows, self.columns))
        for index, block in enumerate(self._blocks):
            sums = bound.results[count * index : count * (index + 1)]
            weigh(sums, scales[index], block.scale, totals, int(index == 0))
        self._free.append(bound)
        return totals


def _below(whole: Floats) -> tuple[SignedBytes, ...]:
    """For each class the digits that its left operand meets: parts of one array, held once."""
    shifted = whole.astype(np.int32) + np.int32(ABOVE)
    # Less 128, an unsigned byte is a signed one with its highest bit turned.
    digits = [
        ((shifted >> 8 * place) & 255 ^ ZERO_POINT).astype(np.uint8) for place in range(DIGITS)
    ]
    stacked = np.concatenate(digits[::-1], axis=0).view(np.int8)
    length = whole.shape[0]
    starts = [DIGITS - 1 - (together - places[0]) for together, places in enumerate(CLASSES)]
    return tuple(
        stacked[start * length : (start + len(places)) * length]
        for start, places in zip(starts, CLASSES, strict=True)
    )
