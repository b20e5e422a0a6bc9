"""The engine's ledger: what is a verdict on a block, what is none, and who is told of a head."""

from dataclasses import replace

import pytest
import trio

from chain.node.consensus_port import LedgerPort
from chain.node.metrics import Metrics
from chain.primitives.block import Block
from consensus.engine.ports import CannotNow, Head
from tests.support.ledger_chain import ALICE, BOB, LedgerChain


class World:
    """A port over a real ledger, and what it told."""

    def __init__(self) -> None:
        self.chain = LedgerChain()
        self.told: list[tuple[int, str]] = []
        self.metrics = Metrics()
        self.port = LedgerPort(
            self.chain.ledger,
            author=self.chain.author(ALICE),
            candidates=lambda: (self.chain.transfer(BOB, ALICE.address),),
            now_ms=lambda: self.chain.now_ms,
            metrics=self.metrics,
            settle=lambda block: f"settled {block.header.number}",
            tell=lambda block, settled: self.told.append((block.header.number, settled)),
        )

    def propose(self) -> Block:
        return trio.run(self.port.propose, 1, 0)


def test_proposal_holds_what_waits_and_passes_its_own_check() -> None:
    world = World()
    block = world.propose()
    assert len(block.extrinsics) == 3
    assert trio.run(world.port.check, block)


def test_committed_block_is_the_head_and_is_told_once() -> None:
    world = World()
    block = world.propose()
    certificate = world.chain.certify(block)
    for _ in range(2):
        trio.run(world.port.commit, block, certificate)
    assert world.port.head() == Head(1, block.hash())
    assert world.told == [(1, "settled 1")]
    assert trio.run(world.port.certificate, 1) == certificate
    assert trio.run(world.port.block, block.hash()) == block
    assert world.port.stored(2) is None


def test_wrong_root_is_a_verdict() -> None:
    world = World()
    block = world.propose()
    wrong = replace(block, header=replace(block.header, state_root=bytes(32)))
    assert not trio.run(world.port.check, wrong)
    assert b'noema_faults_total{kind="block_refused"} 1.0' in world.metrics.text()[0]
    assert world.told == []


def test_slow_clock_is_no_verdict_and_does_not_keep_a_final_block_out() -> None:
    world, others = World(), World()
    others.chain.now_ms += 3_600_000
    block = others.propose()
    with pytest.raises(CannotNow, match="check this machine's clock"):
        trio.run(world.port.check, block)
    trio.run(world.port.commit, block, world.chain.certify(block))
    assert world.port.head() == Head(1, block.hash())


def test_block_out_of_turn_is_no_verdict() -> None:
    world, others = World(), World()
    others.chain.grow()
    block = trio.run(others.port.propose, 2, 0)
    with pytest.raises(CannotNow):
        trio.run(world.port.check, block)


def test_final_block_that_is_invalid_here_is_reported_once_and_moves_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    block = world.propose()
    wrong = replace(block, header=replace(block.header, state_root=bytes(32)))
    certificate = world.chain.certify(wrong)
    for _ in range(3):
        with pytest.raises(CannotNow, match="finds the final block invalid"):
            trio.run(world.port.commit, wrong, certificate)
    assert world.port.head() == Head(0, world.chain.genesis.hash())
    assert world.told == []
    assert b'noema_faults_total{kind="diverged"} 1.0' in world.metrics.text()[0]
    reports = [vars(record) for record in caplog.records]
    assert [(report["height"], report["reason"]) for report in reports] == [
        (1, "state root is not that of the execution")
    ]
