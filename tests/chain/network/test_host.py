from collections.abc import Callable
from typing import Any

import pytest
import trio

from chain.network import (
    BLOCKS,
    TRANSACTIONS,
    VOTES,
    ListenFailed,
    Network,
    NetworkConfig,
    RequestFailed,
    RequestRefused,
)
from chain.network.addresses import PeerAddress
from chain.network.peers import peer_id_of


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    with trio.fail_after(seconds):
        while True:
            if condition():
                return
            await trio.sleep(0.01)


class Ear:
    """Writes down what a network tells."""

    def __init__(self, network: Network) -> None:
        self.frames: list[tuple[str, str, bytes]] = []
        self.came: list[tuple[str, bytes]] = []
        self.went: list[str] = []
        for channel in (VOTES, BLOCKS, TRANSACTIONS):
            network.on_frame(channel, self._listen(channel.name))
        network.on_connected(lambda peer, hello: self.came.append((peer, hello)))
        network.on_disconnected(self.went.append)

    def _listen(self, name: str) -> Callable[[str, bytes], None]:
        return lambda peer, frame: self.frames.append((name, peer, frame))


def test_own_id_is_that_of_the_seed(running: Any) -> None:
    async def main() -> None:
        async with running(1) as network:
            assert network.own_id == peer_id_of(b"\1" * 32)
            assert network.addresses[0].endswith(f"/p2p/{network.own_id}")
            assert network.peers() == ()

    trio.run(main)


