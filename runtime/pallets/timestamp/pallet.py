"""Timestamp: what time a block claims.

Invariant: every block has a time, later than its parent's by the minimum period at least.
"""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import COMPACT_U64, U32, U64
from runtime.frame import (
    Constant,
    DispatchError,
    Inherent,
    Overlay,
    Pallet,
    PostInfo,
    StorageValue,
    call,
)
from runtime.frame.ports import Heights
from runtime.pallets.timestamp import weights

Moment = Annotated[int, COMPACT_U64]
"""Milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class TimestampConfig:
    """What a chain decides about time."""

    minimum_period_ms: int
    """Least time between two blocks: keeps clocks that run ahead from racing."""


class TimestampSet(DispatchError, index=0):
    """The block has a time already.  Propose one time only."""


class TooEarly(DispatchError, index=1):
    """The time is not later than the parent's by the minimum period.  Wait, then propose."""


class Timestamp(Pallet, errors=(TimestampSet, TooEarly)):
    """What time a block claims; the proposer says it and every validator compares it."""

    now = StorageValue(U64, default=0, docs="Time of the block, milliseconds since 1970.")
    set_at = StorageValue(U32, default=0, docs="Height at which the time was said last.")

    minimum_period = Constant(
        U64, lambda self: self.config.minimum_period_ms, "Least milliseconds between two blocks."
    )

    def __init__(self, state: Overlay, config: TimestampConfig, heights: Heights) -> None:
        super().__init__(state)
        self.config = config
        self._heights = heights

    def build_genesis(self, timestamp_ms: int) -> None:
        """Give genesis its time."""
        self.now.set(timestamp_ms)

    @call(index=0, weight=weights.SET)
    def set(self, origin: Inherent, now: Moment) -> PostInfo:
        """Say what time the block has."""
        if self.is_set():
            raise TimestampSet()
        if now < self.earliest():
            raise TooEarly(f"{now} < {self.earliest()}")
        self.now.set(now)
        self.set_at.set(self._heights.height())
        return PostInfo(pays_fee=False)

    def is_set(self) -> bool:
        """Tell whether this block has its time."""
        return self.set_at.get() == self._heights.height()

    def earliest(self) -> int:
        """Give the earliest time that the block after the last one with a time may have."""
        return self.now.get() + self.config.minimum_period_ms

    def milliseconds(self) -> int:
        """Give the block's time; before its inherent, its parent's."""
        return self.now.get()

    def check_invariants(self) -> None:
        """Assert that the block has its time."""
        assert self.is_set(), "a block without a time"
