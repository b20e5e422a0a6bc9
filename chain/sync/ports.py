"""What catching up needs of the network and of the ledger, as small as it is."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from chain.network import PeerId
from chain.primitives.block import Block
from consensus.core.validators import ValidatorSet
from consensus.engine.ports import Head


class SyncNetwork(Protocol):
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

    def on_connected(self, callback: Callable[[PeerId, bytes], None]) -> None:
        """Call back with a new peer and its hello."""
        ...

    def on_disconnected(self, callback: Callable[[PeerId], None]) -> None:
        """Call back when a peer is gone."""
        ...


class SyncLedger(Protocol):
    """What is final here, and who decides what comes next."""

    def head(self) -> Head:
        """Give the last final block."""
        ...

    def is_body_of_header(self, block: Block) -> bool:
        """Tell whether the transactions are those that the header commits to."""
        ...

    async def validators(self, height: int) -> ValidatorSet:
        """Give the set that decides a height; asked for the head's successor only."""
        ...

    def stored(self, height: int) -> tuple[bytes, bytes] | None:
        """Give a final block above genesis and its certificate, encoded; called in threads."""
        ...
