"""Weights of inference, in picoseconds of a reference core.

A run costs what admission measured.  Around it are counted: reads and writes of the state at 3 us
each, 10 us a call and a transfer, 10 us for each of up to 8 datasets, hashing and copying of the
input, and the removal of two expired receipts.
"""

from typing import Final

from chain.primitives.numbers import WEIGHT_PER_GAS
from runtime.frame import MICROSECOND

INFER_BASE: Final = 250 * MICROSECOND
INFER_PER_BYTE: Final = 10_000
"""Hash, look through and send to the engine."""


def infer(gas: int, input_bytes: int) -> int:
    """Weigh a run and what is around it."""
    return INFER_BASE + INFER_PER_BYTE * input_bytes + WEIGHT_PER_GAS * gas
