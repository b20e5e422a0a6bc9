"""What becomes of a transaction, and who is told."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from threading import Lock


class Kind(Enum):
    """Stations of a transaction, by the names that clients know."""

    FUTURE = "future"
    READY = "ready"
    BROADCAST = "broadcast"
    IN_BLOCK = "inBlock"
    FINALIZED = "finalized"
    USURPED = "usurped"
    DROPPED = "dropped"
    INVALID = "invalid"


LAST_KINDS = frozenset((Kind.FINALIZED, Kind.USURPED, Kind.DROPPED, Kind.INVALID))
"""After one of these nothing more is told."""


@dataclass(frozen=True, slots=True)
class Status:
    """One station of a transaction."""

    kind: Kind
    block_hash: bytes | None = None
    """Of IN_BLOCK and FINALIZED."""
    usurper: bytes | None = None
    """Hash of the transaction that took the place; of USURPED."""
    peers: tuple[str, ...] = ()
    """Who it was sent to; of BROADCAST."""


Watcher = Callable[[Status], None]
"""Is told of every station.  Must return at once, keep its own queue bounded, and not call back."""


class TooManyWatchers(Exception):
    """The node watches too many transactions already.  Submit without watching, ask later."""


class Watchers:
    """Who watches which transaction.

    `tell` only notes; `deliver` calls the watchers, in the order of the notes and outside the
    pool's lock, so that a slow one holds up no reader of the pool.
    """

    def __init__(self, watchers_max: int) -> None:
        self._watchers_max = watchers_max
        self._watching: dict[bytes, list[Watcher]] = {}
        self._count = 0
        self._outgoing: deque[tuple[Watcher, Status]] = deque()
        self._delivery = Lock()

    def has_room(self) -> bool:
        """Say whether one more may watch."""
        return self._count < self._watchers_max

    def add(self, extrinsic_hash: bytes, watcher: Watcher) -> None:
        """Watch a transaction; raises TooManyWatchers."""
        if not self.has_room():
            raise TooManyWatchers
        self._watching.setdefault(extrinsic_hash, []).append(watcher)
        self._count += 1

    def remove(self, extrinsic_hash: bytes, watcher: Watcher) -> None:
        """Watch no longer; one that does not watch is left alone."""
        watching = self._watching.get(extrinsic_hash, [])
        if watcher in watching:
            watching.remove(watcher)
            self._count -= 1
            if not watching:
                del self._watching[extrinsic_hash]

    def tell(self, extrinsic_hash: bytes, status: Status) -> None:
        """Note a station for those who watch the transaction."""
        watching = self._watching.get(extrinsic_hash)
        if watching is None:
            return
        self._outgoing.extend((watcher, status) for watcher in watching)
        if status.kind in LAST_KINDS:
            self._count -= len(watching)
            del self._watching[extrinsic_hash]

    def deliver(self) -> None:
        """Call the watchers for what was noted."""
        while self._outgoing:
            with self._delivery:
                if self._outgoing:
                    watcher, status = self._outgoing.popleft()
                    watcher(status)
