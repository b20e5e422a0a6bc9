"""Weights of attribution, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each.  The work of valuations was measured at sizes
from 1,000 rows in as many records to 16,384 rows in 64, and is charged at about one and a half
times that; `tests/benchmarks/bench_attribution.py` prints both.
"""

from typing import Final

from runtime.frame import MICROSECOND

DECLARE: Final = 150 * MICROSECOND
VALUE: Final = 600 * MICROSECOND
SHARE: Final = 600 * MICROSECOND

NANOSECOND: Final = 1_000

RUN: Final = 200 * MICROSECOND
"""Of an embedding beside its gas: passing rows in and numbers out."""

_BLOCK: Final = 500 * MICROSECOND
_GROUP: Final = 10 * MICROSECOND


def load(rows: int, width: int, groups: int) -> int:
    """Weigh what a block begins with: reading rows, and what is kept of records."""
    return _BLOCK + rows * (width * 5 + 50) * NANOSECOND + groups * _GROUP


def repeat(rows: int, width: int) -> int:
    """Weigh the comparison of one row with all others."""
    return 10 * MICROSECOND + rows * (15_000 + width * 500)


def measure(rows: int, width: int, groups: int) -> int:
    """Weigh the measuring with one evaluation row."""
    return 40 * MICROSECOND + rows * (30_000 + width * 500) + rows * groups * 6 * NANOSECOND


def fold(rows: int, groups: int) -> int:
    """Weigh the folding of what a block measured; numbers grow with the rows."""
    return rows * groups * (80_000 + rows * 18) + rows * 2_000 * NANOSECOND


def end(rows: int, groups: int) -> int:
    """Weigh the end of a valuation."""
    return groups * 50 * MICROSECOND + rows * 4 * MICROSECOND
