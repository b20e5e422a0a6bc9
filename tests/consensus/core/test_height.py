"""Each line of the paper: what makes it act, what it does, and what must not make it act."""

import pytest

from consensus.core.evidence import accuse
from consensus.core.height import Height
from consensus.core.inputs import (
    INPUT,
    Accuse,
    Begin,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    Decide,
    Effect,
    Input,
    Refuse,
    RoundBegan,
    SendProposal,
    SendVote,
    StartTimeout,
    Step,
    TimedOut,
)
from consensus.core.messages import Kind, Vote
from consensus.core.proposer import proposer
from tests.support.consensus_cast import (
    ADDRESSES,
    FOUR,
    V,
    W,
    signed_certificate,
    signed_proposal,
    signed_vote,
)

PREVOTE, PRECOMMIT = Kind.PREVOTE, Kind.PRECOMMIT
ORDER = [ADDRESSES.index(proposer(FOUR, 1, each)) for each in range(4)]
ME = ORDER[3]
"""Proposes in round 3."""
OTHERS = tuple(each for each in range(4) if each != ME)


class Driven:
    """A height with a short way to feed it."""

    def __init__(self, me: bytes | None = ADDRESSES[ME]) -> None:
        self.height = Height(1, FOUR, me)
        self.feed(Begin())

    def feed(self, *events: Input) -> list[Effect]:
        """Give the effects of the last event; own messages come back in as everybody's."""
        effects: list[Effect] = []
        for event in events:
            effects = self.height.step(event)
            for effect in list(effects):
                if isinstance(effect, SendVote):
                    own = signed_vote(
                        effect.kind,
                        ME,
                        effect.block_hash,
                        round_number=effect.round,
                        valid_round=effect.valid_round,
                    )
                    effects += self.height.step(own)
        return effects

    def votes(
        self, kind: Kind, block: bytes | None, who: tuple[int, ...] = OTHERS, round_number: int = 0
    ) -> list[Effect]:
        return self.feed(*self.spoken(kind, block, who, round_number))

    @staticmethod
    def spoken(
        kind: Kind, block: bytes | None, who: tuple[int, ...], round_number: int
    ) -> list[Vote]:
        return [signed_vote(kind, each, block, round_number=round_number) for each in who]

    def next_round(self) -> list[Effect]:
        """Let the round end without a decision."""
        number = self.height.round
        self.votes(PRECOMMIT, None, OTHERS, number)
        return self.feed(TimedOut(Step.PRECOMMIT, number))

    def lock(self, block: bytes) -> None:
        """Lock a block in this round."""
        number = self.height.round
        self.feed(BlockChecked(block, valid=True))
        self.feed(signed_proposal(block, round_number=number))
        self.votes(PREVOTE, block, OTHERS, number)
        assert (self.height.locked_block, self.height.locked_round) == (block, number)


def timeout(step: Step, number: int = 0) -> StartTimeout:
    return StartTimeout(step, number)


def test_line_11_others_wait_for_the_proposal() -> None:
    height = Height(1, FOUR, ADDRESSES[ME])
    assert height.step(Begin()) == [RoundBegan(0), timeout(Step.PROPOSE)]
    assert height.step(Begin()) == []


def test_line_18_proposer_builds_and_line_19_proposes() -> None:
    height = Height(1, FOUR, ADDRESSES[ORDER[0]])
    assert height.step(Begin()) == [RoundBegan(0), BuildBlock(0), timeout(Step.PROPOSE)]
    assert height.step(BlockBuilt(0, V)) == [SendProposal(0, V, None)]
    assert height.fired == {"L18": 1, "L19": 1}


@pytest.mark.parametrize("late", [BlockBuilt(1, V), BlockBuilt(0, V)])
def test_a_block_that_comes_too_late_is_not_proposed(late: BlockBuilt) -> None:
    height = Height(1, FOUR, ADDRESSES[ORDER[0]])
    height.step(Begin())
    height.step(TimedOut(Step.PROPOSE, 0))
    assert height.step(late) == []


def test_line_16_valid_block_is_proposed_again() -> None:
    driven = Driven()
    driven.lock(V)
    driven.next_round()
    driven.next_round()
    assert driven.next_round()[:2] == [RoundBegan(3), SendProposal(3, V, 0)]


@pytest.mark.parametrize(("valid", "block"), [(True, V), (False, None)])
def test_line_22_prevotes_a_fresh_proposal(valid: bool, block: bytes | None) -> None:
    driven = Driven()
    assert driven.feed(signed_proposal(V)) == []
    assert driven.feed(BlockChecked(V, valid=valid)) == [SendVote(PREVOTE, 0, block, None)]
    assert driven.height.step_now is Step.PREVOTE


def test_line_22_locked_on_another_block_prevotes_nil() -> None:
    driven = Driven()
    driven.lock(V)
    driven.next_round()
    driven.feed(BlockChecked(W, valid=True))
    assert driven.feed(signed_proposal(W, round_number=1)) == [SendVote(PREVOTE, 1, None, None)]


