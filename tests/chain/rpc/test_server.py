"""The server under friendly and hostile clients, over real sockets."""

import json
import os
from contextlib import suppress
from threading import Event
from time import perf_counter

import pytest
import trio
import trio.lowlevel
import trio.testing
from trio_websocket import ConnectionClosed, ConnectionRejected, open_websocket_url

from chain.rpc.limits import RpcLimits
from tests.support.rpc_server import Served, hear, say, serve

PARSE_ERROR = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}}
SMALL = RpcLimits(
    message_bytes_max=4096,
    values_max=200,
    depth_max=8,
    batch_max=3,
    connections_max=3,
    subscriptions_max=2,
    outbox_bytes_max=200_000,
    outbox_messages_max=64,
    request_timeout_s=0.2,
    read_timeout_s=0.3,
    send_timeout_s=0.3,
    idle_timeout_s=0.3,
)


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def _ignoring_resets() -> suppress:
    return suppress(trio.BrokenResourceError)


async def upgraded(served: Served) -> trio.SocketStream:
    """Open a WebSocket that reads only what the test reads."""
    stream = await trio.open_tcp_stream("127.0.0.1", served.server.port)
    await stream.send_all(UPGRADE)
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 101")
    return stream


def text_frame(text: str, first: int = 0x81) -> bytes:
    """Give a masked frame, its mask zero."""
    text = text.ljust(126)
    return bytes((first, 0xFE)) + len(text).to_bytes(2, "big") + bytes(4) + text.encode()


def request(method: str, *params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


async def still_serves(served: Served) -> None:
    assert await served.call("system_chain") == "Local"


def test_answers_over_http_and_websocket() -> None:
    async def talk(served: Served) -> None:
        await still_serves(served)
        async with served.websocket() as socket:
            for id in (0, 5, "text", None):
                await say(socket, "system_name", id=id)
                assert await hear(socket) == {"jsonrpc": "2.0", "id": id, "result": "Noema"}

    serve(talk)


def test_health_and_metrics() -> None:
    async def talk(served: Served) -> None:
        health = await served.http.get(served.url + "health")
        metrics = await served.http.get(served.url + "metrics")
        assert health.json() == {"peers": 1, "isSyncing": False, "shouldHavePeers": True}
        assert (metrics.text, metrics.headers["content-type"]) == (
            "noema_height 0\n",
            "text/plain; version=0.0.4",
        )
        assert (await served.http.get(served.url + "nothing")).status_code == 404
        assert (await served.http.get(served.url)).status_code == 405

    serve(talk)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe\x00", -32700),
        (b'{"id": NaN}', -32700),
        (b'{"id": 1e999}', -32700),
        (b"1" * 4500, -32008),
        (b'{"id": ' + b"1" * 4000 + b"00", -32700),
        (b"[" * 150, -32700),
        (b"[" * 9 + b"]" * 9, -32700),
        (b"[" * 250, -32008),
        (b"[]", -32600),
        (b"5", -32600),
        (b"null", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "system_name"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "system_name", "params": 5}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "system_name"}', -32600),
        (b"[1,2,3,4]", -32010),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "no_such"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "chain_getHeader", "params": [5]}', -32602),
    ],
)
def test_malformed_requests_get_their_code(body: bytes, error: int) -> None:
    async def talk(served: Served) -> None:
        assert (await served.post(body))["error"]["code"] == error
        await still_serves(served)

    serve(talk, SMALL)


def test_batches_answer_in_order_and_notifications_not_at_all() -> None:
    async def talk(served: Served) -> None:
        name = {"jsonrpc": "2.0", "id": "a", "method": "system_name"}
        assert await served.post([name, 1, {"jsonrpc": "2.0", "method": "system_name"}]) == [
            {"jsonrpc": "2.0", "id": "a", "result": "Noema"},
            {
                "jsonrpc": "2.0",
                "id": None,
                "error": {"code": -32600, "message": "Invalid request: a call is an object"},
            },
        ]
        assert await served.post({"jsonrpc": "2.0", "method": "system_name"}) is None

    serve(talk)


def test_answers_that_are_too_long_are_refused_one_by_one() -> None:
    async def talk(served: Served) -> None:
        served.node.chain.states[0].values[b"big"] = bytes(30_000)
        get = {"jsonrpc": "2.0", "method": "state_getStorage", "params": ["0x" + b"big".hex()]}
        answers = await served.post([{**get, "id": 1}, {**get, "id": 2}, 3])
        assert answers[0]["result"] == "0x" + "00" * 30_000
        assert answers[1]["error"]["code"] == -32008
        assert answers[2]["error"]["code"] == -32600

    serve(talk, SMALL)


def test_random_bytes_end_their_connection_only() -> None:
    async def talk(served: Served) -> None:
        for lead in (
            b"",
            b"GET / HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01",
        ):
            stream = await trio.open_tcp_stream("127.0.0.1", served.server.port)
            async with stream:
                await stream.send_all(lead + os.urandom(2000) + b"\r\n\r\n")
                await stream.send_eof()
                with trio.move_on_after(1), _ignoring_resets():
                    while await stream.receive_some():
                        pass
        await still_serves(served)

    serve(talk)


