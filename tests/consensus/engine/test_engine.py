"""The shell under trio: real engines on a virtual clock, an in-memory transport and ledger."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest
import trio
import trio.testing

from chain.primitives.block import Block
from chain.primitives.keys import Keypair
from consensus.core.messages import BlockRequest, Certificate, ConsensusMessage
from consensus.core.validators import ValidatorSet
from consensus.engine.config import EngineConfig
from consensus.engine.disk import FolderDisk
from consensus.engine.engine import INBOX_MAX, INBOX_PEER_MAX, Engine
from consensus.engine.ports import CannotNow, CannotPersist, CouldNot, Decided, Disk, Head, Report
from tests.simulation.disk import SimulatedDisk
from tests.simulation.ledger import GENESIS, SimulatedLedger, is_body_of_header
from tests.support.consensus_cast import ADDRESSES, FOUR, KEYS, validators

CONFIG = EngineConfig(genesis=GENESIS)


class SlowLedger:
    """The simulated ledger behind awaits."""

    def __init__(self, members: ValidatorSet) -> None:
        self.chain = SimulatedLedger()
        self.members = members
        self.failures: list[Exception] = []

    def head(self) -> Head:
        return self.chain.head()

    def is_body_of_header(self, block: Block) -> bool:
        return is_body_of_header(block)

    async def validators(self, height: int) -> ValidatorSet:
        return self.members

    async def propose(self, height: int, round_number: int) -> Block:
        await self._work()
        return self.chain.build(f"{id(self)} {height} {round_number}")

    async def check(self, block: Block) -> bool:
        await self._work()
        valid = self.chain.check(block)
        if valid is None:
            raise CannotNow("another head")
        return valid

    async def commit(self, block: Block, certificate: Certificate) -> None:
        await self._work()
        self.chain.commit(block, certificate)

    async def certificate(self, height: int) -> Certificate | None:
        return self.chain.certificate(height)

    async def block(self, block_hash: bytes) -> Block | None:
        return self.chain.block(block_hash)

    async def _work(self) -> None:
        await trio.sleep(0.05)
        if self.failures:
            raise self.failures.pop()


class Hub:
    """Delivers at once to every engine that is plugged in."""

    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.blamed: list[tuple[str, int, str]] = []


class Plug:
    def __init__(self, hub: Hub, name: str) -> None:
        self._hub = hub
        self._name = name

    def broadcast(self, message: ConsensusMessage) -> None:
        for peer in self.peers():
            self.send(peer, message)

    def send(self, peer: str, message: ConsensusMessage) -> None:
        if peer in self._hub.engines and self._name in self._hub.engines:
            self._hub.engines[peer].receive(self._name, message)

    def peers(self) -> list[str]:
        return [name for name in self._hub.engines if name != self._name]

    def penalise(self, peer: str, points: int, reason: str) -> None:
        self._hub.blamed.append((peer, points, reason))


class Node:
    def __init__(
        self,
        hub: Hub,
        name: str,
        members: ValidatorSet,
        key: Keypair | None,
        disk: Disk | None = None,
    ) -> None:
        self.ledger = SlowLedger(members)
        self.reports: list[Report] = []
        self.disk = disk or SimulatedDisk(Random(name))
        self.engine = Engine(
            CONFIG,
            ledger=self.ledger,
            transport=Plug(hub, name),
            disk=self.disk,
            keypair=key,
            report=self.reports.append,
        )
        hub.engines[name] = self.engine

    def decided(self) -> list[int]:
        return [each.height for each in self.reports if isinstance(each, Decided)]


def run_virtually(scene: Callable[[], Awaitable[None]]) -> None:
    trio.run(scene, clock=trio.testing.MockClock(autojump_threshold=0))


async def run_for(seconds: float, *nodes: Node) -> None:
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for node in nodes:
                nursery.start_soon(node.engine.run)


def cluster(hub: Hub, *watchers: str) -> list[Node]:
    nodes = [Node(hub, f"node {at}", FOUR, KEYS[ADDRESSES[at]]) for at in range(4)]
    return nodes + [Node(hub, name, FOUR, None) for name in watchers]


def test_four_validators_and_a_watcher_make_a_block_a_second() -> None:
    hub = Hub()
    nodes = cluster(hub, "watcher")
    run_virtually(lambda: run_for(10.5, *nodes))

    chains = [[block.hash() for block in node.ledger.chain.blocks] for node in nodes]
    assert chains[0][:9] == chains[1][:9] == chains[2][:9] == chains[3][:9] == chains[4][:9]
    assert 9 <= len(chains[0]) <= 11
    assert nodes[4].decided()[:9] == list(range(1, 10))
    assert hub.blamed == []


def test_lone_validator_needs_nobody() -> None:
    node = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]])
    run_virtually(lambda: run_for(5.5, node))
    assert node.decided() == [1, 2, 3, 4, 5, 6]
    view = node.engine.view()
    assert view is not None
    assert (view.height, view.round, view.is_validator, view.is_halted) == (7, -1, True, False)


def test_a_dead_validator_costs_its_turns_only() -> None:
    hub = Hub()
    nodes = cluster(hub)
    del hub.engines["node 3"]
    run_virtually(lambda: run_for(30, *nodes[:3]))
    assert len(nodes[0].decided()) >= 15


def test_late_node_is_led_to_the_head() -> None:
    hub = Hub()
    nodes = cluster(hub)

    async def scene() -> None:
        del hub.engines["node 3"]
        await run_for(8, *nodes[:3])
        assert nodes[3].ledger.head().height == 0
        await run_for(4, *[revived(hub, node, at) for at, node in enumerate(nodes)])

    run_virtually(scene)
    heights = [node.ledger.head().height for node in nodes]
    assert max(heights) - min(heights) <= 1
    assert min(heights) >= 7


def revived(hub: Hub, node: Node, at: int) -> Node:
    """Give the same node after a restart: its disk and chain, a new engine."""
    again = Node(hub, f"node {at}", FOUR, KEYS[ADDRESSES[at]], node.disk)
    again.ledger.chain = node.ledger.chain
    return again


def test_restart_goes_on_from_a_real_folder(tmp_path: Path) -> None:
    disk = FolderDisk(tmp_path)
    disk.open()
    node = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]], disk)

    async def scene() -> None:
        await run_for(2.07, node)
        again = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]], disk)
        again.ledger.chain = node.ledger.chain
        await run_for(3, again)

    run_virtually(scene)
    assert node.ledger.head().height >= 4
    assert len(disk.names()) == 2


def test_sync_moves_the_head() -> None:
    hub = Hub()
    source, follower = cluster(hub)[0], Node(hub, "follower", validators(1), None)
    lone = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]])

    async def scene() -> None:
        await run_for(3.5, lone)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follower.engine.run)
            await trio.sleep(0.1)
            for height in (1, 2, 3):
                block = lone.ledger.chain.blocks[height - 1]
                proof = lone.ledger.chain.certificates[height - 1]
                follower.ledger.chain.commit(block, proof)
                follower.engine.advance(height, block.hash())
            await trio.sleep(0.1)
            nursery.cancel_scope.cancel()

    run_virtually(scene)
    view = follower.engine.view()
    assert source.engine.view() is None
    assert view is not None
    assert view.height == 4


def test_what_the_ledger_cannot_do_now_is_reported_and_tried_again() -> None:
    node = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]])
    node.ledger.failures = [CannotNow("worker busy"), CannotNow("worker busy")]
    run_virtually(lambda: run_for(12, node))
    works = [each.work for each in node.reports if isinstance(each, CouldNot)]
    assert works == ["build", "build"]
    assert len(node.decided()) >= 3


def test_full_disk_takes_the_engine_down() -> None:
    disk = SimulatedDisk(Random(0))
    disk.is_full = True
    node = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]], disk)
    with pytest.raises(BaseExceptionGroup) as failure:
        run_virtually(lambda: run_for(3, node))
    assert failure.group_contains(CannotPersist, match="no space left on device")
    assert node.ledger.head().height == 0


def test_a_broken_ledger_takes_the_engine_down() -> None:
    node = Node(Hub(), "alone", validators(1), KEYS[ADDRESSES[0]])
    node.ledger.failures = [ZeroDivisionError("a bug")]
    with pytest.raises(BaseExceptionGroup) as failure:
        run_virtually(lambda: run_for(3, node))
    assert failure.group_contains(ZeroDivisionError)


def test_inbox_is_bounded_for_each_peer_and_for_all() -> None:
    engine = Node(Hub(), "alone", validators(1), None).engine
    for peer in range(20):
        for _ in range(INBOX_PEER_MAX + 10):
            engine.receive(f"peer {peer}", BlockRequest(bytes(32)))
    assert len(engine._inbox) == INBOX_MAX
    assert max(engine._inbox_of.values()) == INBOX_PEER_MAX
