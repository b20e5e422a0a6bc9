"""What a node says about itself, and what it sends to one that lacks it."""

from consensus.core.height import Height
from consensus.core.inputs import Begin, BlockChecked, Step, TimedOut
from consensus.core.messages import CertificateMessage, Kind, Status, Votes
from consensus.engine.exchange import answer, status_of, with_proof
from tests.support.consensus_cast import FOUR, V, signed_certificate, signed_proposal, signed_vote

PREVOTE, PRECOMMIT = Kind.PREVOTE, Kind.PRECOMMIT
EMPTY = Status(1, 0, None, False, b"\x00", b"\x00")


def watched(*events: object) -> Height:
    height = Height(1, FOUR, None)
    for event in (Begin(), *events):
        height.step(event)  # type: ignore[arg-type]
    return height


def test_status_says_what_is_there() -> None:
    assert status_of(Height(1, FOUR, None)) == EMPTY
    votes = [signed_vote(PREVOTE, who, V) for who in (0, 3)]
    height = watched(signed_proposal(V), *votes, signed_vote(PRECOMMIT, 1, None))
    assert status_of(height) == Status(1, 0, None, True, b"\x09", b"\x02")


def test_sends_exactly_what_is_lacking() -> None:
    votes = [signed_vote(PREVOTE, who, V) for who in (0, 1)]
    height = watched(signed_proposal(V), *votes)
    assert answer(height, EMPTY) == [signed_proposal(V), Votes(tuple(votes))]
    assert answer(height, Status(1, 0, None, True, b"\x01", b"\x00")) == [Votes((votes[1],))]
    assert answer(height, status_of(height)) == []
    assert answer(height, Status(1, 1, None, False, b"", b"")) == []


def test_helps_into_a_later_round() -> None:
    ended = [signed_vote(PRECOMMIT, who, None) for who in (0, 1, 2)]
    later = signed_vote(PREVOTE, 0, None, round_number=1)
    height = watched(*ended, TimedOut(Step.PRECOMMIT, 0), later)
    assert height.round == 1
    assert answer(height, EMPTY) == [Votes(tuple(ended)), Votes((later,))]


def test_shows_a_polka_and_a_commit() -> None:
    polka = signed_certificate(PREVOTE, (0, 1, 2), V)
    votes = [signed_vote(PREVOTE, who, V) for who in (0, 1, 2)]
    height = watched(BlockChecked(V, valid=True), signed_proposal(V), *votes)
    assert answer(height, status_of(height)) == []
    assert answer(height, EMPTY)[0] == CertificateMessage(polka)

    commit = signed_certificate(PRECOMMIT, (0, 1, 3), V)
    height.step(commit)
    assert answer(height, EMPTY) == [CertificateMessage(commit)]


def test_a_block_proposed_again_travels_with_its_polka() -> None:
    polka = signed_certificate(PREVOTE, (0, 1, 2), V)
    again = signed_proposal(V, round_number=1, valid_round=0)
    assert with_proof(watched(polka), again) == [CertificateMessage(polka), again]
    assert with_proof(watched(), again) == [again]
    assert with_proof(watched(polka), signed_proposal(V)) == [signed_proposal(V)]
    vote = signed_vote(PREVOTE, 0, V, round_number=1, valid_round=0)
    assert with_proof(watched(polka), vote) == [vote]
