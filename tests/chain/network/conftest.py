"""Real networks on loopback ports, for tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import trio

from chain.network import Network, NetworkConfig
from chain.network.addresses import PeerAddress
from chain.network.frames import framed
from chain.network.peers import Doorman
from chain.network.session import GREETING, Greeting, Patience, read_frame
from chain.network.transport import LibraryStream, Link, Transport

OpenNetwork = Callable[..., AbstractAsyncContextManager[Network]]

QUICK = Patience(hello_s=1.0, ping_s=0.2, silence_s=1.0)


@asynccontextmanager
async def _running(
    seed: int, bootstrap: tuple[Network, ...] = (), hello: bytes = b"same chain", **options: Any
) -> AsyncIterator[Network]:
    def check(peer: str, received: bytes) -> str | None:
        return None if received == hello else "other chain"

    options.setdefault("listen", "/ip4/127.0.0.1/tcp/0")
    options.setdefault("patience", QUICK)
    config = NetworkConfig(bootstrap=tuple(each.addresses[0] for each in bootstrap), **options)
    async with (
        Network.open(config, bytes([seed]) * 32, lambda: hello, check) as network,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(network.run)
        yield network
        nursery.cancel_scope.cancel()


@pytest.fixture
def running() -> OpenNetwork:
    """Give a context manager that opens and runs a network on a free loopback port."""
    return _running


class Stranger:
    """A peer with the right keys and streams that says whatever a test wants it to."""

    def __init__(self, seed: int) -> None:
        self.links: list[Link] = []
        self.transport = Transport(bytes([seed]) * 32, Doorman(9, 9, 9), self.links.append)
        self.id = self.transport.own_id
        for name in ("votes", "blocks", "transactions"):
            self.transport.serve(f"/noema/{name}/1", self._swallow)

    async def _swallow(self, stream: LibraryStream) -> None:
        while True:
            await stream.read(1 << 16)

    async def connect(self, network: Network) -> Link:
        """Dial a network; nothing is said yet."""
        known = len(self.links)
        await self.transport.dial(PeerAddress.parse(network.addresses[0]))
        return self.links[known]

    async def greet(self, link: Link, hello: bytes = b"same chain") -> bytes:
        """Say hello properly and give the answer."""
        stream = await link.open_stream("/noema/hello/1")
        await stream.write(framed(GREETING.encode(Greeting(hello, ()))))
        return await read_frame(stream, 8192)


@asynccontextmanager
async def _stranger(seed: int = 99) -> AsyncIterator[Stranger]:
    stranger = Stranger(seed)
    async with stranger.transport.listening("/ip4/127.0.0.1/tcp/0"):
        yield stranger


@pytest.fixture
def stranger() -> Callable[..., AbstractAsyncContextManager[Stranger]]:
    """Give a context manager that opens a peer without manners."""
    return _stranger


async def _until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    with trio.fail_after(seconds):
        while True:
            if condition():
                return
            await trio.sleep(0.01)


@pytest.fixture
def until() -> Callable[..., Any]:
    """Give a function that waits for a condition, but not for long."""
    return _until