def test_random_websocket_frames_end_their_connection_only() -> None:
    async def talk(served: Served) -> None:
        async with await upgraded(served) as stream:
            with _ignoring_resets():
                await stream.send_all(os.urandom(5000))
                with trio.move_on_after(2) as patience:
                    while await stream.receive_some():
                        pass
            assert not patience.cancelled_caught
        await still_serves(served)

    serve(talk)


def test_a_message_that_is_too_long_closes_the_websocket() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await socket.send_message("x" * 5000)
            with pytest.raises(ConnectionClosed):
                await socket.get_message()
        answer = await served.http.post(served.url, content=b"x" * 5000)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, -32008)
        await still_serves(served)

    serve(talk, SMALL)


def test_connections_are_limited_and_come_back() -> None:
    async def talk(served: Served) -> None:
        streams = [await trio.open_tcp_stream("127.0.0.1", served.server.port) for _ in range(3)]
        await trio.testing.wait_all_tasks_blocked(0.05)
        extra = await trio.open_tcp_stream("127.0.0.1", served.server.port)
        with trio.fail_after(1), _ignoring_resets():
            assert await extra.receive_some() == b""
        for stream in streams:
            with trio.fail_after(2):
                assert await stream.receive_some() == b""
        await still_serves(served)

    serve(talk, SMALL)


def test_a_client_that_leaves_frees_its_place_at_once() -> None:
    async def talk(served: Served) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", served.server.port)
        await trio.sleep(0.05)
        assert served.server.connections == 1
        await stream.aclose()
        async with served.websocket() as socket:
            await say(socket, "system_name")
            await hear(socket)
        await still_serves(served)
        await served.http.aclose()
        await trio.sleep(0.1)
        assert served.server.connections == 0

    serve(talk)


def test_a_body_that_never_comes_is_not_waited_for() -> None:
    async def talk(served: Served) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", served.server.port)
        await stream.send_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        with trio.fail_after(2):
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 408")
        await still_serves(served)

    serve(talk, SMALL)


def test_only_the_root_path_speaks_websocket() -> None:
    async def talk(served: Served) -> None:
        with pytest.raises(ConnectionRejected):
            async with open_websocket_url(f"ws://127.0.0.1:{served.server.port}/other"):
                pass

    serve(talk)


def test_a_slow_reader_is_dropped_and_the_others_are_served() -> None:
    async def talk(served: Served) -> None:
        stream = await upgraded(served)
        await stream.send_all(text_frame(request("state_subscribeStorage", ["0x" + b"big".hex()])))
        await trio.sleep(0.1)
        assert served.server.connections == 1
        for number in range(200):
            served.node.chain.grow(big=number.to_bytes(4, "little") * 10_000)
            await trio.lowlevel.checkpoint()
            if served.server.connections == 0:
                break
        await trio.sleep(0.5)
        assert served.server.connections == 0
        await still_serves(served)

    serve(talk, SMALL)


def test_a_flood_of_fragments_is_cut_off() -> None:
    async def talk(served: Served) -> None:
        stream = await upgraded(served)
        await stream.send_all(text_frame("x" * 1000, first=0x01))
        with trio.fail_after(3), _ignoring_resets():
            while True:
                await stream.send_all(text_frame("x" * 1000, first=0x00))
        await still_serves(served)

    serve(talk, SMALL)


def test_our_own_mistakes_are_internal_errors() -> None:
    async def talk(served: Served) -> None:
        def crash() -> int:
            raise ZeroDivisionError

        served.node.peers.highest_block = crash  # type: ignore[method-assign]
        assert await served.call("system_health") == {"code": -32603, "message": "Internal error"}
        await still_serves(served)

    serve(talk)


def test_a_call_that_takes_too_long_is_answered() -> None:
    async def talk(served: Served) -> None:
        async def forever(*_: object) -> bytes:
            await trio.sleep_forever()
            raise AssertionError

        served.node.pool.submit = forever  # type: ignore[method-assign]
        error = await served.call("author_submitExtrinsic", "0x00")
        assert error == {"code": -32001, "message": "The call took longer than 0.2 s"}

    serve(talk, SMALL)


def test_shutdown_is_prompt_with_open_connections() -> None:
    async def talk(served: Served) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", served.server.port)
        await stream.send_all(b"POST / HTTP/1.1\r\n")

    before = perf_counter()
    serve(talk)
    assert perf_counter() - before < 5


def test_json_text_of_a_batch_is_json() -> None:
    async def talk(served: Served) -> None:
        body = json.dumps([{"jsonrpc": "2.0", "id": n, "method": "system_name"} for n in (1, 2)])
        answer = await served.http.post(served.url, content=body)
        assert answer.headers["content-type"] == "application/json"
        assert [each["id"] for each in answer.json()] == [1, 2]

    serve(talk)


def test_a_long_computation_holds_up_nothing_but_other_computations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = Event(), Event()

    def slow(block_hash: bytes) -> None:
        begun.set()
        assert go_on.wait(10)

    async def talk(served: Served) -> None:
        monkeypatch.setattr(served.node.chain, "header", slow)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(served.call, "chain_getHeader")
            assert await trio.to_thread.run_sync(begun.wait, 10)
            health = await served.http.get(served.url + "health")
            assert (health.status_code, await served.call("system_name")) == (200, "Noema")
            go_on.set()

    serve(talk)
