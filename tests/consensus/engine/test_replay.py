"""A log brings the height back, and only what the crash cut off is done again."""

from consensus.core.height import Height
from consensus.core.inputs import (
    Begin,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    Input,
    RoundBegan,
    SendProposal,
    SendVote,
    StartTimeout,
    Step,
)
from consensus.core.messages import Kind
from consensus.core.proposer import proposer
from consensus.engine.replay import LOGGED, LoggedBlock, LoggedInput, replay
from tests.simulation.ledger import SimulatedLedger
from tests.support.consensus_cast import ADDRESSES, FOUR, signed_proposal, signed_vote

BLOCK = SimulatedLedger().build("block one")
HASH = BLOCK.hash()
ME = ADDRESSES.index(proposer(FOUR, 1, 0))
BEGUN = [RoundBegan(0), StartTimeout(Step.PROPOSE, 0)]


def replayed(*inputs: Input) -> tuple[Height, list[object]]:
    height = Height(1, FOUR, ADDRESSES[ME])
    return height, list(replay(height, [LoggedInput(each) for each in inputs]).pending)


def test_an_unanswered_order_is_given_again() -> None:
    _, pending = replayed(Begin())
    assert pending == [BEGUN[0], BuildBlock(0), BEGUN[1]]


def test_a_built_block_is_proposed_if_it_was_not() -> None:
    built = (Begin(), BlockChecked(HASH, valid=True), BlockBuilt(0, HASH))
    assert replayed(*built)[1] == [*BEGUN, SendProposal(0, HASH, None)]
    height, pending = replayed(*built, signed_proposal(HASH))
    assert pending == [*BEGUN, SendVote(Kind.PREVOTE, 0, HASH, None)]
    assert height.proposals[0] == signed_proposal(HASH)


def test_what_was_said_is_remembered_and_not_pending() -> None:
    height = Height(1, FOUR, ADDRESSES[ME])
    own = [signed_proposal(HASH), signed_vote(Kind.PREVOTE, ME, HASH)]
    inputs = [Begin(), BlockChecked(HASH, valid=True), BlockBuilt(0, HASH), *own]
    result = replay(height, [LoggedBlock(BLOCK), *(LoggedInput(each) for each in inputs)])
    assert (result.blocks, result.own, result.pending) == ([BLOCK], own, BEGUN)


def test_records_survive_their_bytes() -> None:
    for record in (LoggedBlock(BLOCK), LoggedInput(Begin()), LoggedInput(signed_proposal(HASH))):
        assert LOGGED.decode(LOGGED.encode(record)) == record
