"""What a validator says is signed, remembered by step, and never said twice differently."""

from random import Random

import pytest

from consensus.core.height import Height
from consensus.core.inputs import SendProposal, SendVote
from consensus.core.messages import Kind
from consensus.core.proposer import proposer
from consensus.engine.signer import Signer, SigningRefused
from consensus.engine.voice import Voice
from tests.simulation.disk import SimulatedDisk
from tests.support.consensus_cast import (
    ADDRESSES,
    FOUR,
    GENESIS,
    KEYS,
    V,
    W,
    signed_proposal,
    signed_vote,
)

ME = ADDRESSES.index(proposer(FOUR, 1, 0))


def test_says_it_signed_and_remembers_the_last_of_each_step() -> None:
    voice, height = spoken()
    later = voice.vote(SendVote(Kind.PREVOTE, 1, None, 0), height)
    assert later == signed_vote(Kind.PREVOTE, ME, None, round_number=1, valid_round=0)
    assert voice.last() == (signed_proposal(V), later, signed_vote(Kind.PRECOMMIT, ME, V))
    voice.forget()
    assert voice.last() == ()


def test_refuses_what_contradicts_the_signer_or_the_height() -> None:
    voice, height = spoken()
    with pytest.raises(SigningRefused, match="comes before"):
        voice.vote(SendVote(Kind.PREVOTE, 0, W, None), height)
    height.step(signed_vote(Kind.PRECOMMIT, ME, W, round_number=1))
    with pytest.raises(SigningRefused, match="this key has voted elsewhere"):
        voice.vote(SendVote(Kind.PRECOMMIT, 1, V, None), height)
    height.proposals[2] = signed_proposal(W, round_number=2)
    with pytest.raises(SigningRefused, match="this key has proposed elsewhere"):
        voice.propose(SendProposal(2, V, None), height)


def spoken() -> tuple[Voice, Height]:
    """Give a voice that has gone through round 0, and a height that has not heard it."""
    signer = Signer(KEYS[ADDRESSES[ME]], SimulatedDisk(Random(0)))
    signer.open()
    voice, height = Voice(GENESIS, signer), Height(1, FOUR, ADDRESSES[ME])
    voice.propose(SendProposal(0, V, None), height)
    voice.vote(SendVote(Kind.PREVOTE, 0, V, None), height)
    voice.vote(SendVote(Kind.PRECOMMIT, 0, V, None), height)
    return voice, height
