"""Transactions that were invalid a short time ago and are refused unseen."""

from collections.abc import Callable


class Bans:
    """Hashes with the time until which they are banned; the oldest are forgotten first."""

    def __init__(self, now_ms: Callable[[], int], ban_ms: int, bans_max: int) -> None:
        self._now_ms = now_ms
        self._ban_ms = ban_ms
        self._bans_max = bans_max
        self._until_ms: dict[bytes, int] = {}

    def add(self, extrinsic_hash: bytes) -> None:
        """Ban a transaction from now on."""
        self._until_ms.pop(extrinsic_hash, None)
        self._until_ms[extrinsic_hash] = self._now_ms() + self._ban_ms
        while len(self._until_ms) > self._bans_max:
            del self._until_ms[next(iter(self._until_ms))]

    def left_ms(self, extrinsic_hash: bytes) -> int:
        """Return how long a transaction stays banned; 0 if it is not."""
        until_ms = self._until_ms.get(extrinsic_hash)
        if until_ms is None:
            return 0
        left_ms = until_ms - self._now_ms()
        if left_ms <= 0:
            del self._until_ms[extrinsic_hash]
        return max(left_ms, 0)
