"""Weights of balances' calls, in picoseconds of a reference core.

Counted: two accounts read, decoded, encoded, written and hashed into the state root, one event.
Measured by `tests/benchmarks/bench_runtime.py`, rounded up to the double.
"""

from typing import Final

from runtime.frame.weight import MICROSECOND

TRANSFER: Final = 100 * MICROSECOND
"""Of each of the three calls."""
