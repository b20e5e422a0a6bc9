"""Token buckets: how much each peer may take, at a steady rate with a burst."""

from collections import OrderedDict
from typing import Final

from chain.network.peers import PeerId

PEERS_MAX: Final = 1024
"""Buckets that are kept; a forgotten one is full again."""


class Budget:
    """One bucket a peer."""

    def __init__(self, per_second: int, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left: OrderedDict[PeerId, tuple[float, float]] = OrderedDict()

    def take(self, peer: PeerId, amount: int, now: float) -> bool:
        """Take an amount at a time in seconds, or nothing and False."""
        left, before = self._left.get(peer, (float(self._burst), now))
        left = min(self._burst, left + (now - before) * self._per_second)
        is_granted = left >= amount
        self._left[peer] = (left - amount if is_granted else left, now)
        self._left.move_to_end(peer)
        if len(self._left) > PEERS_MAX:
            self._left.popitem(last=False)
        return is_granted
