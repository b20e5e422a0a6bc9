"""The synchronous client against servers that answer anything."""

from typing import Any

import httpx
import pytest

from chain.rpc.client import Client, NodeUnreachable, http_url
from chain.rpc.json_rpc import RpcError


def client_of(answer: Any) -> Client:
    """Give a client whose node answers with a value, or as a function does."""

    def handle(request: httpx.Request) -> httpx.Response:
        return answer(request) if callable(answer) else httpx.Response(200, json=answer)

    return Client("ws://node:1", httpx.MockTransport(handle))


def test_a_result_and_what_was_asked() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url), request.content))
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": [1]})

    with client_of(handle) as client:
        assert client.request("m", (1, "x")) == [1]
    assert asked == [
        ("http://node:1/", b'{"jsonrpc": "2.0", "id": 1, "method": "m", "params": [1, "x"]}')
    ] or asked == [
        ("http://node:1", b'{"jsonrpc": "2.0", "id": 1, "method": "m", "params": [1, "x"]}')
    ]


def test_an_error_keeps_code_message_and_data() -> None:
    error = {"code": 1010, "message": "Invalid", "data": "why"}

    with pytest.raises(RpcError) as refused:
        client_of({"id": 1, "error": error}).request("m")

    assert refused.value.to_json() == error


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def _slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    "answer",
    [
        _refuse,
        _slow,
        lambda request: httpx.Response(502, text="<html>"),
        lambda request: httpx.Response(200, content=b"\xff\xff"),
        [],
        {"id": 1},
        {"id": 1, "error": "text"},
    ],
)
def test_what_is_no_node(answer: Any) -> None:
    with pytest.raises(NodeUnreachable):
        client_of(answer).request("m")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("ws://a:1", "http://a:1"),
        ("wss://a", "https://a"),
        ("a:1", "http://a:1"),
        ("https://a/x", "https://a/x"),
    ],
)
def test_addresses_in_every_spelling(written: str, url: str) -> None:
    assert http_url(written) == url
