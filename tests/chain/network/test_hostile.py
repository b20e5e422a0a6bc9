"""What comes in costs its sender, never the process and never the others."""

import os
import random
from contextlib import suppress
from typing import Any

import pytest
import trio

from chain.network import TRANSACTIONS, VOTES, Network
from chain.network.failures import StreamFailed
from chain.network.frames import framed
from chain.network.host import SERVED_AT_ONCE
from chain.network.session import Patience


def port_of(network: Network) -> int:
    return int(network.addresses[0].split("/")[4])


async def assert_works(running: Any, until: Any, network: Network) -> None:
    """A well-behaved node can connect and be heard."""
    async with running(77, (network,)) as guest:
        await until(lambda: guest.own_id in network.peers() and guest.peers(), seconds=8)
        assert network.send(guest.own_id, VOTES, b"still here")


async def assert_cut(stream: Any) -> None:
    with pytest.raises(StreamFailed), trio.fail_after(3):
        await stream.read(1000)


def test_random_bytes_on_the_port(running: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1) as network:
            for length in (1, 20, 1000, 70_000):
                socket = await trio.open_tcp_stream("127.0.0.1", port_of(network))
                try:
                    await socket.send_all(os.urandom(length))
                    await socket.send_eof()
                except trio.BrokenResourceError:
                    pass
                await socket.aclose()
            await assert_works(running, until, network)

    trio.run(main)


def test_half_open_connections_fill_only_their_share(running: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1, inbound_per_address_max=6) as network:
            idle = [await trio.open_tcp_stream("127.0.0.1", port_of(network)) for _ in range(12)]
            refused = 0
            for socket in idle:
                with trio.move_on_after(0.1):
                    while received := await socket.receive_some(100):
                        assert received
                    refused += 1
            assert refused == 6
            for socket in idle:
                await socket.aclose()
            await assert_works(running, until, network)

    trio.run(main)


def test_a_peer_of_another_chain_is_told_and_let_go(running: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1) as network, running(2, (network,), hello=b"other") as other:
            await until(lambda: network._standings._standings)
            await trio.sleep(0.2)
            assert network.peers() == other.peers() == ()
            await assert_works(running, until, network)

    trio.run(main)


def test_a_wrong_chain_again_and_again_is_a_ban(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1) as network, stranger() as peer:
            for _ in range(4):
                link = await peer.connect(network)
                await peer.greet(link, b"other chain")
                await link.ended.wait()
            assert network._standings.is_banned(peer.id, trio.current_time())
            link = await peer.connect(network)
            with trio.fail_after(2):
                await link.ended.wait()

    trio.run(main)


@pytest.mark.parametrize("greeting", [b"\xff" * 40, b"", bytes(9000)])
def test_an_unreadable_greeting_ends_the_connection(
    running: Any, stranger: Any, until: Any, greeting: bytes
) -> None:
    async def main() -> None:
        async with running(1) as network, stranger() as peer:
            link = await peer.connect(network)
            stream = await link.open_stream("/noema/hello/1")
            await stream.write(framed(greeting))
            with trio.fail_after(4):
                await link.ended.wait()
            assert network.peers() == ()
            await assert_works(running, until, network)

    trio.run(main)


def test_no_hello_no_connection(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1, patience=Patience(0.4, 0.2, 1.0)) as network, stranger() as peer:
            heard = []
            network.on_frame(VOTES, lambda sender, frame: heard.append(frame))
            link = await peer.connect(network)
            stream = await link.open_stream("/noema/votes/1")
            await stream.write(framed(b"a vote before the hello"))
            with trio.fail_after(4):
                await link.ended.wait()
            assert heard == []

    trio.run(main)


def test_an_oversized_frame_is_a_ban(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1) as network, stranger() as peer:
            heard = []
            network.on_frame(VOTES, lambda sender, frame: heard.append(frame))
            link = await peer.connect(network)
            await peer.greet(link)
            stream = await link.open_stream("/noema/votes/1")
            await stream.write(framed(b"fine"))
            await until(lambda: heard)
            await stream.write((2**31).to_bytes(4, "little"))
            with trio.fail_after(2):
                await link.ended.wait()
            assert heard == [b"fine"]
            assert network._standings.is_banned(peer.id, trio.current_time())
            await assert_works(running, until, network)

    trio.run(main)


def test_a_second_stream_for_a_channel_ends_the_connection(
    running: Any, stranger: Any, until: Any
) -> None:
    async def main() -> None:
        async with running(1) as network, stranger() as peer:
            link = await peer.connect(network)
            await peer.greet(link)
            for _ in range(2):
                stream = await link.open_stream("/noema/votes/1")
                await stream.write(framed(b"vote"))
            with trio.fail_after(2):
                await link.ended.wait()

    trio.run(main)


