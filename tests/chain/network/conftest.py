"""Real networks on loopback ports, for tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import trio

from chain.network import Network, NetworkConfig
from chain.network.session import Patience

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
