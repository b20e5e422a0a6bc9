"""Which chunk of a blob to ask from whom: pure bookkeeping of one download."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chain.network import PeerId

ASKED_AT_ONCE: Final = 8
"""Chunks of one blob under way: 2 MiB."""

ASKED_OF_PEER: Final = 2
"""Chunks under way from one peer: one on the wire while the other is being read from disk."""

FRUITLESS_ROUNDS_MAX: Final = 6
"""Rounds of asking everybody in vain before others get their turn."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One chunk from one peer."""

    peer: PeerId
    index: int


class ChunkPlan:
    """One download: what is missing, what is under way, who is of use."""

    def __init__(self, missing: Iterable[int]) -> None:
        self._missing = deque(missing)
        self._under_way: list[Ask] = []
        self._useless: set[PeerId] = set()
        self._fruitless_rounds = 0

    @property
    def is_done(self) -> bool:
        """Tell whether every chunk has arrived."""
        return not self._missing and not self._under_way

    @property
    def is_busy(self) -> bool:
        """Tell whether something is under way."""
        return bool(self._under_way)

    def next_asks(self, peers: Sequence[PeerId]) -> list[Ask]:
        """Give what to ask now; it counts as under way."""
        asks: list[Ask] = []
        for _ in range(ASKED_OF_PEER):
            for peer in peers:
                if not self._missing or len(self._under_way) >= ASKED_AT_ONCE:
                    return asks
                held = sum(ask.peer == peer for ask in self._under_way)
                if peer not in self._useless and held < ASKED_OF_PEER:
                    ask = Ask(peer, self._missing.popleft())
                    self._under_way.append(ask)
                    asks.append(ask)
        return asks

    def arrived(self, ask: Ask) -> None:
        """Note that a chunk is here."""
        self._under_way.remove(ask)
        self._fruitless_rounds = 0

    def failed(self, ask: Ask) -> None:
        """Note that a peer did not give a chunk: it is asked elsewhere, the peer no more."""
        self._under_way.remove(ask)
        self._missing.appendleft(ask.index)
        self._useless.add(ask.peer)

    def give_second_chances(self) -> None:
        """Count nobody as useless any more: peers fetch blobs too."""
        self._fruitless_rounds += bool(self._useless)
        self._useless.clear()

    @property
    def is_hopeless(self) -> bool:
        """Tell whether nobody has given anything for several rounds."""
        return self._fruitless_rounds >= FRUITLESS_ROUNDS_MAX
