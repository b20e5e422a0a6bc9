"""The machine: garbage, blocks by request, restarts, divergence, early and late messages."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import DecodeError
from consensus.core.certificate import certify
from consensus.core.messages import (
    MESSAGE,
    BlockBody,
    BlockRequest,
    CertificateMessage,
    ConsensusMessage,
    Kind,
    Status,
    Vote,
    Votes,
)
from consensus.core.proposer import proposer
from consensus.engine.actions import (
    Action,
    BeginAlarm,
    BlockLoaded,
    Broadcast,
    Build,
    Built,
    CertificateLoaded,
    Check,
    Checked,
    Commit,
    CommitFailed,
    Event,
    FetchAlarm,
    HeadMoved,
    LoadBlock,
    LoadCertificate,
    Penalise,
    Rang,
    RebroadcastAlarm,
    Received,
    Send,
    SetTimer,
    StepAlarm,
    Tell,
)
from consensus.engine.config import EngineConfig
from consensus.engine.machine import Machine
from consensus.engine.ports import Accused, CouldNot, Decided, Diverged, Head, Withheld
from consensus.engine.signer import Signer
from consensus.engine.write_ahead_log import WriteAheadLog
from tests.simulation.disk import SimulatedDisk
from tests.simulation.ledger import SimulatedLedger, is_body_of_header
from tests.support.consensus_cast import (
    ADDRESSES,
    FOUR,
    GENESIS,
    KEYS,
    NO_SIGNATURE,
    STRANGER,
    V,
    signed_certificate,
    signed_proposal,
    signed_vote,
)

CONFIG = EngineConfig(genesis=GENESIS)
ME = next(at for at in range(4) if ADDRESSES[at] != proposer(FOUR, 1, 0))
OTHERS = tuple(at for at in range(4) if at != ME)
PREVOTE, PRECOMMIT = Kind.PREVOTE, Kind.PRECOMMIT
LEDGER = SimulatedLedger()
BLOCK = LEDGER.build("block one")
HASH = BLOCK.hash()


class Bench:
    """One machine with everything around it in the test's hands."""

    def __init__(self, disk: SimulatedDisk | None = None, *, begin: bool = True) -> None:
        self.disk = disk or SimulatedDisk(Random(0))
        signer = Signer(KEYS[ADDRESSES[ME]], self.disk)
        signer.open()
        self.machine = Machine(CONFIG, WriteAheadLog(self.disk), signer, is_body_of_header)
        self.now_ms = 0
        self.first = self.event(HeadMoved(Head(0, bytes(32)), FOUR))
        if begin:
            self.event(Rang(BeginAlarm(1)))

    def event(self, event: Event) -> list[Action]:
        return self.machine.handle(event, self.now_ms)

    def hear(self, *messages: ConsensusMessage, peer: str = "p") -> list[Action]:
        actions: list[Action] = []
        for message in messages:
            actions += self.event(Received(peer, message))
        return actions

    def lock(self) -> list[Action]:
        """Let the machine precommit BLOCK in round 0."""
        actions = self.hear(signed_proposal(HASH), BlockBody(BLOCK))
        actions += self.event(Checked(1, HASH, valid=True))
        return actions + self.hear(*prevotes(HASH))


def prevotes(block: bytes | None) -> list[Vote]:
    return [signed_vote(PREVOTE, at, block) for at in OTHERS[:2]]


def said(actions: list[Action]) -> list[ConsensusMessage]:
    return [each.message for each in actions if isinstance(each, Broadcast)]


def test_first_head_starts_timers_and_the_first_height() -> None:
    bench = Bench(begin=False)
    assert bench.first == [
        SetTimer(RebroadcastAlarm(), CONFIG.rebroadcast_ms),
        SetTimer(BeginAlarm(1), 0),
    ]


def test_a_block_is_fetched_executed_and_only_then_prevoted() -> None:
    bench = Bench()
    asked = bench.hear(signed_proposal(HASH))
    assert asked[-2:] == [
        SetTimer(FetchAlarm(HASH), CONFIG.fetch_ms),
        Send("p", BlockRequest(HASH)),
    ]
    assert bench.hear(BlockBody(BLOCK)) == [Check(1, BLOCK)]
    assert said(bench.event(Checked(1, HASH, valid=True))) == [signed_vote(PREVOTE, ME, HASH)]


