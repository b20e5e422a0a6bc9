"""Exact contractions from bytes: quantised values are three digits each, products of digits int32.

With a and b the digits of the operands' whole numbers, each from -128 to 127 (the last one to 64),
N = sum over i and j of 2^(8 (i + j)) sum(a_i b_j).  Of up to 3 * 2048 products of digits, sums stay
below 2^27 and need no more than int32.  They become N in binary64 by two sums: that of i + j >= 3,
as a multiple of 2^24, and the rest, each below 2^53 at every step; and N itself, below 2^53 too.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ai_exec.fast.products import Layout
from ai_exec.fast.quantise import shifted_rows
from ai_exec.fast.session import ZERO_POINT, BoundProducts, ByteProducts, Bytes, SignedBytes
from ai_exec.semantics.numerics import Floats, block_slices, product_bits, quantise
from ai_exec.tensor import Tensor

DIGITS: Final = 3
ABOVE: Final = ZERO_POINT * (1 + (1 << 8) + (1 << 16))
"""Added to a whole number, makes all of its digits unsigned at once."""
SHIFT: Final = 1.5 * 2.0**52 + ABOVE
"""Added to a whole number in binary64, puts its digits into the three lowest bytes."""
DIGIT_PLACES: Final = (0, 1, 2) if np.little_endian else (7, 6, 5)
Digits = tuple[SignedBytes, ...]
PIECE: Final = 1 << 14
"""Results combined at a time: their sums fit in a cache near the core."""


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    place: slice
    bits: int
    scales: Floats
    """Powers of two of the columns [2, N]: for multiples of 2^24, and for the rest."""


class IntegerMatrix:
    """A constant matrix [K, N]; products of so many rows with the bits of `numerics.contract`."""

    def __init__(self, right: Tensor, rows: int, layout: Layout) -> None:
        assert rows > 0, "a session needs rows"
        assert right.size, "a session needs constants"
        self._rows, self._columns, self._layout = rows, right.shape[1], layout
        self._weights = _sum_weights(layout)
        self._spread = _spread_rows if layout is Layout.ROWS else _spread_depth
        blocks: list[_Block] = []
        matrices: list[SignedBytes] = []
        for place in block_slices(right.shape[0]):
            bits = product_bits(place.stop - place.start)
            columns = quantise(right[place], (0,), bits)
            scale = columns.scale.reshape(-1)
            blocks.append(_Block(place, bits, np.stack([scale * 2.0**24, scale])))
            digits = _signed_digits(columns.digits)
            matrices += _beside(digits) if layout is Layout.ROWS else _below(digits)
        self._blocks = tuple(blocks)
        sums = self._weights.shape[1]
        if layout is Layout.ROWS:
            self._sums_shape = (rows, sums, self._columns)
            self._products = ByteProducts(matrices, DIGITS * rows)
        else:
            self._sums_shape = (sums, rows, self._columns)
            self._products = ByteProducts(matrices, rows)
        self._free: list[BoundProducts] = []

    def contract(self, left: Tensor) -> Floats:
        """Product of [..., M, K] with the matrix, not yet rounded to binary32."""
        rows = left.reshape(-1, left.shape[-1])
        assert rows.shape[0] == self._rows, "the rows it was prepared for"
        # Taking from a list is one step, so that two threads never hold the same arrays.
        bound = self._free.pop() if self._free else self._products.bound()
        scales = [self._write(bound, index, rows) for index in range(len(self._blocks))]
        bound.compute()
        total = self._combined(bound, 0, scales[0])
        for index in range(1, len(self._blocks)):
            total += self._combined(bound, index, scales[index])
        self._free.append(bound)
        return total.reshape(*left.shape[:-1], self._columns)

    def contract_and_add(self, left: Tensor, bias: Floats) -> Floats:
        """As `contract` with a bias added that holds no -0."""
        total = self.contract(left)
        total += bias
        return total

    def _write(self, bound: BoundProducts, index: int, rows: Tensor) -> Floats:
        """Put the digits of a block's rows where the session reads them; give their scales."""
        block = self._blocks[index]
        shifted = shifted_rows(rows[:, block.place], block.bits, SHIFT)
        digits = np.ascontiguousarray(shifted.digits).view(np.uint8)
        digits = digits.reshape(*shifted.digits.shape, 8)
        count = len(bound.lefts) // len(self._blocks)
        self._spread(digits, bound.lefts[count * index : count * (index + 1)])
        return shifted.scale

    def _combined(self, bound: BoundProducts, index: int, row_scale: Floats) -> Floats:
        """Weigh the sums [M, sums, N] of a block and scale them."""
        sums = bound.results.reshape(len(self._blocks), *self._sums_shape)[index]
        if self._layout is Layout.DEPTH:
            sums = sums.swapaxes(0, 1)
        total = np.empty((self._rows, self._columns))
        step = max(1, PIECE // self._columns)
        for start in range(0, self._rows, step):
            rows = slice(start, start + step)
            halves = np.matmul(self._weights, sums[rows].astype(np.float64, order="C"))
            halves *= self._blocks[index].scales
            np.add(halves[:, 0], halves[:, 1], out=total[rows])
        total *= row_scale
        return total


def _signed_digits(whole: Floats) -> Digits:
    """Write whole numbers of up to 22 bits as three digits from -128 to 127, the lowest first."""
    shifted = np.add(whole, SHIFT, order="C").view(np.uint8).reshape(*whole.shape, 8)
    # Less 128, an unsigned byte is a signed one with its highest bit turned.
    return tuple((shifted[..., place] ^ ZERO_POINT).view(np.int8) for place in DIGIT_PLACES)


CLASSES: Final = ((0,), (0, 1), (0, 1, 2), (1, 2), (2,))
"""The left operand's places that meet a place of the right one, by the sum of both places."""


def _sum_weights(layout: Layout) -> Floats:
    """Weights [2, sums] of int32 sums: for multiples of 2^24, and for the rest."""
    places = range(DIGITS)
    powers = [i + j for i in places for j in places]
    if layout is Layout.DEPTH:
        powers = list(range(len(CLASSES)))
    high = [2.0 ** (8 * power - 24) if power >= DIGITS else 0.0 for power in powers]
    low = [2.0 ** (8 * power) if power < DIGITS else 0.0 for power in powers]
    return np.array([high, low])


def _beside(digits: Digits) -> tuple[SignedBytes, ...]:
    return (np.concatenate(digits, axis=1),)


def _below(digits: Digits) -> tuple[SignedBytes, ...]:
    """For each class the digits that its left operand meets: parts of one array, held once."""
    whole, length = np.concatenate(digits[::-1], axis=0), digits[0].shape[0]
    starts = [DIGITS - 1 - (together - places[0]) for together, places in enumerate(CLASSES)]
    return tuple(
        whole[start * length : (start + len(places)) * length]
        for start, places in zip(starts, CLASSES, strict=True)
    )


def _spread_rows(digits: Bytes, lefts: tuple[Bytes, ...]) -> None:
    """Write the digits of one row as three rows."""
    target = lefts[0].reshape(digits.shape[0], DIGITS, digits.shape[1])
    for place, source in enumerate(DIGIT_PLACES):
        target[:, place] = digits[..., source]


def _spread_depth(digits: Bytes, lefts: tuple[Bytes, ...]) -> None:
    """Write the digits of each class one after the other."""
    length, whole = digits.shape[1], lefts[DIGITS - 1]
    for place, source in enumerate(DIGIT_PLACES):
        whole[:, place * length : (place + 1) * length] = digits[..., source]
    for places, left in zip(CLASSES, lefts, strict=True):
        if left is not whole:
            left[...] = whole[:, places[0] * length : (places[-1] + 1) * length]