def test_frames_travel_on_every_channel_in_both_directions(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            at_one, at_two = Ear(one), Ear(two)
            await until(lambda: at_one.came and at_two.came)
            assert at_one.came == [(two.own_id, b"same chain")]
            assert at_two.came == [(one.own_id, b"same chain")]
            block = bytes(range(256)) * 8192
            assert len(block) == BLOCKS.frame_bytes_max
            assert one.send(two.own_id, BLOCKS, block)
            assert one.broadcast(VOTES, b"vote") == 1
            assert two.send(one.own_id, TRANSACTIONS, b"transaction")
            await until(lambda: len(at_two.frames) == 2 and len(at_one.frames) == 1)
            assert sorted(at_two.frames) == [
                ("blocks", one.own_id, block),
                ("votes", one.own_id, b"vote"),
            ]
            assert at_one.frames == [("transactions", two.own_id, b"transaction")]
            assert not one.send("nobody", VOTES, b"vote")

    trio.run(main)


def test_order_within_a_channel_is_kept(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            ear = Ear(two)
            await until(lambda: one.peers())
            sent = [number.to_bytes(4, "big") for number in range(3000)]
            for frame in sent:
                assert one.send(two.own_id, VOTES, frame)
            await until(lambda: len(ear.frames) == 3000)
            assert [frame for _, _, frame in ear.frames] == sent

    trio.run(main)


def test_requests_are_answered_refused_or_fail(running: Any) -> None:
    async def serve(peer: str, payload: bytes) -> bytes:
        if payload == b"no":
            raise RequestRefused("not today")
        if payload == b"slow":
            await trio.sleep_forever()
        if payload == b"broken":
            raise KeyError("a bug of the handler")
        return payload * 2

    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            one.serve("double", serve)
            await until(lambda: two.peers())
            assert await two.request(one.own_id, "double", b"ab", timeout_s=2) == b"abab"
            big = bytes(64 * 1024)
            assert await two.request(one.own_id, "double", big, timeout_s=2) == big * 2
            with pytest.raises(RequestRefused, match=r"^not today$"):
                await two.request(one.own_id, "double", b"no", timeout_s=2)
            with pytest.raises(RequestFailed, match=r"no answer in 0\.2 s"):
                await two.request(one.own_id, "double", b"slow", timeout_s=0.2)
            with pytest.raises(RequestFailed):
                await two.request(one.own_id, "double", b"broken", timeout_s=2)
            with pytest.raises(RequestFailed, match="unknown"):
                await two.request(one.own_id, "unknown", b"", timeout_s=2)
            with pytest.raises(RequestFailed, match="nobody is not connected"):
                await two.request("nobody", "double", b"", timeout_s=2)
            assert await two.request(one.own_id, "double", b"ab", timeout_s=2) == b"abab"

    trio.run(main)


def test_two_nodes_cannot_share_a_port(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            location = one.addresses[0].partition("/p2p/")[0]
            with pytest.raises(ListenFailed, match=location):
                async with Network.open(
                    NetworkConfig(listen=location), b"\2" * 32, lambda: b"", lambda *_: None
                ):
                    pytest.fail("the port was opened twice")

    trio.run(main)


def test_a_port_is_free_again_after_closing(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            await until(lambda: two.peers())
            location = one.addresses[0].partition("/p2p/")[0]
        async with running(1, listen=location) as again:
            assert again.addresses[0].startswith(location)

    trio.run(main)


def test_both_dialling_ends_with_one_session_each(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one, running(2, (one,)) as two:
            for network in (one, two):
                Ear(network)
            await until(lambda: one.peers() and two.peers())
            # The other end dials as well, as if it had known the address from the start.
            await one._transport.dial(PeerAddress.parse(two.addresses[0]))
            await trio.sleep(0.5)
            assert one.peers() == (two.own_id,)
            assert two.peers() == (one.own_id,)
            assert len(one._sessions) == len(two._sessions) == 1

    trio.run(main)


def test_a_node_that_returns_is_found_again(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            location = one.addresses[0].partition("/p2p/")[0]
            async with running(2, (one,)) as two:
                ear = Ear(one)
                await until(lambda: one.peers())
            await until(lambda: not one.peers())
            assert ear.went == [two.own_id]
            async with running(2, (one,)) as two:
                await until(lambda: one.peers() == (two.own_id,))
        async with running(3, ()) as three:
            assert location != three.addresses[0]

    trio.run(main)


def test_a_bootstrap_node_that_starts_later_is_dialled_until_it_answers(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            address = one
            location = one.addresses[0].partition("/p2p/")[0]
        async with running(2, (address,)) as two:
            await trio.sleep(0.4)
            assert two.peers() == ()
            async with running(1, listen=location) as one:
                await until(lambda: two.peers() == (one.own_id,), seconds=8)

    trio.run(main)


def test_a_node_does_not_connect_to_itself(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            location = one.addresses[0].partition("/p2p/")[0]
        async with running(1, (one,), listen=location) as again:
            await trio.sleep(0.3)
            assert again.peers() == ()

    trio.run(main)


def test_the_address_book_finds_a_peer_again_without_bootstrap(running: Any, tmp_path: Any) -> None:
    async def main() -> None:
        book = tmp_path / "peers.json"
        async with running(1) as one:
            async with running(2, (one,)):
                pass
            book.write_text(f'["{one.addresses[0]}"]')
            async with running(5, address_book=book) as three:
                await until(lambda: three.peers() == (one.own_id,))

    trio.run(main)


def test_one_known_address_is_enough_to_find_everybody(running: Any) -> None:
    async def main() -> None:
        # The hub has the largest id of the three, so that nobody waits to be dialled.
        async with running(3) as hub, running(5, (hub,)) as one, running(2, (hub,)) as two:
            await until(lambda: two.own_id in one.peers() and one.own_id in two.peers(), seconds=8)
            assert {*hub.peers()} == {one.own_id, two.own_id}

    trio.run(main)


def test_a_bootstrap_node_may_be_given_by_name(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            by_name = one.addresses[0].replace("/ip4/127.0.0.1/", "/dns4/localhost/")
            one.addresses = (by_name,)
            async with running(5, (one,)) as two:
                await until(lambda: two.peers() == (one.own_id,))

    trio.run(main)


def test_a_name_that_nobody_knows_is_tried_again_and_harms_nothing(running: Any) -> None:
    async def main() -> None:
        async with running(1) as one:
            nowhere = "/dns4/no-such-name.invalid/tcp/1/p2p/" + peer_id_of(b"\7" * 32)
            async with running(5, ()) as two:
                two._book.learn(PeerAddress.parse(nowhere))
                two._book.learn(PeerAddress.parse(one.addresses[0]))
                two._dialer.learned()
                await until(lambda: two.peers() == (one.own_id,))

    trio.run(main)
