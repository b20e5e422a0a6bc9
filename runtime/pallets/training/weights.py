"""Weights of training, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, 10 us a call.  A step is charged for what its
graph costs, and for passing its tensors to the engine and back: measured at about 10 us a tensor
and 5 ns a byte beside 150 us for any run.  A block is charged once for reading the rows of a
snapshot and the state and for writing it: 3 ns a byte and 400 us.
"""

from typing import Final

from runtime.frame import MICROSECOND

START: Final = 300 * MICROSECOND
CANCEL: Final = 600 * MICROSECOND
"""With the removal of at most 64 chunks of state."""

_STEP: Final = 150 * MICROSECOND
_TENSOR: Final = 10 * MICROSECOND
_STEP_BYTE: Final = 5_000
_BLOCK: Final = 400 * MICROSECOND
_BLOCK_BYTE: Final = 3_000


def step(gas: int, tensors: int, passed_bytes: int) -> int:
    """Give the weight of one step that passes so many tensors and bytes in and out."""
    return gas * 1000 + _STEP + _TENSOR * tensors + _STEP_BYTE * passed_bytes


def load(read_bytes: int, written_bytes: int) -> int:
    """Give what a job weighs once in each block in which it steps."""
    return _BLOCK + _BLOCK_BYTE * (read_bytes + written_bytes)
