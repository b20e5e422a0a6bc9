from collections.abc import Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from chain.gossip import transactions
from chain.gossip.transactions import _BATCH, TransactionGossip, Verdict
from chain.network import TRANSACTIONS
from chain.primitives.extrinsic import extrinsic_hash


class World:
    """One node's gossip around a pretended pool."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.pool: list[bytes] = []
        self.offered: list[list[bytes]] = []
        self.verdicts: dict[bytes, Verdict] = {}
        self.gossip = TransactionGossip(network, self.submit, lambda: self.pool)

    async def submit(self, batch: Sequence[bytes]) -> Sequence[Verdict]:
        self.offered.append(list(batch))
        return [self.verdicts.get(each, Verdict.TAKEN) for each in batch]

    def sent(self) -> list[tuple[str, list[bytes]]]:
        """Give and forget what was sent."""
        sent, self.network.sent = self.network.sent, []
        assert all(channel is TRANSACTIONS for _, channel, _ in sent)
        return [(peer, list(_BATCH.decode(frame))) for peer, _, frame in sent]


def scenario(fake_network: Any, test: Any, *peers: str) -> None:
    async def main() -> None:
        world = World(fake_network(*peers))
        for peer in peers:
            world.network.meet(peer, b"")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.gossip.run)
            await trio.sleep(0.1)
            await test(world)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0.001))


def test_a_taken_transaction_goes_to_everyone_once(fake_network: Any) -> None:
    async def test(world: World) -> None:
        world.gossip.announce(b"one")
        world.gossip.announce(b"two")
        await trio.sleep(0.1)
        assert world.sent() == [("a", [b"one", b"two"]), ("b", [b"one", b"two"])]
        world.pool = [b"one", b"two"]
        await trio.sleep(60)
        assert world.sent() == []

    scenario(fake_network, test, "a", "b")


def test_a_received_transaction_is_offered_once_and_not_sent_back(fake_network: Any) -> None:
    async def test(world: World) -> None:
        frame = _BATCH.encode((b"one", b"two", b"one"))
        world.network.callbacks[TRANSACTIONS]("a", frame)
        world.network.callbacks[TRANSACTIONS]("b", _BATCH.encode((b"two",)))
        await trio.sleep(0.1)
        assert world.offered == [[b"one", b"two"]]
        world.gossip.announce(b"one")
        world.gossip.announce(b"two")
        await trio.sleep(0.1)
        assert world.sent() == [("b", [b"one"])]

    scenario(fake_network, test, "a", "b")


def test_what_was_refused_may_be_offered_again_later(fake_network: Any) -> None:
    async def test(world: World) -> None:
        world.verdicts[b"early"] = Verdict.NOT_TAKEN
        frame = _BATCH.encode((b"early",))
        for wait_s in (0.1, 0.1, 31, 0.1):
            world.network.callbacks[TRANSACTIONS]("a", frame)
            await trio.sleep(wait_s)
        assert world.offered == [[b"early"], [b"early"]]
        assert world.network.faults == []

    scenario(fake_network, test, "a")


def test_a_newcomer_gets_what_the_pool_holds(fake_network: Any) -> None:
    async def test(world: World) -> None:
        world.pool = [b"one", b"two"]
        world.network.connected.append("b")
        world.network.meet("b", b"")
        await trio.sleep(0.1)
        assert world.sent() == [("b", [b"one", b"two"])]
        world.network.part("b")
        world.network.meet("b", b"")
        await trio.sleep(0.1)
        assert world.sent() == [("b", [b"one", b"two"])]

    scenario(fake_network, test, "a")


def test_what_a_full_queue_refused_is_repeated(fake_network: Any) -> None:
    async def test(world: World) -> None:
        world.network.full.append("a")
        world.gossip.announce(b"one")
        await trio.sleep(0.1)
        assert world.sent() == []
        world.network.full.clear()
        world.pool = [b"one"]
        await trio.sleep(transactions.REPEAT_S + 1)
        assert world.sent() == [("a", [b"one"])]

    scenario(fake_network, test, "a")


def test_frames_stay_within_the_channel(fake_network: Any) -> None:
    async def test(world: World) -> None:
        large = [bytes([number]) * 200_000 for number in range(5)]
        for each in large:
            world.gossip.announce(each)
        await trio.sleep(0.1)
        lengths = [len(frame) for _, _, frame in world.network.sent]
        assert max(lengths) <= TRANSACTIONS.frame_bytes_max
        assert [each for _, batch in world.sent() for each in batch] == large

    scenario(fake_network, test, "a")


def test_announcing_from_another_thread(fake_network: Any) -> None:
    async def test(world: World) -> None:
        await trio.to_thread.run_sync(world.gossip.announce, b"one")
        await trio.sleep(0.1)
        assert world.sent() == [("a", [b"one"])]

    scenario(fake_network, test, "a")


@pytest.mark.parametrize("frame", [b"\xff\xff", _BATCH.encode((b"x",)) + b"y"])
def test_an_invalid_encoding_is_a_ban_and_offers_nothing(fake_network: Any, frame: bytes) -> None:
    async def test(world: World) -> None:
        world.network.callbacks[TRANSACTIONS]("a", frame)
        await trio.sleep(0.1)
        assert [(peer, points) for peer, points, _ in world.network.faults] == [("a", 100)]
        assert world.offered == []

    scenario(fake_network, test, "a")


def test_a_transaction_that_can_never_be_valid_costs_its_sender(fake_network: Any) -> None:
    async def test(world: World) -> None:
        world.verdicts[b"forged"] = Verdict.NEVER_VALID
        world.network.callbacks[TRANSACTIONS]("a", _BATCH.encode((b"forged", b"fine")))
        await trio.sleep(0.1)
        name = extrinsic_hash(b"forged").hex()
        assert world.network.faults == [("a", 20, f"transaction 0x{name} can never be valid")]

    scenario(fake_network, test, "a")


def test_a_flood_is_bounded(fake_network: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(transactions, "INBOX_MAX", 100)

    async def test(world: World) -> None:
        flood = tuple(number.to_bytes(4, "big") for number in range(1000))
        world.network.callbacks[TRANSACTIONS]("a", _BATCH.encode(flood))
        assert len(world.gossip._inbox) == 100
        await trio.sleep(0.1)
        assert sum(map(len, world.offered)) == 100

    scenario(fake_network, test, "a")