def test_line_22_locked_on_the_same_block_prevotes_it() -> None:
    driven = Driven()
    driven.lock(V)
    driven.next_round()
    assert driven.feed(signed_proposal(V, round_number=1)) == [SendVote(PREVOTE, 1, V, None)]


def proven(driven: Driven, block: bytes, number: int) -> list[Effect]:
    driven.feed(BlockChecked(block, valid=True))
    return driven.feed(signed_proposal(block, round_number=number, valid_round=number - 1))


def test_line_28_waits_for_the_polka_and_prevotes() -> None:
    driven = Driven()
    driven.next_round()
    assert proven(driven, V, 1) == []
    effects = driven.feed(signed_certificate(PREVOTE, OTHERS, V, round_number=0))
    assert effects == [SendVote(PREVOTE, 1, V, 0)]


def test_line_28_a_later_polka_frees_from_the_lock() -> None:
    driven = Driven()
    driven.lock(V)
    driven.next_round()
    driven.next_round()
    driven.feed(signed_certificate(PREVOTE, OTHERS, W, round_number=1))
    assert proven(driven, W, 2) == [SendVote(PREVOTE, 2, W, 1)]


def test_line_28_an_earlier_polka_does_not_free_from_the_lock() -> None:
    driven = Driven()
    driven.feed(signed_certificate(PREVOTE, OTHERS, W, round_number=0))
    driven.next_round()
    driven.lock(V)
    driven.next_round()
    driven.feed(BlockChecked(W, valid=True))
    again = signed_proposal(W, round_number=2, valid_round=0)
    assert driven.feed(again) == [SendVote(PREVOTE, 2, None, 0)]


def test_line_34_waits_once_for_more_prevotes() -> None:
    driven = Driven()
    driven.feed(TimedOut(Step.PROPOSE, 0))
    driven.votes(PREVOTE, V, OTHERS[:1])
    assert driven.votes(PREVOTE, W, OTHERS[1:2]) == [timeout(Step.PREVOTE)]
    assert driven.votes(PREVOTE, None, OTHERS[2:]) == []


def test_line_34_does_not_act_before_our_own_prevote() -> None:
    driven = Driven()
    assert driven.votes(PREVOTE, W) == []
    assert driven.feed(TimedOut(Step.PROPOSE, 0)) == [
        SendVote(PREVOTE, 0, None, None),
        timeout(Step.PREVOTE),
    ]


def test_line_36_locks_and_precommits() -> None:
    driven = Driven()
    driven.feed(BlockChecked(V, valid=True), signed_proposal(V))
    driven.votes(PREVOTE, V, OTHERS[:1])
    assert driven.votes(PREVOTE, V, OTHERS[1:2]) == [SendVote(PRECOMMIT, 0, V, None)]
    height = driven.height
    assert (height.locked_block, height.locked_round) == (V, 0)
    assert (height.valid_block, height.valid_round) == (V, 0)


def test_line_36_after_the_precommit_only_remembers() -> None:
    driven = Driven()
    driven.feed(BlockChecked(V, valid=True), signed_proposal(V))
    driven.feed(TimedOut(Step.PREVOTE, 0))
    assert driven.votes(PREVOTE, V) == []
    height = driven.height
    assert (height.locked_block, height.locked_round) == (None, -1)
    assert (height.valid_block, height.valid_round) == (V, 0)


@pytest.mark.parametrize("verdict", [[], [BlockChecked(V, valid=False)]])
def test_line_36_never_locks_what_is_not_found_valid(verdict: list[Input]) -> None:
    driven = Driven()
    driven.feed(signed_proposal(V), *verdict, TimedOut(Step.PROPOSE, 0))
    driven.votes(PREVOTE, V)
    assert driven.height.locked_block is None
    assert driven.height.valid_block is None


def test_line_44_precommits_nil_and_keeps_the_lock() -> None:
    driven = Driven()
    driven.lock(V)
    driven.next_round()
    driven.feed(TimedOut(Step.PROPOSE, 1))
    driven.votes(PREVOTE, None, OTHERS[:1], 1)
    effects = driven.votes(PREVOTE, None, OTHERS[1:2], 1)
    assert effects == [SendVote(PRECOMMIT, 1, None, None)]
    assert (driven.height.locked_block, driven.height.locked_round) == (V, 0)


def test_line_47_waits_once_for_more_precommits() -> None:
    driven = Driven()
    assert driven.votes(PRECOMMIT, None) == [timeout(Step.PRECOMMIT)]
    driven.feed(TimedOut(Step.PROPOSE, 0))
    assert driven.feed(TimedOut(Step.PREVOTE, 0)) == [SendVote(PRECOMMIT, 0, None, None)]


def test_line_49_decides_a_block_of_any_round() -> None:
    driven = Driven()
    driven.feed(signed_proposal(V), BlockChecked(V, valid=True))
    driven.next_round()
    effects = driven.feed(signed_certificate(PRECOMMIT, OTHERS, V))
    assert effects == [Decide(0, V)]
    assert driven.feed(signed_vote(PRECOMMIT, ME, V), TimedOut(Step.PROPOSE, 1)) == []


