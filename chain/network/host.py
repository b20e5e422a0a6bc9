"""The node's side of the network: sessions with peers, channels, requests, bans, redialling."""

import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import trio

from chain.network.addresses import AddressBook, PeerAddress, load_addresses, save_addresses
from chain.network.channels import CHANNELS, Channel
from chain.network.dialing import Dialer
from chain.network.exchange import PROTOCOL as EXCHANGE
from chain.network.exchange import PeerExchange
from chain.network.failures import RequestFailed, StreamFailed
from chain.network.frames import FrameTooLong, framed
from chain.network.peers import Doorman, PeerId, Standings, is_better
from chain.network.requests import Handler, answer_request, send_request
from chain.network.session import GREETING, Greeting, Patience, Session, protocol_of
from chain.network.transport import LibraryStream, Link, Transport
from chain.primitives.codec import DecodeError

HELLO_PROTOCOL: Final = protocol_of("hello")

SERVED_AT_ONCE: Final = 16
"""Requests of one peer that are answered side by side; more are reset."""

SAVE_ADDRESSES_EVERY_S: Final = 5.0

POINTS_MALFORMED: Final = 100
"""What no honest node sends: banned at once."""
POINTS_OTHER_CHAIN: Final = 30
"""A node set up wrongly: told so a few times, then left alone for a while."""
POINTS_PUSHY: Final = 2

FrameCallback = Callable[[PeerId, bytes], None]

_log = logging.getLogger("noema.network")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """How a node meets others."""

    listen: str = "/ip4/0.0.0.0/tcp/30333"
    """Where other nodes connect; port 0 takes any free one."""
    bootstrap: tuple[str, ...] = ()
    """Nodes to stay connected with, as /ip4/<ip>/tcp/<port>/p2p/<id>."""
    announce: tuple[str, ...] = ()
    """What to tell others instead of `listen`, for a node behind a forwarded port; at most 4."""
    address_book: Path | None = None
    """File in which learned addresses survive a restart."""
    peers_max: int = 128
    """Connected peers; bootstrap peers always find a place."""
    inbound_max: int = 256
    """Incoming connections, finished or not."""
    inbound_per_address_max: int = 32
    """Incoming connections from one IP address; a local network shares one."""
    inbound_pending_max: int = 64
    """Incoming connections that have not yet shown who they are."""
    patience: Patience = field(default_factory=Patience)


