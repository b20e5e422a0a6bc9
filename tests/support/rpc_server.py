"""A real RPC server on a free port over fake ports, and plain talk with it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from chain.rpc.limits import RpcLimits
from chain.rpc.server import RpcServer
from tests.support.rpc_ports import FakeNode

Talk = Callable[["Served"], Awaitable[None]]


class Served:
    """A running server and its node."""

    def __init__(self, node: FakeNode, server: RpcServer, http: httpx.AsyncClient) -> None:
        self.node = node
        self.server = server
        self.http = http
        self.url = f"http://127.0.0.1:{server.port}/"

    async def post(self, body: Any) -> Any:
        """Post a value or raw bytes, and give the parsed answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.http.post(self.url, content=content)
        return answer.json() if answer.content else None

    async def call(self, method: str, *params: Any) -> Any:
        """Call a method and give its result, or its error object."""
        answer = await self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        assert answer.pop("jsonrpc") == "2.0"
        assert answer.pop("id") == 7
        return answer["result"] if "result" in answer else answer["error"]

    def websocket(self) -> Any:
        """Open a WebSocket, as an async context manager."""
        return open_websocket_url(f"ws://127.0.0.1:{self.server.port}/")


def serve(talk: Talk, limits: RpcLimits | None = None) -> None:
    """Run a server while `talk` talks to it; fails if the server ends first."""

    async def main() -> None:
        with trio.fail_after(15):
            node = FakeNode()
            async with (
                RpcServer.open(node.ports, "127.0.0.1", 0, limits) as server,
                httpx.AsyncClient(timeout=10, verify=False, trust_env=False) as http,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(server.run)
                await talk(Served(node, server, http))
                nursery.cancel_scope.cancel()

    trio.run(main)


async def say(socket: WebSocketConnection, method: str, *params: Any, id: Any = 1) -> None:
    """Send a request on a WebSocket."""
    request = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    await socket.send_message(json.dumps(request))


async def hear(socket: WebSocketConnection) -> Any:
    """Give the next message of a WebSocket."""
    return json.loads(await socket.get_message())
