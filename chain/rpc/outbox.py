"""What waits to be read by one client: bounded, so that a slow reader costs only itself."""

from collections import deque

import trio

from chain.rpc.limits import RpcLimits


class SlowReader(Exception):
    """The client does not read what it asked for.  Read faster, or subscribe to less."""


class Outbox:
    """Messages of one connection in their order; when it is full the connection ends."""

    def __init__(self, limits: RpcLimits) -> None:
        self._limits = limits
        self._messages: deque[str] = deque()
        self._bytes = 0
        self._filled = trio.Event()
        self._drained = trio.Event()

    def put(self, message: str) -> None:
        """Add a message; raises SlowReader where too much waits already."""
        if len(self._messages) >= self._limits.outbox_messages_max or (
            self._messages and self._bytes + len(message) > self._limits.outbox_bytes_max
        ):
            raise SlowReader
        self._messages.append(message)
        self._bytes += len(message)
        self._filled.set()

    async def take(self) -> str:
        """Wait for the oldest message."""
        while not self._messages:
            self._filled = trio.Event()
            await self._filled.wait()
        message = self._messages.popleft()
        self._bytes -= len(message)
        self._drained.set()
        return message

    async def room(self) -> None:
        """Wait until at most half of the bytes are used: answers slow down before they drop."""
        while self._bytes > self._limits.outbox_bytes_max // 2:
            self._drained = trio.Event()
            await self._drained.wait()
