"""Prepared right operands of exact contractions: quantised once, multiplied many times."""

from dataclasses import dataclass
from math import ldexp, prod
from typing import Final, Protocol

import numpy as np

from ai_exec.fast.integer import IntegerMatrix
from ai_exec.fast.products import STANDARD, Products
from ai_exec.fast.quantise import quantise_rows, scale_of_row
from ai_exec.fast.session import is_exact
from ai_exec.semantics.numerics import Floats, block_slices, product_bits, quantise
from ai_exec.tensor import Shape, Tensor

_LAST: Final = (-1,)


class Contraction(Protocol):
    """A constant matrix [K, N] made ready."""

    def contract(self, left: Tensor) -> Floats:
        """Product of [..., M, K] with the matrix, not yet rounded to binary32."""
        ...

    def contract_and_add(self, left: Tensor, bias: Floats) -> Floats:
        """As `contract` with a bias added that holds no -0."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PreparedBlock:
    """One block of the contraction axis: its place, and the right operand in it."""

    place: slice
    bits: int
    values: Floats
    """Columns [K, N] of whole numbers times the column's power of two; NaN if it is not finite.

    All products of one result share that power of two, so that their sums are as exact as those
    of whole numbers: exponents stay far from the ends of binary64.
    """


def prepared(right: Tensor, left: Shape, products: Products = STANDARD) -> Contraction:
    """Prepare a constant matrix [K, N] for left operands of one shape [..., M, K]."""
    rows = prod(left[:-1])
    layout = products.layout(rows, *right.shape)
    if layout is not None and is_exact():
        return IntegerMatrix(right, rows, layout)
    return PreparedMatrix(right)


class PreparedMatrix:
    """A constant matrix [K, N] in binary64, with the bits of `numerics.contract`."""

    def __init__(self, right: Tensor) -> None:
        assert right.ndim == 2, "only matrices are prepared"
        self._columns = right.shape[1]
        self._blocks = tuple(_prepare(right, place) for place in block_slices(right.shape[0]))

    def contract(self, left: Tensor) -> Floats:
        """Product of [..., M, K] with the matrix, not yet rounded to binary32."""
        if left.size == left.shape[-1] and len(self._blocks) == 1:
            row = self._contract_row(left, self._blocks[0])
            if row is not None:
                row += 0.0
                return row
        total = np.zeros((*left.shape[:-1], self._columns))
        for index, block in enumerate(self._blocks):
            rows = quantise_rows(left[..., block.place], _LAST, block.bits)
            part = np.matmul(rows.digits, block.values)
            part += 0.0
            part *= rows.scale
            total = part if index == 0 else total + part
        return total

    def contract_and_add(self, left: Tensor, bias: Floats) -> Floats:
        """As `contract` with a bias added that holds no -0, so that a zero's sign is gone."""
        if left.size == left.shape[-1] and len(self._blocks) == 1:
            row = self._contract_row(left, self._blocks[0])
            if row is not None:
                row += bias
                return row
        total = self.contract(left)
        total += bias
        return total

    def _contract_row(self, left: Tensor, block: PreparedBlock) -> Floats | None:
        """A single row, zeros of either sign; None if the row is zero or not finite."""
        exponent = scale_of_row(left)
        if exponent is None:
            return None
        digits = left.astype(np.float64)
        digits *= ldexp(1.0, block.bits - exponent)
        np.rint(digits, digits)
        result: Floats = np.dot(digits.reshape(left.shape[-1]), block.values)
        result *= ldexp(1.0, exponent - block.bits)
        return result.reshape(*left.shape[:-1], self._columns)


def _prepare(right: Tensor, place: slice) -> PreparedBlock:
    bits = product_bits(place.stop - place.start)
    columns = quantise(right[place], (0,), bits)
    return PreparedBlock(place, bits, np.ascontiguousarray(columns.digits * columns.scale))
