"""The ASGI application: JSON-RPC by POST and WebSocket on /, GET /health, GET /metrics."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import trio

from chain.rpc.dispatch import Dispatcher
from chain.rpc.json_rpc import INVALID_REQUEST, TOO_BIG, Request, RpcError, dump, refusal
from chain.rpc.limits import RpcLimits
from chain.rpc.methods.system import health_of
from chain.rpc.registry import Method
from chain.rpc.session import Session

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_SHUTTING_DOWN: Final = 1001


class Application:
    """Routes what hypercorn hands in; knows HTTP words, no JSON-RPC ones."""

    def __init__(self, dispatcher: Dispatcher, limits: RpcLimits) -> None:
        self._dispatcher = dispatcher
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["method"], scope["path"]:
            case _ if not scope["http_version"].startswith("1"):
                await _respond(send, 505, b"HTTP/1.1 only\n", _TEXT)
            case "POST", "/":
                await self._post(receive, send)
            case "GET", "/health":
                body = json.dumps(health_of(self._dispatcher.ports)).encode()
                await _respond(send, 200, body, JSON)
            case "GET", "/metrics":
                body, content_type = self._dispatcher.ports.metrics()
                await _respond(send, 200, body, content_type)
            case "OPTIONS", _:
                await _respond(send, 204, b"", _TEXT)
            case _, "/" | "/health" | "/metrics":
                await _respond(send, 405, b"POST JSON-RPC to /, GET /health or /metrics\n", _TEXT)
            case _:
                await _respond(send, 404, b"There are /, /health and /metrics\n", _TEXT)

    async def _post(self, receive: Receive, send: Send) -> None:
        try:
            with trio.fail_after(self._limits.read_timeout_s):
                body = await _body(receive, self._limits.message_bytes_max)
        except trio.TooSlowError:
            return await _respond(send, 408, b"The request did not arrive in time\n", _TEXT)
        if body is None:
            error = RpcError(TOO_BIG, f"At most {self._limits.message_bytes_max} bytes")
            return await _respond(send, 413, dump(refusal(None, error)).encode(), JSON)
        text = await self._dispatcher.answer_message(body, _no_subscription, lambda _: False)
        await _respond(send, 200 if text else 204, (text or "").encode(), JSON)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if not scope["http_version"].startswith("1") or scope["path"] != "/":
            return await send({"type": "websocket.close"})
        await send({"type": "websocket.accept"})
        session = Session(self._dispatcher, self._limits, f"client {scope.get('client')}")

        async def next_message() -> str | bytes | None:
            event = await receive()
            if event["type"] != "websocket.receive":
                return None
            text: str | None = event.get("text")
            content: bytes | None = event.get("bytes")
            return content if text is None else text

        async def write(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        await session.run(next_message, write)
        await send({"type": "websocket.close", "code": _SHUTTING_DOWN})


async def _body(receive: Receive, bytes_max: int) -> bytes | None:
    """Give the whole body, None if it is too long or the client left."""
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        body += event.get("body", b"")
        if len(body) > bytes_max:
            return None
        if not event.get("more_body", False):
            return bytes(body)


async def _no_subscription(method: Method, call: Request) -> Any:
    raise RpcError(INVALID_REQUEST, f"{method.name} needs a WebSocket")


async def _respond(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if status in (408, 413, 505):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
