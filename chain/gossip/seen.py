"""Bounded memories of hashes: what was seen lately, and who knows what."""

from collections import OrderedDict


class Recent:
    """Hashes seen within some seconds; the oldest leave first."""

    def __init__(self, count_max: int, seconds: float) -> None:
        self._count_max = count_max
        self._seconds = seconds
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def add(self, seen: bytes, now: float) -> bool:
        """Note a hash at a time in seconds; tell whether it is new or long ago."""
        before = self._seen.get(seen)
        if before is not None and now - before < self._seconds:
            return False
        self._seen[seen] = now
        self._seen.move_to_end(seen)
        if len(self._seen) > self._count_max:
            self._seen.popitem(last=False)
        return True


class Known:
    """Hashes that one peer is known to have; the oldest leave first."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def add(self, known: bytes) -> None:
        """Note that the peer has it."""
        self._hashes[known] = None
        self._hashes.move_to_end(known)
        if len(self._hashes) > self._count_max:
            self._hashes.popitem(last=False)

    def __contains__(self, known: bytes) -> bool:
        """Tell whether the peer is known to have it."""
        return known in self._hashes
