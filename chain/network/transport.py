"""Encrypted connections and streams by py-libp2p: listening, dialling, opening, nothing more."""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import libp2p
import trio
from libp2p.abc import INotifee
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_new_noise_key
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.peer.id import ID
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr

from chain.network import hardening
from chain.network.addresses import PeerAddress
from chain.network.failures import DialFailed, ListenFailed, StreamFailed
from chain.network.peers import Doorman, PeerId

READ_BYTES: Final = 64 * 1024
"""Asked for in one read."""

UPGRADE_S: Final = 5
"""Longest time for the handshakes of a connection or a stream."""

_FAILURES: Final = (BaseLibp2pError, ValueError, OSError, trio.TooSlowError)
_log = logging.getLogger("noema.network")


class Stream(Protocol):
    """One direction-neutral byte stream to a peer."""

    async def read(self, count: int) -> bytes:
        """Give up to `count` bytes; raises StreamFailed at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of it; raises StreamFailed."""
        ...

    async def close(self) -> None:
        """Send no more."""
        ...

    async def reset(self) -> None:
        """Forget the stream at once."""
        ...


class LibraryStream:
    """A stream of the library, with one error class."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.connection_key = id(stream.muxed_conn)
        """Tells connections apart, also two with the same peer."""

    async def read(self, count: int) -> bytes:
        """Give up to `count` bytes; raises StreamFailed at the end."""
        try:
            received: bytes = await self._stream.read(count)
        except _FAILURES as error:
            raise StreamFailed(str(error)) from error
        if not received:
            raise StreamFailed("ended")
        return received

    async def write(self, data: bytes) -> None:
        """Send all of it; raises StreamFailed."""
        try:
            await self._stream.write(data)
        except _FAILURES as error:
            raise StreamFailed(str(error)) from error

    async def close(self) -> None:
        """Send no more."""
        try:
            await self._stream.close()
        except _FAILURES as error:
            raise StreamFailed(str(error)) from error

    async def reset(self) -> None:
        """Forget the stream at once."""
        try:
            await self._stream.reset()
        except _FAILURES as error:
            _log.debug("reset failed: %r", error)


class Link:
    """One connection to one peer whose key has been proved."""

    def __init__(self, host: Any, connection: Any) -> None:
        self._host = host
        self._connection = connection
        self.peer: PeerId = str(connection.muxed_conn.peer_id)
        self.key = id(connection.muxed_conn)
        self.is_inbound: bool = not connection.muxed_conn.is_initiator
        address = connection.muxed_conn.get_remote_address()
        self.remote_address: str = address[0] if address else ""
        self.ended: trio.Event = connection.event_closed

    async def open_stream(self, protocol: str) -> Stream:
        """Open a stream of a protocol; raises StreamFailed, also where the peer has none such."""
        stream = None
        try:
            with trio.fail_after(UPGRADE_S):
                stream = await self._connection.new_stream()
                await self._host.multiselect_client.select_one_of(
                    [TProtocol(protocol)], MultiselectCommunicator(stream), UPGRADE_S
                )
        except _FAILURES as error:
            if stream is not None:
                await LibraryStream(stream).reset()
            raise StreamFailed(f"{protocol}: {error}") from error
        return LibraryStream(stream)

    async def abort(self) -> None:
        """End the connection at once, whatever is being written."""
        await hardening.abort(self._connection)


class _OnConnected(INotifee):  # type: ignore[misc]
    """Hears of every connection, in either direction."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self._hear = hear

    async def connected(self, network: Any, connection: Any) -> None:
        self._hear(connection)

    async def disconnected(self, network: Any, connection: Any) -> None: ...

    async def opened_stream(self, network: Any, stream: Any) -> None: ...

    async def closed_stream(self, network: Any, stream: Any) -> None: ...

    async def listen(self, network: Any, address: Any) -> None: ...

    async def listen_close(self, network: Any, address: Any) -> None: ...


class Transport:
    """An open port, and connections from and to it."""

    def __init__(
        self, identity_seed: bytes, doorman: Doorman, on_link: Callable[[Link], None]
    ) -> None:
        assert len(identity_seed) == 32, "an identity is an ed25519 seed of 32 bytes"
        hardening.install()
        self._host = _create_host(identity_seed, doorman)
        self._swarm = self._host.get_network()
        self._swarm.register_notifee(
            _OnConnected(lambda connection: on_link(Link(self._host, connection)))
        )
        self.own_id: PeerId = str(self._host.get_id())

    def serve(self, protocol: str, handler: Callable[[LibraryStream], Awaitable[None]]) -> None:
        """Hand every stream that a peer opens for a protocol to a handler."""

        async def handle(stream: Any) -> None:
            await handler(LibraryStream(stream))

        self._host.set_stream_handler(TProtocol(protocol), handle)

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[tuple[str, ...]]:
        """Open the port and give the addresses it has; raises ListenFailed."""
        try:
            listen_on = Multiaddr(address)
        except ValueError as error:
            raise ListenFailed(f"{address} is no address such as /ip4/0.0.0.0/tcp/30333") from error
        async with self._host.run([listen_on]):
            try:
                addresses = tuple(str(each) for each in self._host.get_transport_addrs())
                if addresses:
                    yield addresses
            finally:
                with trio.CancelScope(shield=True):
                    for connection in self._swarm.get_connections():
                        await hardening.abort(connection)
                    await self._host.close()
        if not addresses:
            raise ListenFailed(f"{address} cannot be opened: is another node on this port?")

    async def dial(self, address: PeerAddress) -> None:
        """Connect; the link arrives at `on_link`.  Raises DialFailed."""
        try:
            with trio.fail_after(UPGRADE_S):
                location = await _resolve(address.location)
                await self._swarm.dial_addr(Multiaddr(location), ID.from_string(address.peer))
        except _FAILURES as error:
            raise DialFailed(f"{address}: {error}") from error


async def _resolve(location: str) -> str:
    """Put an IP address for a name, as the system resolves it: /etc/hosts counts too."""
    _, family, name, _, port = location.split("/")
    if not family.startswith("dns"):
        return location
    wanted = trio.socket.AF_INET6 if family == "dns6" else trio.socket.AF_INET
    found = await trio.socket.getaddrinfo(name, int(port), wanted, trio.socket.SOCK_STREAM)
    return f"/ip{family[-1]}/{found[0][4][0]}/tcp/{port}"


def _create_host(identity_seed: bytes, doorman: Doorman) -> Any:
    key = create_new_key_pair(identity_seed)
    most = doorman.total_max + 256
    swarm = libp2p.new_swarm(
        key_pair=key,
        sec_opt={TProtocol(NOISE): Noise(key, noise_privkey=create_new_noise_key().private_key)},
        muxer_opt={TProtocol(YAMUX): Yamux},
        retry_config=RetryConfig(max_retries=0),
        connection_config=ConnectionConfig(
            max_connections=most,
            high_watermark=most,
            min_connections=0,
            low_watermark=0,
            dial_timeout=UPGRADE_S,
            inbound_upgrade_timeout=UPGRADE_S,
            outbound_upgrade_timeout=UPGRADE_S,
            inbound_stream_protocol_negotiation_timeout=UPGRADE_S,
            outbound_stream_protocol_negotiation_timeout=UPGRADE_S,
        ),
    )
    host = BasicHost(
        swarm,
        default_protocols=OrderedDict({TProtocol("/noema/none/1"): _refuse}),
        disable_identify_address_discovery=True,
    )
    hardening.harden_swarm(swarm, doorman)
    return host


async def _refuse(stream: Any) -> None:
    await stream.reset()
