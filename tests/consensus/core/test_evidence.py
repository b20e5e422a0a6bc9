"""Evidence: what convicts, and what must never."""

from dataclasses import replace

import pytest

from consensus.core.evidence import (
    DoubleProposal,
    DoubleVote,
    Evidence,
    accuse,
    offender,
    proves,
)
from consensus.core.messages import Kind
from tests.support.consensus_cast import (
    ADDRESSES,
    FOUR,
    GENESIS,
    NO_SIGNATURE,
    V,
    W,
    signed_proposal,
    signed_vote,
    validators,
)

ONE = signed_vote(Kind.PREVOTE, 2, V)
OTHER = signed_vote(Kind.PREVOTE, 2, W)
VOTES = accuse(ONE, OTHER)
PROPOSALS = accuse(signed_proposal(V), signed_proposal(W))


@pytest.mark.parametrize("evidence", [VOTES, PROPOSALS])
def test_convicts_whoever_signed_both(evidence: Evidence) -> None:
    assert proves(evidence, GENESIS, FOUR)
    assert offender(evidence) == evidence.first.validator


def test_order_of_arrival_does_not_matter() -> None:
    assert accuse(OTHER, ONE) == VOTES


@pytest.mark.parametrize(
    "evidence",
    [
        DoubleVote(ONE, ONE),
        DoubleVote(VOTES.second, VOTES.first),  # type: ignore[arg-type]
        accuse(ONE, signed_vote(Kind.PREVOTE, 1, W)),
        accuse(ONE, signed_vote(Kind.PRECOMMIT, 2, W)),
        accuse(ONE, signed_vote(Kind.PREVOTE, 2, W, round_number=1)),
        accuse(ONE, signed_vote(Kind.PREVOTE, 2, W, height=2)),
        accuse(ONE, replace(OTHER, signature=NO_SIGNATURE)),
        accuse(signed_proposal(V), signed_proposal(W, round_number=1)),
        DoubleProposal(signed_proposal(V), signed_proposal(V)),
    ],
)
def test_convicts_nobody(evidence: Evidence) -> None:
    assert not proves(evidence, GENESIS, FOUR)


def test_other_chain_or_other_set_convicts_nobody() -> None:
    assert not proves(VOTES, W, FOUR)
    assert ADDRESSES[2] not in validators(1, 1)
    assert not proves(VOTES, GENESIS, validators(1, 1))
