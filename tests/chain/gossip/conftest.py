"""Networks in memory, for tests."""

from collections.abc import Awaitable, Callable

import pytest

from chain.network import Channel, RequestFailed

Answer = Callable[[bytes], Awaitable[bytes]]


class FakeNetwork:
    """Writes down what is sent, and answers requests as a test says."""

    def __init__(self, *peers: str) -> None:
        self.connected = list(peers)
        self.sent: list[tuple[str, Channel, bytes]] = []
        self.faults: list[tuple[str, int, str]] = []
        self.callbacks: dict[Channel, Callable[[str, bytes], None]] = {}
        self.handlers: dict[str, Callable[[str, bytes], Awaitable[bytes]]] = {}
        self.answers: dict[str, Answer] = {}
        self.full: list[str] = []
        self.meet: Callable[[str, bytes], None] = lambda peer, hello: None
        self.part: Callable[[str], None] = lambda peer: None

    def on_frame(self, channel: Channel, callback: Callable[[str, bytes], None]) -> None:
        self.callbacks[channel] = callback

    def on_connected(self, callback: Callable[[str, bytes], None]) -> None:
        self.meet = callback

    def on_disconnected(self, callback: Callable[[str], None]) -> None:
        self.part = callback

    def send(self, peer: str, channel: Channel, frame: bytes) -> bool:
        if peer not in self.connected or peer in self.full:
            return False
        self.sent.append((peer, channel, frame))
        return True

    def broadcast(self, channel: Channel, frame: bytes) -> int:
        return sum(self.send(peer, channel, frame) for peer in self.connected)

    def peers(self) -> tuple[str, ...]:
        return tuple(self.connected)

    def penalise(self, peer: str, points: int, reason: str) -> None:
        self.faults.append((peer, points, reason))

    def serve(self, protocol: str, handler: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        self.handlers[protocol] = handler

    async def request(self, peer: str, protocol: str, payload: bytes, timeout_s: float) -> bytes:
        if peer not in self.answers:
            raise RequestFailed(f"{peer} does not answer")
        return await self.answers[peer](payload)


@pytest.fixture
def fake_network() -> type[FakeNetwork]:
    """Give the class of networks in memory."""
    return FakeNetwork
