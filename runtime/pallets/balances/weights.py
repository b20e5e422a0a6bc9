"""Weights of balances' calls, in picoseconds of a reference core.

Counted: two accounts read, decoded, encoded, written and hashed into the state root, one event.
With signature, fee and root a transfer is charged 200 us; measured are 100 to 130 us in all
(`tests/benchmarks/bench_runtime.py`).
"""

from typing import Final

from runtime.frame.weight import MICROSECOND

TRANSFER: Final = 100 * MICROSECOND
"""Of each of the three calls."""
