"""Nodes tell each other where the others listen, so that one known address is enough to start."""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from chain.network.addresses import AddressBook, PeerAddress
from chain.network.failures import RequestFailed
from chain.network.peers import PeerId
from chain.primitives.codec import DecodeError, sequence, text

PROTOCOL: Final = "peers"

ADDRESSES_MAX: Final = 32
"""In one answer."""

ASK_AGAIN_S: Final = 60.0
ANSWER_TIMEOUT_S: Final = 5.0

_ADDRESSES: Final = sequence(text(256), ADDRESSES_MAX)
_log = logging.getLogger("noema.network")


class PeerExchange:
    """Tells addresses of connected peers, and notes those it is told as hearsay."""

    def __init__(
        self,
        book: AddressBook,
        connected: Callable[[], tuple[PeerId, ...]],
        hear: Callable[[PeerAddress], None],
    ) -> None:
        self._book = book
        self._connected = connected
        self._hear = hear

    async def answer(self, peer: PeerId, payload: bytes) -> bytes:
        """Tell a peer about the others."""
        await trio.lowlevel.checkpoint()
        known = [self._book.address_of(each) for each in self._connected() if each != peer]
        texts = [str(each) for each in known if each is not None]
        chosen = random.sample(texts, min(len(texts), ADDRESSES_MAX))
        return _ADDRESSES.encode(tuple(chosen))

    async def keep_asking(self, ask: Callable[[float], Awaitable[bytes]]) -> None:
        """Ask one peer now and then, until cancelled."""
        while True:
            try:
                for each in _ADDRESSES.decode(await ask(ANSWER_TIMEOUT_S)):
                    self._hear(PeerAddress.parse(each))
            except (RequestFailed, DecodeError, ValueError) as error:
                _log.debug("no addresses: %s", error)
            await trio.sleep(ASK_AGAIN_S)