def test_an_invalid_block_is_prevoted_nil() -> None:
    bench = Bench()
    bench.hear(signed_proposal(HASH), BlockBody(BLOCK))
    assert said(bench.event(Checked(1, HASH, valid=False))) == [signed_vote(PREVOTE, ME, None)]


def test_a_block_that_cannot_be_executed_now_is_no_verdict() -> None:
    bench = Bench()
    bench.hear(signed_proposal(HASH), BlockBody(BLOCK))
    actions = bench.event(Checked(1, HASH, None, "worker busy"))
    assert actions == [Tell(CouldNot(1, "check", "worker busy"))]
    assert Check(1, BLOCK) in bench.event(Rang(RebroadcastAlarm()))


def test_another_peer_is_asked_when_one_is_silent_or_lies() -> None:
    bench = Bench()
    bench.hear(Status(1, 0, None, False, b"", b""), peer="q")
    bench.hear(signed_proposal(HASH), peer="p")
    assert Send("q", BlockRequest(HASH)) in bench.event(Rang(FetchAlarm(HASH)))

    forged = replace(BLOCK, extrinsics=())
    actions = bench.hear(BlockBody(forged), peer="q")
    assert actions[0] == Penalise("q", 50, "a block with the wrong transactions")
    assert Send("p", BlockRequest(HASH)) in actions
    assert Check(1, BLOCK) in bench.hear(BlockBody(BLOCK))


def test_a_block_nobody_asked_for_is_dropped() -> None:
    assert Bench().hear(BlockBody(BLOCK)) == []


@pytest.mark.parametrize(
    ("message", "points", "reason"),
    [
        (replace(signed_vote(PREVOTE, 0, V), signature=NO_SIGNATURE), 100, "a wrong signature"),
        (replace(signed_proposal(V), signature=NO_SIGNATURE), 100, "a wrong signature"),
        (
            replace(signed_vote(PREVOTE, 0, V), validator=STRANGER.address),
            5,
            "a message by somebody who is no validator",
        ),
        (
            signed_vote(PRECOMMIT, OTHERS[0], V, valid_round=0),
            50,
            "a precommit with a valid round",
        ),
        (
            signed_proposal(V, by=proposer(FOUR, 1, 1)),
            5,
            "a proposal by a validator whose turn it is not",
        ),
        (
            CertificateMessage(
                replace(signed_certificate(PRECOMMIT, (0, 1, 2), V), block_hash=HASH)
            ),
            100,
            "a certificate: signature of validator 0",
        ),
        (
            CertificateMessage(certify([signed_vote(PRECOMMIT, 0, V)], FOUR)),
            100,
            "a certificate: no two thirds of the power",
        ),
    ],
)
def test_garbage_costs_its_sender_and_changes_nothing(
    message: ConsensusMessage, points: int, reason: str
) -> None:
    bench = Bench()
    operations = bench.disk.operations
    assert bench.hear(message) == [Penalise("p", points, reason)]
    assert bench.disk.operations == operations


def test_the_first_bad_vote_of_many_ends_them() -> None:
    bad = replace(signed_vote(PREVOTE, OTHERS[0], V), signature=NO_SIGNATURE)
    many = Votes((bad, bad, signed_vote(PREVOTE, OTHERS[1], V)))
    assert Bench().hear(many) == [Penalise("p", 100, "a wrong signature")]


@given(st.data())
def test_nothing_a_peer_sends_raises(data: st.DataObject) -> None:
    """A mangled message is refused by the codec or taken without an exception."""
    bench = Bench()
    messages: list[ConsensusMessage] = [
        signed_proposal(HASH),
        signed_vote(PREVOTE, OTHERS[0], HASH),
        Votes(tuple(prevotes(HASH))),
        CertificateMessage(signed_certificate(PRECOMMIT, OTHERS, HASH)),
        Status(1, 0, None, False, b"\x0f", b"\xff"),
        BlockRequest(HASH),
        BlockBody(BLOCK),
    ]
    for _ in range(4):
        encoded = bytearray(MESSAGE.encode(data.draw(st.sampled_from(messages))))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(encoded) - 1))
            encoded[at] = data.draw(st.integers(0, 255))
        try:
            message = MESSAGE.decode(bytes(encoded))
        except DecodeError:
            continue
        bench.hear(message)
    height = bench.machine.height
    assert height is not None
    assert height.decision is None
    assert height.validity == {}


