"""Weights of system's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

REMARK_BASE: Final = 20 * MICROSECOND
"""Dispatch, no reads."""

REMARK_PER_BYTE: Final = MICROSECOND // 500
"""One BLAKE2b pass and one copy of a byte: 2 ns."""


def remark(pallet: object, remark: bytes) -> int:
    """Weigh a remark by its length."""
    return REMARK_BASE + REMARK_PER_BYTE * len(remark)