def test_line_49_waits_for_the_proposal_and_its_execution() -> None:
    driven = Driven()
    driven.votes(PRECOMMIT, V)
    assert driven.feed(BlockChecked(V, valid=True)) == []
    assert Decide(0, V) in driven.feed(signed_proposal(V))


def test_a_certificate_stands_for_the_proposal() -> None:
    driven = Driven()
    driven.feed(BlockChecked(V, valid=True))
    assert driven.feed(signed_certificate(PRECOMMIT, OTHERS, V))[-1] == Decide(0, V)


def test_line_55_skips_to_a_round_that_an_honest_one_is_in() -> None:
    driven = Driven()
    assert driven.votes(PREVOTE, V, OTHERS[:1], 7) == []
    assert driven.votes(PRECOMMIT, None, OTHERS[1:2], 7)[0] == RoundBegan(7)
    assert driven.height.round == 7


@pytest.mark.parametrize(
    ("event", "effects"),
    [
        (TimedOut(Step.PROPOSE, 0), [SendVote(PREVOTE, 0, None, None)]),
        (TimedOut(Step.PREVOTE, 0), []),
        (TimedOut(Step.PRECOMMIT, 0), [RoundBegan(1), timeout(Step.PROPOSE, 1)]),
        (TimedOut(Step.PROPOSE, 1), []),
        (TimedOut(Step.PRECOMMIT, 1), []),
    ],
)
def test_lines_57_to_65_timeouts_act_in_their_round_and_step(
    event: TimedOut, effects: list[Effect]
) -> None:
    assert Driven().feed(event) == effects


def test_line_61_precommits_nil() -> None:
    driven = Driven()
    driven.feed(TimedOut(Step.PROPOSE, 0))
    assert driven.feed(TimedOut(Step.PREVOTE, 0)) == [SendVote(PRECOMMIT, 0, None, None)]
    assert driven.feed(TimedOut(Step.PREVOTE, 0), TimedOut(Step.PROPOSE, 0)) == []


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        (signed_proposal(V, round_number=2), "a proposal for a far round"),
        (
            signed_proposal(V, by=ADDRESSES[ORDER[1]]),
            "a proposal by a validator whose turn it is not",
        ),
        (signed_proposal(V, round_number=1, valid_round=1), "a proposal proved by a later round"),
    ],
)
def test_refused_proposals_change_nothing(proposal: Input, reason: str) -> None:
    driven = Driven()
    assert driven.feed(proposal) == [Refuse(reason)]
    assert driven.height.proposals == {}


def test_two_votes_and_two_proposals_accuse_each_validator_once() -> None:
    driven = Driven()
    votes = [signed_vote(PREVOTE, OTHERS[0], block) for block in (V, W, None)]
    assert driven.feed(votes[0], votes[1]) == [Accuse(accuse(votes[0], votes[1]))]
    assert driven.feed(votes[2]) == []

    late = ADDRESSES[ORDER[1]]
    first, second = (signed_proposal(each, round_number=1, by=late) for each in (V, W))
    expected = [] if ORDER[1] == OTHERS[0] else [Accuse(accuse(first, second))]
    assert driven.feed(first, second) == expected
    assert driven.height.proposals[1] == first


def test_who_only_watches_decides_without_a_word() -> None:
    driven = Driven(me=None)
    driven.feed(BlockChecked(V, valid=True), signed_proposal(V))
    driven.votes(PREVOTE, V, (0, 1, 2))
    assert driven.votes(PRECOMMIT, V, (0, 1, 2)) == [Decide(0, V)]


def test_news_is_what_can_change_something() -> None:
    driven = Driven()
    vote, proof = signed_vote(PREVOTE, OTHERS[0], V), signed_certificate(PREVOTE, OTHERS, V)
    assert driven.height.is_news(vote)
    assert driven.height.is_news(proof)
    assert driven.height.is_news(signed_proposal(V))
    driven.feed(vote, proof, signed_proposal(V))
    assert not driven.height.is_news(vote)
    assert not driven.height.is_news(proof)
    assert not driven.height.is_news(signed_proposal(V))
    assert driven.height.is_news(signed_vote(PREVOTE, OTHERS[0], W))
    driven.feed(signed_vote(PREVOTE, OTHERS[0], W))
    assert not driven.height.is_news(signed_vote(PREVOTE, OTHERS[0], None))


@pytest.mark.parametrize(
    "event",
    [
        Begin(),
        BlockBuilt(1, V),
        BlockChecked(V, valid=False),
        TimedOut(Step.PREVOTE, 9),
        signed_vote(PREVOTE, 0, None),
        signed_proposal(V),
        signed_certificate(PRECOMMIT, (0, 1, 2), V),
    ],
)
def test_inputs_survive_their_bytes(event: Input) -> None:
    assert INPUT.decode(INPUT.encode(event)) == event
