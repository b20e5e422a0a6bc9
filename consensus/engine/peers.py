"""What is remembered about peers: who there is, when they were answered, what came too early."""

from typing import Final

from consensus.core.messages import ConsensusMessage
from consensus.engine.ports import Peer

PEERS_MAX: Final = 256
"""Peers remembered; beyond them the one that was silent longest is forgotten."""

EARLY_MAX: Final = 64
"""Messages for the next height kept for each peer; later ones are dropped, they are said again."""

LOADS_MAX: Final = 2
"""Look-ups in the ledger for one peer at a time."""


class _Peer:
    def __init__(self) -> None:
        self.answered_ms: int | None = None
        self.early: list[ConsensusMessage] = []
        self.loads = 0


class Peers:
    """Peers by name, the latest to speak last."""

    def __init__(self) -> None:
        self._peers: dict[Peer, _Peer] = {}

    def heard(self, peer: Peer) -> None:
        """Note that a peer spoke."""
        known = self._peers.pop(peer) if peer in self._peers else _Peer()
        self._peers[peer] = known
        if len(self._peers) > PEERS_MAX:
            del self._peers[next(iter(self._peers))]

    def names(self) -> tuple[Peer, ...]:
        """Give all names, the latest to speak first."""
        return tuple(reversed(self._peers))

    def may_answer(self, peer: Peer, now_ms: int, gap_ms: int) -> bool:
        """Tell whether a peer's status is answered now, and if so note it."""
        known = self._peers[peer]
        if known.answered_ms is not None and now_ms < known.answered_ms + gap_ms:
            return False
        known.answered_ms = now_ms
        return True

    def keep_early(self, peer: Peer, message: ConsensusMessage) -> None:
        """Keep a message for the next height, if there is room."""
        early = self._peers[peer].early
        if len(early) < EARLY_MAX:
            early.append(message)

    def take_early(self) -> tuple[tuple[Peer, ConsensusMessage], ...]:
        """Give what came early, and forget it."""
        early = tuple((peer, each) for peer, known in self._peers.items() for each in known.early)
        for known in self._peers.values():
            known.early = []
        return early

    def start_load(self, peer: Peer) -> bool:
        """Tell whether something may be looked up for a peer, and if so note it."""
        if self._peers[peer].loads == LOADS_MAX:
            return False
        self._peers[peer].loads += 1
        return True

    def end_load(self, peer: Peer) -> None:
        """Note that a look-up has ended."""
        if peer in self._peers:
            self._peers[peer].loads = max(0, self._peers[peer].loads - 1)
