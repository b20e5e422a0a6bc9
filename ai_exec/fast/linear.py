"""Prepared right operands of exact contractions: quantised once, multiplied many times."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from ai_exec.fast.finishing import NOTHING, Finish, chain_of
from ai_exec.fast.integer import ByteDigits, ByteMatrix
from ai_exec.fast.machine import this_machine
from ai_exec.fast.multiply import multiply_few, multiply_pairs, multiply_wide
from ai_exec.fast.products import STANDARD, Products, Way
from ai_exec.fast.rows import pack_pairs, pack_wide, quantise_pairs, quantise_wide
from ai_exec.fast.session import is_exact
from ai_exec.fast.tiles import PAIR_COLUMNS, WIDE_COLUMNS
from ai_exec.fast.weights import Weights, in_lines
from ai_exec.semantics.numerics import BLOCK_LENGTH
from ai_exec.tensor import Tensor

M = TypeVar("M")

SHARED_MIN: Final = 1 << 21
"""Multiply-adds below which handing parts to other threads costs more than it brings."""


class Matrix(Protocol):
    """A constant matrix [K, N] made ready."""

    columns: int
    """N."""
    form: Way
    """Matrices of one form and length read the same quantised rows."""

    def quantise(self, rows: Tensor) -> Any:
        """Write contiguous rows [M, K] in the form that the products read."""
        ...

    def multiply(self, quantised: Any, finish: Finish, tensor: Tensor, out: Tensor) -> None:
        """Write the finished product of quantised rows to `out` [M, N]."""
        ...

    def apply(self, rows: Tensor, finish: Finish, tensor: Tensor, out: Tensor) -> None:
        """Write the finished product of contiguous rows [M, K] to `out` [M, N]."""
        ...


def prepared(
    right: Tensor,
    rows: int,
    products: Products = STANDARD,
    *,
    turned: bool = False,
    weights: Weights | None = None,
) -> Matrix:
    """Prepare a constant matrix [K, N], or [N, K] if turned, for left operands of so many rows."""
    kept = weights or Weights()
    length, columns = right.shape[::-1] if turned else right.shape
    way = products.way(rows, length, columns)

    def ready(form: Way, make: Callable[[Tensor], M]) -> M:
        return kept.ready(
            right, (form, turned), lambda constant: make(constant.T if turned else constant)
        )

    if way is Way.BYTES and is_exact():
        return ByteMatrix(ready(Way.BYTES, ByteDigits), rows)
    pairs = way is Way.PAIRS or rows >= products.pairs_rows_min
    if pairs and this_machine().pairs:
        return ready(Way.PAIRS, partial(PairMatrix, products=products))
    return ready(Way.WIDE, partial(WideMatrix, products=products))


def contract(matrix: Matrix, left: Tensor) -> Tensor:
    """Product of [..., K] with the matrix, rounded to binary32."""
    rows = np.ascontiguousarray(left).reshape(prod(left.shape[:-1]), left.shape[-1])
    out = np.empty((rows.shape[0], matrix.columns), np.float32)
    finish = Finish(chain_of((), matrix.columns))
    matrix.apply(rows, finish, NOTHING[0], out)
    return out.reshape(*left.shape[:-1], matrix.columns)


def blocks_of(length: int) -> int:
    """How many blocks a contraction axis has; an empty one has none."""
    return -(-length // BLOCK_LENGTH)


def _by_panels(
    multiply: Callable[..., None],
    operands: tuple[Tensor, ...],
    finish: Finish,
    tensor: Tensor,
    out: Tensor,
    products: Products,
) -> None:
    """Multiply all panels, in several parts if that is worth it: each writes its own columns."""
    arguments = (*operands, finish.factor, finish.bias, *finish.chain, tensor, out)
    panels = operands[2].shape[0]
    if products.threads == 1 or out.shape[0] * operands[2].size < SHARED_MIN:
        multiply(*arguments, 0, panels)
        return
    bounds = [panels * part // products.threads for part in range(products.threads + 1)]
    products.together([partial(multiply, *arguments, *ends) for ends in pairwise(bounds)])


class WideMatrix:
    """A constant matrix [K, N] of 32-bit whole numbers."""

    form = Way.WIDE

    def __init__(self, right: Tensor, products: Products = STANDARD) -> None:
        self._products = products
        length, self.columns = right.shape
        panels = -(-self.columns // WIDE_COLUMNS)
        self._blocks = blocks_of(length)
        self._panels = in_lines((panels, length, WIDE_COLUMNS), np.int32)
        self._scales = np.ones((self._blocks, panels * WIDE_COLUMNS))
        pack_wide(np.ascontiguousarray(right), self._panels, self._scales)

    def quantise(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Whole numbers in binary64, and scales."""
        digits = np.empty(rows.shape)
        scales = np.empty((self._blocks, rows.shape[0]))
        quantise_wide(rows, digits, scales)
        return digits, scales

    def multiply(
        self, quantised: tuple[Tensor, Tensor], finish: Finish, tensor: Tensor, out: Tensor
    ) -> None:
        """Write the finished product of quantised rows to `out` [M, N]."""
        operands = (*quantised, self._panels, self._scales)
        _by_panels(multiply_wide, operands, finish, tensor, out, self._products)

    def apply(self, rows: Tensor, finish: Finish, tensor: Tensor, out: Tensor) -> None:
        """Write the finished product of contiguous rows [M, K] to `out` [M, N]."""
        operands = (rows, self._panels, self._scales)
        multiply_few(*operands, finish.factor, finish.bias, *finish.chain, tensor, out)


class PairMatrix:
    """A constant matrix [K, N] of two digits of 16 bits."""

    form = Way.PAIRS

    def __init__(self, right: Tensor, products: Products = STANDARD) -> None:
        self._products = products
        length, self.columns = right.shape
        self._length = length + length % 2
        panels = -(-self.columns // PAIR_COLUMNS)
        self._blocks = blocks_of(length)
        digits = in_lines((panels, 2, self._length // 2, PAIR_COLUMNS, 2), np.int16)
        self._scales = np.ones((self._blocks, panels * PAIR_COLUMNS))
        pack_pairs(np.ascontiguousarray(right), digits, self._scales)
        self._panels = digits.reshape(panels, 2, self._length // 2, 2 * PAIR_COLUMNS)

    def quantise(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Two digits and their sum, and scales."""
        digits = np.empty((rows.shape[0], 3, self._length), np.int16)
        scales = np.empty((self._blocks, rows.shape[0]))
        quantise_pairs(rows, digits, scales)
        return digits, scales

    def multiply(
        self, quantised: tuple[Tensor, Tensor], finish: Finish, tensor: Tensor, out: Tensor
    ) -> None:
        """Write the finished product of quantised rows to `out` [M, N]."""
        operands = (*quantised, self._panels, self._scales)
        _by_panels(multiply_pairs, operands, finish, tensor, out, self._products)

    def apply(self, rows: Tensor, finish: Finish, tensor: Tensor, out: Tensor) -> None:
        """Write the finished product of contiguous rows [M, K] to `out` [M, N]."""
        self.multiply(self.quantise(rows), finish, tensor, out)