def test_what_is_known_or_far_is_dropped_without_blame() -> None:
    bench = Bench()
    bench.hear(signed_vote(PREVOTE, 0, V))
    operations = bench.disk.operations
    far = [
        signed_vote(PREVOTE, 0, V),
        signed_vote(PREVOTE, 0, V, height=9),
        signed_proposal(V, round_number=40),
        CertificateMessage(signed_certificate(PRECOMMIT, (0, 1, 2), V, height=7)),
    ]
    assert bench.hear(*far) == []
    assert bench.disk.operations == operations


def test_equivocation_is_reported_with_its_proof() -> None:
    bench = Bench()
    actions = bench.hear(signed_vote(PREVOTE, OTHERS[0], V), signed_vote(PREVOTE, OTHERS[0], None))
    reports = [each.report for each in actions if isinstance(each, Tell)]
    assert [type(report) for report in reports] == [Accused]


def test_decides_commits_and_starts_the_next_height_after_the_interval() -> None:
    bench = Bench()
    bench.now_ms = 300
    bench.lock()
    actions = bench.hear(*[signed_vote(PRECOMMIT, at, HASH) for at in OTHERS[:2]])
    votes = [signed_vote(PRECOMMIT, at, HASH) for at in (ME, *OTHERS[:2])]
    assert actions[-1] == Commit(BLOCK, certify(votes, FOUR))

    actions = bench.event(HeadMoved(Head(1, HASH), FOUR))
    assert actions == [Tell(Decided(1, 0, HASH)), SetTimer(BeginAlarm(2), 700)]


def test_a_commit_that_failed_is_tried_again() -> None:
    bench = Bench()
    bench.lock()
    bench.hear(*[signed_vote(PRECOMMIT, at, HASH) for at in OTHERS[:2]])
    assert bench.event(CommitFailed(1, "no space")) == [Tell(CouldNot(1, "commit", "no space"))]
    assert any(isinstance(each, Commit) for each in bench.event(Rang(RebroadcastAlarm())))


def test_a_lagging_node_takes_certificate_and_block_and_asks_on() -> None:
    bench = Bench()
    proof = CertificateMessage(signed_certificate(PRECOMMIT, OTHERS, HASH))
    assert Send("p", BlockRequest(HASH)) in bench.hear(proof)
    bench.hear(BlockBody(BLOCK))
    actions = bench.event(Checked(1, HASH, valid=True))
    assert actions[-1] == Commit(BLOCK, proof.certificate)
    actions = bench.event(HeadMoved(Head(1, HASH), FOUR))
    assert Send("p", Status(2, 0, None, False, b"\x00", b"\x00")) in actions


def test_a_node_that_finds_the_final_block_invalid_stops_voting() -> None:
    bench = Bench()
    bench.hear(CertificateMessage(signed_certificate(PRECOMMIT, OTHERS, HASH)), BlockBody(BLOCK))
    actions = bench.event(Checked(1, HASH, valid=False))
    assert Tell(Diverged(1, HASH)) in actions
    assert bench.machine.is_halted
    actions = bench.event(Rang(StepAlarm(1, 0, bench.machine.height.step_now)))  # type: ignore[union-attr]
    assert said(actions) == []


def test_restart_says_the_same_and_keeps_the_lock() -> None:
    bench = Bench()
    before = [each for each in said(bench.lock()) if isinstance(each, Vote)]
    bench.disk.cut_power()
    again = Bench(bench.disk, begin=False)
    height = again.machine.height

    assert height is not None
    assert (height.locked_block, height.locked_round, height.round) == (HASH, 0, 0)
    repeated = said(again.event(Rang(RebroadcastAlarm())))
    assert [each for each in repeated if isinstance(each, Vote)] == before
    assert again.hear(BlockRequest(HASH)) == [Send("p", BlockBody(BLOCK))]


def test_after_a_restart_the_decided_block_is_executed_again_before_the_commit() -> None:
    bench = Bench()
    bench.lock()
    bench.hear(*[signed_vote(PRECOMMIT, at, HASH) for at in OTHERS[:2]])
    again = Bench(bench.disk, begin=False)
    assert again.first[-1] == Check(1, BLOCK)
    assert isinstance(again.event(Checked(1, HASH, valid=True))[-1], Commit)


