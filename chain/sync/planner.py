"""Which heights to ask from which peers, and what to import next: no clock, no socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from chain.network import PeerId

T = TypeVar("T")

BATCH_MAX: Final = 32
"""Heights in one ask."""

WINDOW: Final = 128
"""Heights above the head that may be asked for."""

WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
"""Blocks that wait for import; beyond them nothing more is asked for."""

ASKED_AT_ONCE: Final = 4
"""Peers asked at a time, each for one range."""

LAG_MIN: Final = 2
"""Missing so many blocks calls for this room; the last one comes with the agreement itself."""

PATIENCE_S: Final = 3.0
"""After so long at one head even the last block is asked for."""

SLOW_S: Final = 3.0
"""A range that is under way for so long is asked of another peer too."""

REST_MIN_S: Final = 2.0
REST_MAX_S: Final = 60.0
"""A peer that did not deliver is left alone for a time that doubles with each failure."""

REST_AFTER_LIE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A range of heights from one peer."""

    peer: PeerId
    start: int
    count: int


@dataclass(slots=True)
class _Peer:
    head: int = 0
    failures: int = 0
    rests_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered(Generic[T]):
    """A block that waits for import, and who sent it."""

    peer: PeerId
    item: T
    length: int


class SyncPlan(Generic[T]):
    """State of catching up; times are seconds of any steady clock."""

    def __init__(self, head: int, now: float) -> None:
        self.head = head
        """Height of the last block that this node holds."""
        self._head_since = now
        self._peers: dict[PeerId, _Peer] = {}
        self._asked: dict[Ask, float] = {}
        self._waiting: dict[int, Delivered[T]] = {}

    @property
    def target(self) -> int:
        """Give the greatest height that a peer claims and has not failed to prove."""
        return max((each.head for each in self._peers.values()), default=0)

    def note_head(self, peer: PeerId, height: int) -> None:
        """Note how far a peer says it is."""
        state = self._peers.setdefault(peer, _Peer())
        state.head = max(state.head, height)

    def forget(self, peer: PeerId) -> None:
        """Note that a peer is gone; what it delivered is still good."""
        self._peers.pop(peer, None)

    def head_moved(self, height: int, now: float) -> None:
        """Note that this node's head is at a height, whoever moved it."""
        if height != self.head:
            self.head, self._head_since = height, now
            for passed in [each for each in self._waiting if each <= height]:
                del self._waiting[passed]

    def asks(self, now: float) -> list[Ask]:
        """Give what to ask now; it counts as under way until `received` or `failed`."""
        lag = self.target - self.head
        if lag < LAG_MIN and (lag < 1 or now - self._head_since < PATIENCE_S):
            return []
        if sum(each.length for each in self._waiting.values()) >= WAITING_BYTES_MAX:
            return []
        busy = [ask.peer for ask in self._asked]
        asks: list[Ask] = []
        for peer in sorted(self._peers, key=lambda each: (self._peers[each].failures, each)):
            state = self._peers[peer]
            if sum(now - asked_at < SLOW_S for asked_at in self._asked.values()) >= ASKED_AT_ONCE:
                break
            if peer in busy or now < state.rests_until:
                continue
            ask = self._next_range(peer, state.head, now)
            if ask is not None:
                self._asked[ask] = now
                asks.append(ask)
        return asks

    def received(self, ask: Ask, items: Sequence[tuple[T, int]]) -> None:
        """Keep what a peer delivered: blocks from the start of the ask on, with their length."""
        assert 0 < len(items) <= ask.count, f"{len(items)} of {ask.count}"
        del self._asked[ask]
        for height, (item, length) in enumerate(items, ask.start):
            if height > self.head and height not in self._waiting:
                self._waiting[height] = Delivered(ask.peer, item, length)
        if ask.peer in self._peers:
            self._peers[ask.peer].failures = 0

    def failed(self, ask: Ask, now: float) -> None:
        """Note that a peer did not deliver: its claim shrinks and it rests."""
        del self._asked[ask]
        state = self._peers.get(ask.peer)
        if state is not None:
            rest_s = min(REST_MAX_S, REST_MIN_S * 2.0 ** min(state.failures, 16))
            state.rests_until = now + rest_s
            state.failures += 1
            state.head = min(state.head, ask.start - 1)

    def next_delivered(self) -> Delivered[T] | None:
        """Give the block above the head, if it is here."""
        return self._waiting.get(self.head + 1)

    def reject(self, peer: PeerId, now: float) -> None:
        """Drop all that a peer delivered, because something of it was false."""
        for height in [each for each in self._waiting if self._waiting[each].peer == peer]:
            del self._waiting[height]
        state = self._peers.get(peer)
        if state is not None:
            state.head = 0
            state.rests_until = now + REST_AFTER_LIE_S

    def _next_range(self, peer: PeerId, peer_head: int, now: float) -> Ask | None:
        last = min(peer_head, self.head + WINDOW)
        start = self.head + 1
        while start <= last and self._is_covered(start, now):
            start += 1
        end = start
        while end <= last and end - start < BATCH_MAX and not self._is_covered(end, now):
            end += 1
        return Ask(peer, start, end - start) if end > start else None

    def _is_covered(self, height: int, now: float) -> bool:
        return height in self._waiting or any(
            ask.start <= height < ask.start + ask.count and now - asked_at < SLOW_S
            for ask, asked_at in self._asked.items()
        )
