"""Weights of snapshots, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, and what each record adds to the entry.
"""

from typing import Final

from runtime.frame import MICROSECOND

BASE: Final = 100 * MICROSECOND
PER_RECORD: Final = 20 * MICROSECOND


def of_records(records: int) -> int:
    """Weigh taking or dropping a snapshot of some records."""
    return BASE + PER_RECORD * records