def test_a_key_that_spoke_elsewhere_stays_silent() -> None:
    bench = Bench()
    elsewhere = signed_vote(PREVOTE, ME, V)
    bench.hear(elsewhere)
    actions = bench.event(Rang(StepAlarm(1, 0, bench.machine.height.step_now)))  # type: ignore[union-attr]
    assert said(actions) == []
    assert Tell(Withheld(1, 0, "this key has voted elsewhere in this step")) in actions


def test_messages_of_the_next_height_wait_for_it() -> None:
    bench = Bench()
    early = signed_vote(PREVOTE, OTHERS[0], V, height=2)
    bench.hear(Votes((early,)))
    bench.lock()
    bench.hear(*[signed_vote(PRECOMMIT, at, HASH) for at in OTHERS[:2]])
    bench.event(HeadMoved(Head(1, HASH), FOUR))
    height = bench.machine.height
    assert height is not None
    assert height.tally.votes(PREVOTE, 0) == (early,)


def test_a_proposal_begins_the_height_before_the_interval_ends() -> None:
    bench = Bench(begin=False)
    bench.hear(signed_proposal(HASH))
    height = bench.machine.height
    assert height is not None
    assert height.round == 0


def test_stale_heads_and_answers_are_ignored() -> None:
    bench = Bench()
    stale: list[Event] = [
        HeadMoved(Head(0, bytes(32)), FOUR),
        Checked(0, HASH, valid=True),
        Rang(BeginAlarm(0)),
        Rang(StepAlarm(0, 0, bench.machine.height.step_now)),  # type: ignore[union-attr]
        Rang(FetchAlarm(V)),
    ]
    assert [bench.event(event) for event in stale] == [[]] * len(stale)


def test_status_is_answered_from_the_height_or_from_the_ledger() -> None:
    bench = Bench()
    bench.hear(signed_proposal(HASH))
    mine = Status(1, 0, None, True, b"\x00", b"\x00")
    empty = Status(1, 0, None, False, b"", b"")
    assert bench.hear(empty, peer="q") == [Send("q", signed_proposal(HASH))]
    assert bench.hear(empty, peer="q") == []
    assert bench.hear(replace(empty, height=3), peer="r") == [Send("r", mine)]

    bench.event(HeadMoved(Head(1, HASH), FOUR))
    proof = signed_certificate(PRECOMMIT, OTHERS, HASH)
    assert bench.hear(empty, peer="s") == [LoadCertificate("s", 1)]
    assert bench.event(CertificateLoaded("s", proof)) == [Send("s", CertificateMessage(proof))]
    assert bench.hear(BlockRequest(HASH), peer="s") == [LoadBlock("s", HASH)]
    assert bench.event(BlockLoaded("s", BLOCK)) == [Send("s", BlockBody(BLOCK))]
    assert bench.event(BlockLoaded("s", None)) == []


def own_round() -> int:
    return next(each for each in range(4) if proposer(FOUR, 1, each) == ADDRESSES[ME])


def into_round(bench: Bench, number: int) -> list[Action]:
    votes = [signed_vote(PREVOTE, at, None, round_number=number) for at in OTHERS[:2]]
    return bench.hear(*votes)


def test_proposer_builds_and_proposes() -> None:
    bench, number = Bench(), own_round()
    assert Build(1, number) in into_round(bench, number)
    messages = said(bench.event(Built(1, number, BLOCK)))
    proposal = signed_proposal(HASH, round_number=number)
    assert messages == [proposal, signed_vote(PREVOTE, ME, HASH, round_number=number)]


def test_a_failed_build_is_reported_and_a_late_one_dropped() -> None:
    bench, number = Bench(), own_round()
    into_round(bench, number)
    assert bench.event(Built(1, number, None, "no time")) == [Tell(CouldNot(1, "build", "no time"))]
    into_round(bench, number + 1)
    assert bench.event(Built(1, number, BLOCK)) == []


def test_only_one_block_is_built_at_a_time() -> None:
    bench, number = Bench(), own_round()
    into_round(bench, number)
    second = next(each for each in range(number + 1, number + 9) if _mine(each))
    later = into_round(bench, second)
    assert not any(isinstance(each, Build) for each in later)
    assert Build(1, second) in bench.event(Built(1, number, BLOCK))


def _mine(number: int) -> bool:
    return proposer(FOUR, 1, number) == ADDRESSES[ME]
