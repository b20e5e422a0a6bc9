"""Which way contractions with constant weights go: by measured sizes, never by values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

Part = Callable[[], None]
Together = Callable[[Sequence[Part]], None]
"""Does parts, perhaps at the same time, and returns when all are done."""


def one_by_one(parts: Sequence[Part]) -> None:
    """Do parts on this thread."""
    for part in parts:
        part()


class Way(Enum):
    """How products of whole numbers are computed."""

    WIDE = "in binary64, from weights of 32 bits"
    PAIRS = "as three products of digits of 16 bits, two at a time"
    BYTES = "as products of digits of 8 bits by onnxruntime, for units of matrices"


@dataclass(frozen=True, slots=True)
class Products:
    """Sizes from which a way beats binary64.

    Whatever is chosen, the bits are the same: only time depends on it.
    """

    pairs_rows_min: int = 12
    """Rows of the left operand from which pairs are taken, where the processor multiplies them."""
    bytes_rows_min: int = 1 << 62
    """Rows of the left operand from which bytes are taken, where they are exact."""
    bytes_weights_min: int = 100_000
    """Elements of the constant matrix below which calls of onnxruntime cost more than products."""
    threads: int = 1
    """Parts that a large product is cut into."""
    together: Together = one_by_one
    """Who does the parts."""

    def way(self, rows: int, length: int, columns: int) -> Way:
        """Give the way of a product of these sizes."""
        if rows >= max(self.bytes_rows_min, 1) and length * columns >= self.bytes_weights_min:
            return Way.BYTES
        return Way.PAIRS if rows >= self.pairs_rows_min else Way.WIDE


NEVER: Final = 1 << 62
WIDE: Final = Products(NEVER, NEVER)
"""All products in binary64."""
PAIRS: Final = Products(0, NEVER)
"""All products as pairs, where the processor has them."""
BYTES: Final = Products(NEVER, 0, 1)
"""All products as bytes, where they are exact."""
STANDARD: Final = Products()
