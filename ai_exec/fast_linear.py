"""Prepared right operands of exact contractions: quantised once, multiplied many times."""

from dataclasses import dataclass
from math import frexp, inf, ldexp
from typing import Final

import numpy as np

from ai_exec.numerics import (
    Floats,
    block_slices,
    combine,
    product_bits,
    quantise,
    whole_product,
)
from ai_exec.tensor import Tensor

_LAST: Final = (-1,)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedBlock:
    """One block of the contraction axis: its place, and the right operand in it."""

    place: slice
    bits: int
    transposed: Floats
    """Whole numbers [N, K]; a result is the product of two contiguous rows."""
    scale: Floats
    """Powers of two [N], one for each column of the right operand."""


class PreparedMatrix:
    """A constant matrix [K, N]; `contract(left)` has the bits of `numerics.contract`."""

    def __init__(self, right: Tensor) -> None:
        assert right.ndim == 2, "only matrices are prepared"
        self._right = right
        self._blocks = tuple(_prepare(right, place) for place in block_slices(right.shape[0]))

    def contract(self, left: Tensor) -> Floats:
        """Product of [..., M, K] with the matrix, not yet rounded to binary32."""
        if left.size == left.shape[-1] and len(self._blocks) == 1:
            row = self._contract_row(left)
            if row is not None:
                return row
        total = np.zeros((*left.shape[:-1], self._right.shape[1]))
        for index, block in enumerate(self._blocks):
            rows = quantise(left[..., block.place], _LAST, block.bits)
            whole = whole_product(rows.digits, block.transposed.T)
            part = combine(whole, rows.scale, block.scale)
            total = part if index == 0 else total + part
        return total

    def _contract_row(self, left: Tensor) -> Floats | None:
        """A single row, with scalars instead of arrays; None if it is zero or not finite."""
        largest = float(np.abs(left).max())
        if not 0.0 < largest < inf:
            return None
        (block,) = self._blocks
        mantissa, exponent = frexp(largest)
        exponent -= mantissa == 0.5
        digits = np.multiply(left, ldexp(1.0, block.bits - exponent), dtype=np.float64)
        np.rint(digits, out=digits)
        whole: Floats = np.dot(block.transposed, digits.reshape(-1))
        whole += 0.0
        whole *= ldexp(1.0, exponent - block.bits)
        whole *= block.scale
        row: Floats = whole.reshape(*left.shape[:-1], -1)
        return row


def _prepare(right: Tensor, place: slice) -> PreparedBlock:
    bits = product_bits(place.stop - place.start)
    columns = quantise(right[place], (0,), bits)
    return PreparedBlock(
        place, bits, np.ascontiguousarray(columns.digits.T), columns.scale.reshape(-1)
    )
