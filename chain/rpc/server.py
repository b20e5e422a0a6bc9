"""The server: accepts connections, gives each to hypercorn, keeps them from harming the node."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import Any, Final

import trio
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.utils import wrap_app

from chain.rpc.application import Application
from chain.rpc.dispatch import Dispatcher
from chain.rpc.guarded_stream import GuardedStream
from chain.rpc.limits import RpcLimits
from chain.rpc.methods import METHODS
from chain.rpc.ports import Ports

_log = logging.getLogger(__name__)

_BACKLOG: Final = 128


class RpcServer:
    """JSON-RPC on one port.  `open` binds it, `run` serves until cancelled."""

    name = "rpc"

    def __init__(
        self, ports: Ports, listeners: Sequence[trio.SocketListener], limits: RpcLimits
    ) -> None:
        self._limits = limits
        self._listeners = listeners
        self._app = Application(Dispatcher(ports, METHODS, limits), limits)
        self._open: dict[int, GuardedStream] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, ports: Ports, host: str, port: int, limits: RpcLimits | None = None
    ) -> AsyncIterator["RpcServer"]:
        """Bind the port (0 takes a free one); raises OSError where it is taken."""
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=_BACKLOG)
        try:
            yield cls(ports, listeners, limits or RpcLimits())
        finally:
            for listener in listeners:
                await listener.aclose()

    @property
    def port(self) -> int:
        """Give the port that is bound."""
        number: int = self._listeners[0].socket.getsockname()[1]
        return number

    @property
    def connections(self) -> int:
        """Give how many clients are connected."""
        return len(self._open)

    async def run(self) -> None:
        """Serve until cancelled."""
        serve = partial(self._serve, self._config(), WorkerContext(None))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._abort_when_cancelled)
            nursery.start_soon(trio.serve_listeners, serve, self._listeners)

    async def _abort_when_cancelled(self) -> None:
        """Close every connection on shutdown: hypercorn shields its writes."""
        try:
            await trio.sleep_forever()
        finally:
            for stream in tuple(self._open.values()):
                stream.abort()

    async def _serve(self, config: Any, context: Any, stream: trio.SocketStream) -> None:
        """Serve one client.  The border: whatever it provokes ends its connection only."""
        if len(self._open) >= self._limits.connections_max:
            return await trio.aclose_forcefully(stream)
        stream.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
        # Once the client is gone nothing of its connection stays: hypercorn would keep it for as
        # long as an idle one.
        scope = trio.CancelScope()
        guarded = GuardedStream(stream, self._limits.send_timeout_s, scope.cancel)
        self._open[id(guarded)] = guarded
        try:
            with scope:
                await TCPServer(wrap_app(self._app, 0, "asgi"), config, context, {}, guarded)
        except Exception as error:
            _log.warning("connection dropped: %s", repr(error)[:200])
        finally:
            del self._open[id(guarded)]
            await trio.aclose_forcefully(stream)

    def _config(self) -> Any:
        config = Config()
        config.accesslog = None
        config.errorlog = logging.getLogger("chain.rpc.hypercorn")
        config.websocket_max_message_size = self._limits.message_bytes_max
        config.keep_alive_timeout = self._limits.idle_timeout_s
        config.keep_alive_max_requests = 1_000_000
        config.include_server_header = False
        return config
