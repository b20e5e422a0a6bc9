"""Weights of governance's calls, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each; a change of power walks over open referenda.
"""

from typing import Final

from runtime.frame.weight import MICROSECOND

PROPOSE: Final = 200 * MICROSECOND
PROPOSE_PER_BYTE: Final = MICROSECOND // 100
VOTE: Final = 150 * MICROSECOND
POWER: Final = 500 * MICROSECOND
"""Of a call that changes powers: up to 32 votes and tallies are written anew."""

OBJECT: Final = 300 * MICROSECOND
"""The list of validators is read, and two lists of them written."""

SCHEDULE: Final = 50 * MICROSECOND


def propose(pallet: object, call: bytes, note: str) -> int:
    """Weigh a proposal by the length of its call."""
    return PROPOSE + PROPOSE_PER_BYTE * len(call)
