"""A map that forgets what was used longest ago, so that it never holds more than so many bytes."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

ENTRY_BYTES = 200
"""What an entry costs beside its value, so that a million empty values are no free ride."""


class ByteBoundedCache(Generic[K, V]):
    """Least recently used entries leave first; not for use by two threads at once."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of all entries, their fixed cost included."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value and count it as used, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, length: int) -> tuple[K, ...]:
        """Keep a value of so many bytes; return the keys that had to leave for it.

        A value larger than the whole cache is not kept: its own key is what leaves.
        """
        self.drop(key)
        size = length + ENTRY_BYTES
        if size > self._bytes_max:
            return (key,)
        self._entries[key] = value, size
        self._bytes += size
        evicted = []
        while self._bytes > self._bytes_max:
            oldest, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed
            evicted.append(oldest)
        return tuple(evicted)

    def drop(self, key: K) -> None:
        """Forget an entry, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]