def test_a_silent_peer_is_disconnected(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1, patience=Patience(1.0, 0.2, 0.6)) as network, stranger() as peer:
            link = await peer.connect(network)
            await peer.greet(link)
            await until(lambda: network.peers() == (peer.id,))
            began = trio.current_time()
            with trio.fail_after(3):
                await link.ended.wait()
            assert trio.current_time() - began > 0.4
            await until(lambda: network.peers() == ())

    trio.run(main)


def test_quiet_but_living_peers_stay(running: Any, until: Any) -> None:
    async def main() -> None:
        patience = Patience(1.0, 0.1, 0.4)
        async with (
            running(1, patience=patience) as one,
            running(2, (one,), patience=patience) as two,
        ):
            gone: list[str] = []
            one.on_disconnected(gone.append)
            await until(lambda: one.peers() and two.peers())
            await trio.sleep(0.8)
            assert gone == []

    trio.run(main)


def test_a_callback_that_raises_does_not_stop_the_node(running: Any, until: Any) -> None:
    async def main() -> None:
        def broken(peer: str, frame: bytes) -> None:
            raise KeyError("a bug of ours")

        async with running(1) as one, running(2, (one,)) as two:
            gone: list[str] = []
            one.on_frame(TRANSACTIONS, broken)
            one.on_disconnected(gone.append)
            await until(lambda: two.peers())
            assert two.send(one.own_id, TRANSACTIONS, b"x")
            await until(lambda: gone)
            await until(lambda: one.peers(), seconds=8)

    trio.run(main)


def test_too_many_requests_at_once_are_reset(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        answered = trio.Event()

        async def serve(peer: str, payload: bytes) -> bytes:
            await answered.wait()
            return b"answer"

        async with running(1) as network, stranger() as peer:
            network.serve("slow", serve)
            link = await peer.connect(network)
            await peer.greet(link)
            streams = [await link.open_stream("/noema/slow/1") for _ in range(SERVED_AT_ONCE)]
            for stream in streams:
                await stream.write(framed(b"question"))
            await trio.sleep(0.05)
            one_more = await link.open_stream("/noema/slow/1")
            await assert_cut(one_more)
            answered.set()
            for stream in streams:
                assert await stream.read(100) == framed(b"\0answer")

    trio.run(main)


def test_a_peer_that_reads_nothing_holds_up_nobody(running: Any, stranger: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1, patience=Patience(1.0, 0.2, 60.0)) as network, stranger() as peer:
            taken = trio.Event()

            async def take_nothing(stream: Any) -> None:
                await taken.wait()

            for name in ("votes", "blocks", "transactions"):
                peer.transport.serve(f"/noema/{name}/1", take_nothing)
            link = await peer.connect(network)
            await peer.greet(link)
            await until(lambda: network.peers())
            for _ in range(200):
                network.send(peer.id, TRANSACTIONS, bytes(500_000))
            assert not network.send(peer.id, TRANSACTIONS, bytes(500_000))
            await assert_works(running, until, network)
            began = trio.current_time()
            network.penalise(peer.id, 100, "reads nothing")
            with trio.fail_after(3):
                await link.ended.wait()
            assert trio.current_time() - began < 2

    trio.run(main)


def test_shutting_down_does_not_wait_for_a_peer_that_hangs(running: Any, until: Any) -> None:
    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            await until(lambda: one.peers() and two.peers())
            link: Any = one.link_of(two.own_id)
            secured = link._connection.muxed_conn.secured_conn
            closed, close = trio.Event(), secured.close

            async def never(data: bytes) -> None:
                await closed.wait()
                raise OSError("closed")

            async def close_and_wake() -> None:
                closed.set()
                await close()

            secured.write, secured.close = never, close_and_wake
            assert one.send(two.own_id, VOTES, b"stuck")
            await trio.sleep(0.1)
            began = trio.current_time()
        assert trio.current_time() - began < 3

    trio.run(main)


def test_random_bytes_on_every_protocol(running: Any, stranger: Any, until: Any) -> None:
    chance = random.Random(7)

    async def main() -> None:
        async with running(1) as network:
            heard: list[bytes] = []
            network.on_frame(TRANSACTIONS, lambda sender, frame: heard.append(frame))
            for number, name in enumerate(("hello", "votes", "blocks", "transactions", "peers")):
                async with stranger(100 + number) as peer:
                    link = await peer.connect(network)
                    await peer.greet(link)
                    with suppress(StreamFailed):
                        stream = await link.open_stream(f"/noema/{name}/1")
                        await stream.write(b"\xff" + chance.randbytes(3000))
                        await assert_cut(stream)
            assert heard == []
            await assert_works(running, until, network)

    trio.run(main)
