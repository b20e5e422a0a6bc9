"""Staying connected with every known node: who dials, when again, when no more."""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from chain.network.addresses import AddressBook, PeerAddress
from chain.network.failures import DialFailed
from chain.network.peers import PeerId, dial_again_after
from chain.network.transport import Link

YIELD_S: Final = 2.0
"""The larger id waits so long for the smaller one to dial: one connection instead of two."""

HELLO_WAIT_S: Final = 6.0
"""A connection that is no session by then was refused."""

FAILURES_MAX: Final = 30
"""A learned address that failed so often in a row is forgotten; about five minutes."""

UNPROVEN_FAILURES_MAX: Final = 6
"""The same for an address that never worked; about ten seconds."""

_log = logging.getLogger("noema.network")


class Dialer:
    """One patient task a known peer."""

    def __init__(
        self,
        own_id: PeerId,
        book: AddressBook,
        dial: Callable[[PeerAddress], Awaitable[None]],
        link_of: Callable[[PeerId], Link | None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._own_id = own_id
        self._book = book
        self._dial = dial
        self._link_of = link_of
        self._jitter = jitter
        self._kept: set[PeerId] = set()
        self._learned = trio.Event()
        self._arrived = trio.Event()

    def learned(self) -> None:
        """Look at the book again: it has a new address."""
        self._learned.set()

    def arrived(self) -> None:
        """Look at the connections again: there is a new one."""
        self._arrived.set()
        self._arrived = trio.Event()

    async def run(self) -> None:
        """Dial, and dial again, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                for peer in self._book.peers:
                    if peer not in self._kept:
                        self._kept.add(peer)
                        nursery.start_soon(self._stay_connected, peer)
                await self._learned.wait()
                self._learned = trio.Event()

    async def _stay_connected(self, peer: PeerId) -> None:
        failures, failures_max = 0, UNPROVEN_FAILURES_MAX
        await self._give_way(peer)
        while (address := self._book.address_of(peer)) is not None:
            if (link := self._link_of(peer)) is not None:
                failures, failures_max = 0, FAILURES_MAX
                await link.ended.wait()
                await self._give_way(peer)
                continue
            if await self._try(address):
                continue
            failures += 1
            if failures >= failures_max and self._book.forget(peer):
                break
            await trio.sleep(dial_again_after(failures, self._jitter()))
        self._kept.discard(peer)

    async def _give_way(self, peer: PeerId) -> None:
        """Let the smaller id dial first."""
        if peer < self._own_id:
            await trio.sleep(YIELD_S)
        else:
            await trio.sleep(self._jitter() * 0.1)

    async def _try(self, address: PeerAddress) -> bool:
        try:
            await self._dial(address)
        except DialFailed as error:
            _log.debug("%s", error)
            return False
        with trio.move_on_after(HELLO_WAIT_S):
            while self._link_of(address.peer) is None:
                await self._arrived.wait()
            return True
        return False