class Network:
    """Connections to peers of the same chain.  Open it, register callbacks, then run it."""

    def __init__(
        self,
        config: NetworkConfig,
        identity_seed: bytes,
        hello: Callable[[], bytes],
        check_hello: Callable[[PeerId, bytes], str | None],
    ) -> None:
        configured = [PeerAddress.parse(each) for each in config.bootstrap]
        doorman = Doorman(
            config.inbound_max, config.inbound_per_address_max, config.inbound_pending_max
        )
        self._config = config
        self._hello = hello
        self._check_hello = check_hello
        self._transport = Transport(identity_seed, doorman, self._meet)
        self.own_id: PeerId = self._transport.own_id
        self.addresses: tuple[str, ...] = ()
        """Where this node listens, with its id; empty until it is open."""
        self._book = AddressBook(
            {each.peer: each for each in configured if each.peer != self.own_id}
        )
        self._standings = Standings()
        self._sessions: dict[int, Session] = {}
        self._peers: dict[PeerId, Session] = {}
        self._opened = 0
        self._met_one = trio.Event()
        self._met, self._meeting = trio.open_memory_channel[Session](math.inf)
        self._on_frame: dict[Channel, FrameCallback] = {}
        self._on_connected: list[FrameCallback] = []
        self._on_disconnected: list[Callable[[PeerId], None]] = []
        self._exchange = PeerExchange(self._book, self.peers, self._hear)
        self._dialer = Dialer(self.own_id, self._book, self._transport.dial, self.link_of)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: NetworkConfig,
        identity_seed: bytes,
        hello: Callable[[], bytes],
        check_hello: Callable[[PeerId, bytes], str | None],
    ) -> AsyncIterator["Network"]:
        """Open the port; raises ListenFailed, InvalidPeerAddress.

        `hello` gives the first words to a new peer; `check_hello` says why a peer's first words
        are refused, or None.
        """
        network = cls(config, identity_seed, hello, check_hello)
        if config.address_book is not None:
            for address in await trio.to_thread.run_sync(load_addresses, config.address_book):
                network._learn(address)
        network._transport.serve(HELLO_PROTOCOL, network._answer_hello)
        for channel in CHANNELS:
            network._transport.serve(
                protocol_of(channel.name), partial(network._read_channel, channel)
            )
        network.serve(EXCHANGE, network._exchange.answer)
        async with network._transport.listening(config.listen) as locations:
            network.addresses = tuple(f"{each}/p2p/{network.own_id}" for each in locations)
            yield network

    # Registering, before `run`.

    def on_frame(self, channel: Channel, callback: FrameCallback) -> None:
        """Call back for every payload on a channel; must not block, must not raise."""
        assert channel not in self._on_frame, f"{channel.name} is taken"
        self._on_frame[channel] = callback

    def on_connected(self, callback: FrameCallback) -> None:
        """Call back with a new peer and its hello."""
        self._on_connected.append(callback)

    def on_disconnected(self, callback: Callable[[PeerId], None]) -> None:
        """Call back when a peer is gone."""
        self._on_disconnected.append(callback)

    def serve(self, protocol: str, handler: Handler) -> None:
        """Answer requests of a protocol; the handler may raise RequestRefused."""
        self._transport.serve(protocol_of(protocol), partial(self._serve_request, handler))

    # Using.

    def send(self, peer: PeerId, channel: Channel, frame: bytes) -> bool:
        """Queue a payload for a peer; False if it is not connected or its queue refuses."""
        session = self._peers.get(peer)
        return session is not None and session.send(channel, framed(frame))

    def broadcast(self, channel: Channel, frame: bytes) -> int:
        """Queue a payload for every peer; give how many queues took it."""
        once = framed(frame)
        return sum(session.send(channel, once) for session in self._peers.values())

    async def request(self, peer: PeerId, protocol: str, payload: bytes, timeout_s: float) -> bytes:
        """Ask a peer and give its answer; raises RequestFailed, RequestRefused."""
        session = self._peers.get(peer)
        if session is None:
            raise RequestFailed(f"{peer} is not connected")
        answer = await send_request(session.link, protocol_of(protocol), payload, timeout_s)
        session.heard()
        return answer

    def peers(self) -> tuple[PeerId, ...]:
        """Give the connected peers, the longest connected first."""
        return tuple(self._peers)

    def link_of(self, peer: PeerId) -> Link | None:
        """Give the connection to a peer, if there is one."""
        session = self._peers.get(peer)
        return None if session is None else session.link

    def penalise(self, peer: PeerId, points: int, reason: str) -> None:
        """Count a peer's fault; at 100 points it is disconnected and banned for ten minutes."""
        banned = self._standings.penalise(peer, points, trio.current_time())
        fields = {"peer": peer, "points": points, "reason": reason}
        _log.info("peer banned" if banned else "peer at fault", extra=fields)
        if banned:
            for session in list(self._sessions.values()):
                if session.peer == peer:
                    session.end(f"banned: {reason}")

    async def run(self) -> None:
        """Meet peers and keep in touch with known ones, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._dialer.run)
            nursery.start_soon(self._keep_address_book)
            async for session in self._meeting:
                nursery.start_soon(self._run_session, session)

    # Sessions.

    def _meet(self, link: Link) -> None:
        self._opened += 1
        session = Session(link, self._opened, self._config.patience)
        self._sessions[link.key] = session
        self._met.send_nowait(session)
        self._met_one.set()
        self._met_one = trio.Event()

    async def _run_session(self, session: Session) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._abort_at_end, session)
            try:
                if self._standings.is_banned(session.peer, trio.current_time()):
                    raise StreamFailed("banned")
                greeting = await session.exchange_greetings(self._greeting(), HELLO_PROTOCOL)
                refusal = self._admit(session, greeting)
            except StreamFailed as error:
                refusal = str(error)
            if refusal is None:
                ask = partial(self.request, session.peer, EXCHANGE, b"")
                nursery.start_soon(self._exchange.keep_asking, ask)
                await session.serve_channels()
            else:
                session.end(refusal)
            nursery.cancel_scope.cancel()
        self._leave(session)

    async def _abort_at_end(self, session: Session) -> None:
        """End the connection with the session and the session with the connection."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end_with_connection, session)
                await session.over.wait()
                nursery.cancel_scope.cancel()
        finally:
            await session.link.abort()

    async def _end_with_connection(self, session: Session) -> None:
        await session.link.ended.wait()
        session.end("connection ended")

    def _greeting(self) -> bytes:
        own = self._config.announce or tuple(
            PeerAddress.parse(each).location for each in self.addresses
        )
        return GREETING.encode(Greeting(self._hello(), own[:4]))

    def _admit(self, session: Session, received: bytes) -> str | None:
        """Make the session the one with its peer; say why not otherwise."""
        peer = session.peer
        try:
            greeting = GREETING.decode(received)
        except DecodeError as error:
            self.penalise(peer, POINTS_MALFORMED, f"greeting: {error}")
            return "unreadable greeting"
        if peer == self.own_id:
            return "this is ourselves"
        refusal = self._check_hello(peer, greeting.hello)
        if refusal is not None:
            self.penalise(peer, POINTS_OTHER_CHAIN, refusal)
            return refusal
        if len(self._peers) >= self._config.peers_max and peer not in self._book.configured:
            return "no place"
        older = self._peers.get(peer)
        if older is not None:
            if not is_better(self.own_id, peer, session.candidate, older.candidate):
                return "connected already"
            self._leave(older)
            older.end("replaced by a newer connection")
        self._peers[peer] = session
        fields = {"peer": peer, "address": session.link.remote_address}
        _log.info("peer connected", extra=fields)
        for callback in self._on_connected:
            callback(peer, greeting.hello)
        session.heard()
        session.accepted.set()
        self._dialer.arrived()
        self._learn_from(session, greeting)
        return None

    def _leave(self, session: Session) -> None:
        self._sessions.pop(session.link.key, None)
        if self._peers.get(session.peer) is session:
            del self._peers[session.peer]
            fields = {"peer": session.peer, "reason": session.why_over}
            _log.info("peer disconnected", extra=fields)
            for callback in self._on_disconnected:
                callback(session.peer)

    async def _session_of(self, stream: LibraryStream) -> Session:
        """Give the session of a stream; raises StreamFailed if its connection has none in time."""
        with trio.move_on_after(self._config.patience.hello_s):
            while stream.connection_key not in self._sessions:
                await self._met_one.wait()
            return self._sessions[stream.connection_key]
        raise StreamFailed("no session")

    async def _accepted_session_of(self, stream: LibraryStream) -> Session:
        session = await self._session_of(stream)
        with trio.move_on_after(self._config.patience.hello_s):
            await session.accepted.wait()
            return session
        raise StreamFailed("no hello in time")

    # What peers open.

    async def _answer_hello(self, stream: LibraryStream) -> None:
        session = await self._session_of(stream)
        try:
            await session.answer_greeting(stream, self._greeting())
        except StreamFailed as error:
            session.end(f"hello: {error}")

    async def _read_channel(self, channel: Channel, stream: LibraryStream) -> None:
        session = await self._accepted_session_of(stream)
        callback = self._on_frame.get(channel)

        def deliver(payload: bytes) -> None:
            if callback is not None and not session.over.is_set():
                callback(session.peer, payload)

        try:
            await session.read_channel(channel, stream, deliver)
        except FrameTooLong as error:
            self.penalise(session.peer, POINTS_MALFORMED, f"{channel.name}: {error}")
        finally:
            session.end(f"{channel.name} ended")

    async def _serve_request(self, handler: Handler, stream: LibraryStream) -> None:
        session = await self._accepted_session_of(stream)
        if session.serving >= SERVED_AT_ONCE:
            self.penalise(session.peer, POINTS_PUSHY, "too many requests at once")
            await stream.reset()
            return
        session.serving += 1
        try:
            session.heard()
            await answer_request(stream, partial(handler, session.peer))
        finally:
            session.serving -= 1

    # Addresses.

    def _learn_from(self, session: Session, greeting: Greeting) -> None:
        for location in greeting.listens_on:
            host = session.link.remote_address
            family = "ip6" if ":" in host else "ip4"
            seen = location.replace("/ip4/0.0.0.0/", f"/{family}/{host}/")
            try:
                address = PeerAddress.parse(f"{seen}/p2p/{session.peer}")
            except ValueError:
                continue
            self._learn(address)
            return

    def _learn(self, address: PeerAddress) -> None:
        if address.peer != self.own_id and self._book.learn(address):
            self._dialer.learned()

    def _hear(self, address: PeerAddress) -> None:
        if address.peer != self.own_id and self._book.hear(address):
            self._dialer.learned()

    async def _keep_address_book(self) -> None:
        path, saved = self._config.address_book, self._book.learned
        while path is not None:
            await trio.sleep(SAVE_ADDRESSES_EVERY_S)
            if saved != self._book.learned:
                saved = self._book.learned
                try:
                    await trio.to_thread.run_sync(save_addresses, path, saved)
                except OSError as error:
                    _log.warning("address book not saved", extra={"reason": str(error)})
