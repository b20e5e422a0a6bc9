"""How much the pool keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Bounds of the pool."""

    count_max: int = 8192
    """Transactions in all; two full blocks of transfers."""

    bytes_max: int = 32 * 1024 * 1024
    """Encoded bytes in all: over thirty full blocks."""

    account_count_max: int = 256
    """Transactions of one account, and how far a nonce may lie above the state's."""

    replacement_percent: int = 110
    """Priority that takes the place of another transaction, in percent of its priority."""

    ban_ms: int = 10 * 60 * 1000
    """How long a transaction that can't become valid is refused unseen."""

    bans_max: int = 16_384
    """Remembered invalid transactions; the oldest are forgotten first."""
