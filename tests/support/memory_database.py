"""The database of tests: as the one on disk, in memory."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final

from chain.storage.database import Write

_PAGE: Final = 256


class MemoryDatabase:
    """A database that is gone with the process."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] | None = []
        self._lock = Lock()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        return self._values.get(key)

    def iterate(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield what lies under a prefix, above `after`."""
        start, above = (prefix, False) if after is None or after < prefix else (after, True)
        while True:
            page = self._page(start, above)
            for key, value in page:
                if not key.startswith(prefix):
                    return
                yield key, value
            if len(page) < _PAGE:
                return
            start, above = page[-1][0], True

    def write(self, writes: Iterable[Write], *, sync: bool = False) -> None:
        """Apply all writes or none."""
        pending = list(writes)
        with self._lock:
            for key, value in pending:
                if value is None:
                    self._values.pop(key, None)
                else:
                    self._values[key] = value
            self._keys = None

    def close(self) -> None:
        """Do nothing: memory needs no closing."""

    def _page(self, start: bytes, above: bool) -> list[tuple[bytes, bytes]]:
        """Return the next few keys from `start` on, or above it, with their values."""
        with self._lock:
            if self._keys is None:
                self._keys = sorted(self._values)
            place = bisect_left(self._keys, start)
            if above and place < len(self._keys) and self._keys[place] == start:
                place += 1
            return [(key, self._values[key]) for key in self._keys[place : place + _PAGE]]
