"""The three channels between two nodes, and the bounded queue in front of each."""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

import trio

from chain.network.frames import LENGTH_BYTES


class WhenFull(Enum):
    """What a full queue gives up."""

    OLDEST = "oldest"
    """What waited longest: its height has most likely passed."""
    NEWEST = "newest"
    """What comes now: the sender is told and may try again."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of message, on a stream of its own, so that no kind waits behind another."""

    name: str
    frame_bytes_max: int
    """Longest payload; a longer one costs its sender the connection."""
    queue_frames_max: int
    queue_bytes_max: int
    """Bounds of what waits for one peer."""
    when_full: WhenFull


VOTES: Final = Channel("votes", 64 * 1024, 4096, 4 * 1024 * 1024, WhenFull.OLDEST)
"""Votes, proposals' headers, what-I-have messages; also carries the pings."""

BLOCKS: Final = Channel("blocks", 2 * 1024 * 1024, 64, 8 * 1024 * 1024, WhenFull.OLDEST)
"""Bodies of blocks on their way to validators."""

TRANSACTIONS: Final = Channel("transactions", 512 * 1024, 256, 4 * 1024 * 1024, WhenFull.NEWEST)
"""Batches of transactions."""

CHANNELS: Final = (VOTES, BLOCKS, TRANSACTIONS)

JOINED_BYTES: Final = 64 * 1024
"""Frames are joined into one write up to here: one encrypted message instead of many."""


class SendQueue:
    """Frames that wait for one peer on one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._filled = trio.Event()
        self.dropped = 0
        """Frames given up because the queue was full."""

    def put(self, frame: bytes) -> bool:
        """Queue a frame, length in front; False if it was refused because the queue is full."""
        channel, length = self._channel, len(frame) - LENGTH_BYTES
        assert 0 < length <= channel.frame_bytes_max, f"{length} bytes: {channel.name}"
        while self._is_full(len(frame)):
            self.dropped += 1
            if channel.when_full is WhenFull.NEWEST:
                return False
            self._bytes -= len(self._frames.popleft())
        self._frames.append(frame)
        self._bytes += len(frame)
        self._filled.set()
        return True

    async def take(self) -> bytes:
        """Wait for frames and give as many as fit into one write, in order."""
        while not self._frames:
            self._filled = trio.Event()
            await self._filled.wait()
        taken = [self._frames.popleft()]
        length = len(taken[0])
        while self._frames and length + len(self._frames[0]) <= JOINED_BYTES:
            length += len(self._frames[0])
            taken.append(self._frames.popleft())
        self._bytes -= length
        return b"".join(taken)

    def _is_full(self, more: int) -> bool:
        channel = self._channel
        if not self._frames:
            return False
        return (
            len(self._frames) >= channel.queue_frames_max
            or self._bytes + more > channel.queue_bytes_max + LENGTH_BYTES
        )
