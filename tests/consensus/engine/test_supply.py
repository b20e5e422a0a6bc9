"""Which blocks a height waits for, the most urgent first."""

from consensus.core.height import Height
from consensus.core.inputs import Begin
from consensus.core.messages import BlockRequest, Kind
from consensus.engine.actions import FetchAlarm, Send, SetTimer
from consensus.engine.supply import Supply, needed
from tests.support.consensus_cast import (
    FOUR,
    V,
    W,
    signed_certificate,
    signed_proposal,
    signed_vote,
)


def test_a_final_block_comes_before_a_proposed_one() -> None:
    height = Height(1, FOUR, None)
    height.step(Begin())
    assert needed(height) == ()
    height.step(signed_proposal(V))
    height.step(signed_proposal(W, round_number=1))
    assert needed(height) == (V, W)
    height.step(signed_certificate(Kind.PRECOMMIT, (0, 1, 2), W))
    assert needed(height) == (W, V)


def test_a_vote_or_two_are_no_reason_to_fetch() -> None:
    height = Height(1, FOUR, None)
    height.step(Begin())
    for who in (0, 1):
        height.step(signed_vote(Kind.PREVOTE, who, V))
    assert needed(height) == ()
    height.step(signed_vote(Kind.PREVOTE, 2, V))
    assert needed(height) == (V,)


def test_asks_once() -> None:
    height, supply = Height(1, FOUR, None), Supply(500)
    height.step(Begin())
    height.step(signed_proposal(V))
    asked = [SetTimer(FetchAlarm(V), 500), Send("p", BlockRequest(V))]
    assert supply.seek(height, ("p",)) == asked
    assert supply.seek(height, ("p",)) == []
