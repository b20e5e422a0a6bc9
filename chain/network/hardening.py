"""Repairs around py-libp2p 0.8.1, from outside; the only file that touches its private names.

Each repair has a test that fails when the library changes.  What they have in common: whatever
comes in costs its sender the connection, never the process and never other peers.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.network.connection import swarm_connection
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.stream_muxer import muxer_multistream
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.tcp import tcp

from chain.network.failures import StreamFailed
from chain.network.peers import Doorman

LIBRARY_VERSION: Final = "0.8.1"
"""What the repairs were written for and are tested with."""

WINDOW_BYTES: Final = 1024 * 1024
"""What a peer may send on one stream before we read it."""

CONNECTION_BUFFER_BYTES: Final = 16 * 1024 * 1024
"""What a peer may send on all its streams before we read it."""

STREAMS_PER_CONNECTION: Final = 128

FRAME_WRITE_S: Final = 10.0
"""A peer that does not take 64 KiB in this time is gone."""

HANDLER_GRACE_S: Final = 1.0
"""How long a stream's handler may outlive its connection."""

_PEER_CAUSED: Final = (BaseLibp2pError, StreamFailed, UnicodeError, OSError)
"""Errors that a peer can cause by what it sends or by going away."""

_log = logging.getLogger("noema.network.libp2p")

StreamHandler = Callable[[Any], Awaitable[None]]


class _Buffer(bytearray):
    """Unread bytes of one stream; refuses what the window did not allow."""

    owner: "_Buffers"

    def extend(self, received: Any) -> None:
        self.owner.check(len(self) + len(received), len(received))
        super().extend(received)


class _Buffers(dict[int, bytearray]):
    """Unread bytes of one connection by stream."""

    def __init__(self, on_overrun: Callable[[], None]) -> None:
        super().__init__()
        self._on_overrun = on_overrun

    def __setitem__(self, stream_id: int, buffer: bytearray) -> None:
        own = _Buffer(buffer)
        own.owner = self
        super().__setitem__(stream_id, own)

    def check(self, on_stream: int, more: int) -> None:
        """End the connection if the peer sent more than it was allowed to."""
        if on_stream > WINDOW_BYTES or sum(map(len, self.values())) + more > (
            CONNECTION_BUFFER_BYTES
        ):
            self._on_overrun()
            raise ConnectionClosedError("the peer sent more than its window allows")


class SteadyYamux(yamux.Yamux):  # type: ignore[misc]
    """Yamux that writes whole frames, enforces its window, and fails alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stream_buffers = _Buffers(self.event_shutting_down.set)

    async def start(self) -> None:
        """Serve the connection; an error ends it and nothing else."""
        try:
            await super().start()
        except Exception:
            _log.debug("connection ended by an error", exc_info=True)
            await self._cleanup_on_error()

    async def handle_incoming(self) -> None:
        """Read frames until the connection ends, however it ends."""
        await super().handle_incoming()
        if not self.event_closed.is_set():
            await self._cleanup_on_error()

    async def _write_frame(self, frame: bytes) -> None:
        # Half a frame, or one encrypted and not sent, would end the connection: never cancelled.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + FRAME_WRITE_S) as in_time:
            async with self._write_lock:
                await self.secured_conn.write(frame)
        if in_time.cancelled_caught:
            with trio.CancelScope(shield=True):
                await self.secured_conn.close()
            raise ConnectionClosedError("connection closed: the peer does not read")
        await trio.lowlevel.checkpoint()


async def _grant_window(stream: Any, *, bytes_read: int = 0) -> None:
    """Allow the peer a constant window, in steps of half of it."""
    if stream.closed or stream.recv_closed:
        return
    unread = len(stream.conn.stream_buffers.get(stream.stream_id, b""))
    step = WINDOW_BYTES - stream.recv_window - unread
    if step >= WINDOW_BYTES // 2:
        stream.recv_window += step
        await stream.send_window_update(step, skip_lock=True)


_handle_muxed_stream = swarm_connection.SwarmConn._handle_muxed_stream


async def _handle_bounded(connection: Any, muxed_stream: Any) -> None:
    """Handle a stream unless there are too many; stop when the connection has ended."""
    if len(connection.streams) >= STREAMS_PER_CONNECTION:
        await _reset_quietly(muxed_stream)
        return

    async def stop_after_end() -> None:
        await connection.event_closed.wait()
        await trio.sleep(HANDLER_GRACE_S)
        nursery.cancel_scope.cancel()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop_after_end)
            await _handle_muxed_stream(connection, muxed_stream)
            nursery.cancel_scope.cancel()
    except Exception:
        _log.debug("stream ended by an error", exc_info=True)
        await _reset_quietly(muxed_stream)


async def _reset_quietly(stream: Any) -> None:
    try:
        await stream.reset()
    except Exception as error:
        _log.debug("reset failed: %r", error)


def _allow_address_reuse_only(sock: Any) -> None:
    """Let a restart take its port back, but not two nodes share one."""
    sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_REUSEADDR, 1)


class _Demoted(logging.Handler):
    """Turns the library's records into one debug line each: peers can cause them at will."""

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage().partition("\n")[0]
        _log.debug("%s: %s", record.name, line)


