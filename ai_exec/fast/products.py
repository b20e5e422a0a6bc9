"""Which way contractions with constant weights go: by measured sizes, never by values."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Layout(Enum):
    """How products of digits share calls of onnxruntime."""

    ROWS = "each digit is a row of its own: weights are read once, nine sums a result"
    DEPTH = "digits of equal weight lie one after the other along K: five sums a result"


@dataclass(frozen=True, slots=True)
class Products:
    """Sizes from which bytes on onnxruntime beat binary64 on numpy.

    Whatever is chosen, the bits are the same: only time depends on it.
    """

    rows_max: int
    """Rows of the left operand up to which digits go as rows."""
    depth_rows_min: int
    """Rows of the left operand from which digits go along K."""
    weights_min: int
    """Elements of the constant matrix, at least 1, below which calls cost more than products."""
    length_min: int = 64
    """Elements of a row below which sums take more memory than the constants leave."""

    def layout(self, rows: int, length: int, columns: int) -> Layout | None:
        """Give the layout for a product of these sizes; None for binary64 on numpy."""
        if length < self.length_min or length * columns < self.weights_min:
            return None
        if 0 < rows <= self.rows_max:
            return Layout.ROWS
        return Layout.DEPTH if rows >= self.depth_rows_min else None


NEVER: Final = 1 << 62
BINARY64: Final = Products(0, NEVER, NEVER)
"""All products on numpy."""
STANDARD: Final = Products(4, NEVER, 300_000)
"""Measured with 512-bit VNNI and no AMX, where binary64 keeps up from a few rows on."""
