"""Subscriptions over a WebSocket."""

import json

import trio

from chain.primitives.extrinsic import extrinsic_hash
from chain.rpc.limits import RpcLimits
from tests.support.rpc_server import Served, hear, say, serve


def hex_of(data: bytes) -> str:
    return "0x" + data.hex()


def test_the_answer_comes_first_then_every_head_in_order() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "chain_subscribeFinalizedHeads", id="a")
            answer = await hear(socket)
            subscription = answer.pop("result")
            assert answer == {"jsonrpc": "2.0", "id": "a"}
            first = await hear(socket)
            assert first["method"] == "chain_finalizedHead"
            assert first["params"]["subscription"] == subscription
            assert first["params"]["result"]["number"] == "0x0"
            for _ in range(3):
                served.node.chain.grow()
            told = [(await hear(socket))["params"]["result"]["number"] for _ in range(3)]
            assert told == ["0x1", "0x2", "0x3"]

    serve(talk)


def test_unsubscribing_ends_the_messages() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "chain_subscribeNewHead")
            subscription = (await hear(socket))["result"]
            await hear(socket)
            for expected in (True, False):
                await say(socket, "chain_unsubscribeNewHead", subscription)
                assert (await hear(socket))["result"] is expected
            served.node.chain.grow()
            await say(socket, "system_name")
            assert (await hear(socket))["result"] == "Noema"

    serve(talk)


def test_storage_is_told_when_it_changes() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "state_subscribeStorage", ["0x61", "0x62"])
            await hear(socket)
            first = (await hear(socket))["params"]["result"]
            assert first["changes"] == [["0x61", "0x31"], ["0x62", "0x32"]]
            served.node.chain.grow()
            head = served.node.chain.grow(b=b"9")
            assert (await hear(socket))["params"]["result"] == {
                "block": hex_of(head.hash),
                "changes": [["0x62", "0x39"]],
            }
            await say(socket, "state_subscribeStorage", [])
            assert (await hear(socket))["error"]["code"] == -32602

    serve(talk)


def test_the_runtime_version_is_told_once() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "state_subscribeRuntimeVersion")
            await hear(socket)
            assert (await hear(socket))["params"]["result"]["specName"] == "noema"
            served.node.chain.grow()
            await say(socket, "system_name")
            assert (await hear(socket))["result"] == "Noema"

    serve(talk)


def test_a_watched_transaction_becomes_final() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "author_submitAndWatchExtrinsic", hex_of(b"future"))
            await hear(socket)
            assert (await hear(socket))["params"]["result"] == "future"
            served.node.pool.waiting[extrinsic_hash(b"future")] = b"ready now"
            served.node.chain.grow()
            assert (await hear(socket))["params"]["result"] == "ready"
            head = served.node.chain.grow(b"future")
            assert (await hear(socket))["params"]["result"] == {"inBlock": hex_of(head.hash)}
            final = await hear(socket)
            assert final["method"] == "author_extrinsicUpdate"
            assert final["params"]["result"] == {"finalized": hex_of(head.hash)}
            await say(socket, "author_unwatchExtrinsic", final["params"]["subscription"])
            assert (await hear(socket))["result"] is False

    serve(talk)


def test_a_watched_transaction_that_is_dropped_or_refused() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            await say(socket, "author_submitAndWatchExtrinsic", hex_of(b"bad"))
            assert (await hear(socket))["error"]["code"] == 1010
            await say(socket, "author_submitAndWatchExtrinsic", hex_of(b"ok"))
            await hear(socket)
            assert (await hear(socket))["params"]["result"] == "ready"
            served.node.pool.waiting.clear()
            served.node.chain.grow()
            assert (await hear(socket))["params"]["result"] == "dropped"

    serve(talk)


def test_subscriptions_are_limited_and_end_with_the_connection() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            for code in (None, None, -32006):
                await say(socket, "state_subscribeRuntimeVersion", id="s")
                while (message := await hear(socket)).get("id") != "s":
                    pass
                assert message.get("error", {}).get("code") == code
        await trio.sleep(0.05)
        assert served.server.connections == 0

    serve(talk, RpcLimits(subscriptions_max=2))


def test_a_slow_call_does_not_hold_up_others() -> None:
    async def talk(served: Served) -> None:
        async def slow(encoded: bytes) -> bytes:
            await trio.sleep(0.3)
            return extrinsic_hash(encoded)

        served.node.pool.submit = slow  # type: ignore[method-assign]
        async with served.websocket() as socket:
            await say(socket, "author_submitExtrinsic", "0x00", id="slow")
            await say(socket, "system_name", id="fast")
            assert [(await hear(socket))["id"] for _ in range(2)] == ["fast", "slow"]

    serve(talk)


def test_a_batch_may_subscribe() -> None:
    async def talk(served: Served) -> None:
        async with served.websocket() as socket:
            call = {"jsonrpc": "2.0", "id": 1, "method": "chain_subscribeNewHeads", "params": []}
            await socket.send_message(json.dumps([call, {**call, "id": 2}]))
            answers = await hear(socket)
            assert [each["id"] for each in answers] == [1, 2]
            told = {(await hear(socket))["params"]["subscription"] for _ in range(2)}
            assert told == {each["result"] for each in answers}

    serve(talk)