def install() -> None:
    """Repair the library for this process; repeating it changes nothing."""
    muxer_multistream.Yamux = SteadyYamux
    yamux.MAX_WINDOW_SIZE = WINDOW_BYTES
    yamux.YamuxStream._auto_tune_and_send_window_update = _grant_window
    swarm_connection.SwarmConn._handle_muxed_stream = _handle_bounded
    tcp._set_reuse_flags = _allow_address_reuse_only
    quiet = logging.getLogger("libp2p")
    quiet.handlers = [_Demoted()]
    quiet.setLevel(logging.ERROR)
    quiet.propagate = False
    logging.getLogger("multiaddr").setLevel(logging.WARNING)
    # This module logs through the root logger, which would print and set up a handler of its own.
    swarm_connection.logging = logging.getLogger("libp2p.network.connection")


def _forget_at_once(peer: Any) -> None:
    """Keep no record of a peer that went away: there is no end of new identities."""


def guarded(handler: StreamHandler) -> StreamHandler:
    """Give a stream handler whose errors end the stream instead of the process."""

    async def handle(stream: Any) -> None:
        try:
            await handler(stream)
        except _PEER_CAUSED as error:
            _log.debug("stream ended: %r", error)
            await _reset_quietly(stream)
        except Exception:
            logging.getLogger("noema.network").exception("a stream ended by a mistake of our own")
            await _reset_quietly(stream)

    return handle


def harden_swarm(swarm: Any, doorman: Doorman) -> None:
    """Repair one swarm before it runs: slots, handlers, nothing dialled by itself."""

    async def dial_nobody() -> None:
        await trio.lowlevel.checkpoint()

    async def accept(socket: Any, listener: Any) -> None:
        address = (socket.get_remote_address() or ("", 0))[0]
        if not doorman.admit(address):
            await socket.close()
            return
        try:
            ended = await _upgrade(swarm, socket, listener, doorman)
            if ended is not None:
                await ended.wait()
        finally:
            doorman.release(address)

    swarm.auto_connector.maybe_connect = dial_nobody
    swarm.auto_connector.record_disconnect = _forget_at_once
    swarm._handle_inbound_connection = accept
    swarm.set_stream_handler(guarded(swarm.common_stream_handler))
    swarm.set_resource_manager(None)
    swarm.notifees[:] = [each for each in swarm.notifees if "Identify" not in type(each).__name__]


async def _upgrade(swarm: Any, socket: Any, listener: Any, doorman: Doorman) -> trio.Event | None:
    """Take an accepted socket through its handshakes; give the event of its end."""
    raw = RawConnection(socket, False)
    try:
        connection = await swarm.upgrade_inbound_raw_conn(raw, listener)
    except Exception as error:
        _log.debug("incoming connection refused: %r", error)
        await raw.close()
        return None
    finally:
        doorman.settle()
    ended: trio.Event = connection.event_closed
    return ended


async def abort(connection: Any) -> None:
    """End a connection at once, even while a write waits for its peer."""
    with trio.CancelScope(shield=True):
        try:
            await connection.muxed_conn.secured_conn.close()
            await connection.close()
        except Exception as error:
            _log.debug("closing failed: %r", error)
