"""What the ledger allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """Bounds of the ledger."""

    drift_ms_max: int = 10_000
    """How far a block's time may lie ahead of this node's clock when it votes for it."""

    kept_max: int = 8
    """Executed blocks that wait for a decision; a height rarely sees more than two proposals."""

    misses_max: int = 64
    """Transactions in a row that do not fit before a block counts as full."""
