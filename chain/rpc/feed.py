"""Tells subscribers that the head moved.  Holds the newest head only, so nothing can pile up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import trio

from chain.primitives.hashing import Hash32

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Head:
    """A block that is final and on disk: every block is final when it is committed."""

    number: int
    hash: Hash32


class HeadFeed:
    """The newest head, and waiting for a newer one; use it from the trio thread only."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._moved = trio.Event()
        self._readers = trio.CapacityLimiter(1)

    @property
    def head(self) -> Head:
        """Give the newest head."""
        return self._head

    def publish(self, head: Head) -> None:
        """Wake everybody who waits; called after the block is on disk."""
        self._head = head
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    async def after(self, head: Head | None) -> Head:
        """Wait until the head is another one than `head`, and give it; at once for None."""
        while head is not None and self._head == head:
            await self._moved.wait()
        return self._head

    async def read(self, look: Callable[[], Read]) -> Read:
        """Have a subscriber look at the new state in a thread, one subscriber after the other."""
        return await trio.to_thread.run_sync(look, limiter=self._readers)
