"""What gossip needs of the network, as small as it is."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from chain.network import Channel, PeerId


class FramePort(Protocol):
    """Sends and receives frames on channels; `chain.network.Network` is one."""

    def on_frame(self, channel: Channel, callback: Callable[[PeerId, bytes], None]) -> None:
        """Call back for every payload on a channel."""
        ...

    def on_connected(self, callback: Callable[[PeerId, bytes], None]) -> None:
        """Call back with a new peer and its hello."""
        ...

    def on_disconnected(self, callback: Callable[[PeerId], None]) -> None:
        """Call back when a peer is gone."""
        ...

    def send(self, peer: PeerId, channel: Channel, frame: bytes) -> bool:
        """Queue a payload for a peer; False if that was not possible."""
        ...

    def broadcast(self, channel: Channel, frame: bytes) -> int:
        """Queue a payload for every peer; give how many queues took it."""
        ...

    def peers(self) -> tuple[PeerId, ...]:
        """Give the connected peers."""
        ...

    def penalise(self, peer: PeerId, points: int, reason: str) -> None:
        """Count a peer's fault; 100 points are a ban."""
        ...


class RequestPort(Protocol):
    """Asks and answers; `chain.network.Network` is one."""

    async def request(self, peer: PeerId, protocol: str, payload: bytes, timeout_s: float) -> bytes:
        """Ask a peer; raises RequestFailed, RequestRefused."""
        ...

    def serve(self, protocol: str, handler: Callable[[PeerId, bytes], Awaitable[bytes]]) -> None:
        """Answer requests; the handler may raise RequestRefused."""
        ...

    def peers(self) -> tuple[PeerId, ...]:
        """Give the connected peers."""
        ...

    def penalise(self, peer: PeerId, points: int, reason: str) -> None:
        """Count a peer's fault; 100 points are a ban."""
        ...
