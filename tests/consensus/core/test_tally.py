"""Counting: thresholds once, first vote counts, certificates whole, far rounds bounded."""

from consensus.core.messages import Kind
from consensus.core.tally import (
    FAR_CHANGES_MAX,
    AnyQuorum,
    Counted,
    Present,
    Quorum,
    Tally,
)
from tests.support.consensus_cast import (
    ADDRESSES,
    FOUR,
    V,
    W,
    signed_certificate,
    signed_vote,
    validators,
)

PREVOTE, PRECOMMIT = Kind.PREVOTE, Kind.PRECOMMIT


def test_each_threshold_is_named_once() -> None:
    tally = Tally(FOUR)
    counted = [tally.add(signed_vote(PREVOTE, who, V), 0) for who in range(4)]

    assert counted == [
        Counted(),
        Counted((Present(0),)),
        Counted((Quorum(PREVOTE, 0, V), AnyQuorum(PREVOTE, 0))),
        Counted(),
    ]
    assert list(tally.reached) == [Present(0), Quorum(PREVOTE, 0, V), AnyQuorum(PREVOTE, 0)]


def test_votes_for_different_blocks_are_any_quorum_only() -> None:
    tally = Tally(FOUR)
    for who, block in enumerate((V, W, None)):
        tally.add(signed_vote(PRECOMMIT, who, block), 0)
    assert list(tally.reached) == [Present(0), AnyQuorum(PRECOMMIT, 0)]
    assert tally.commits() == ()


def test_power_counts_not_heads() -> None:
    tally = Tally(validators(7, 1, 1, 1))
    for who in (1, 2, 3):
        assert tally.add(signed_vote(PRECOMMIT, who, V), 0) == Counted()
    reached = tally.add(signed_vote(PRECOMMIT, 0, V), 0).reached
    assert reached == (Quorum(PRECOMMIT, 0, V), AnyQuorum(PRECOMMIT, 0), Present(0))
    assert tally.commits() == (Quorum(PRECOMMIT, 0, V),)


def test_second_vote_conflicts_and_does_not_count() -> None:
    tally = Tally(FOUR)
    first, second = signed_vote(PREVOTE, 0, V), signed_vote(PREVOTE, 0, W)
    tally.add(first, 0)

    assert tally.add(first, 0) == Counted()
    assert tally.add(second, 0) == Counted(conflict=first)
    assert tally.add(signed_vote(PREVOTE, 0, V, valid_round=0), 0) == Counted(conflict=first)
    assert tally.votes(PREVOTE, 0) == (first,)


def test_certificate_counts_whole_in_spite_of_an_earlier_vote() -> None:
    tally = Tally(FOUR)
    tally.add(signed_vote(PREVOTE, 2, W), 0)
    proof = signed_certificate(PREVOTE, (0, 1, 2), V)

    assert tally.take(proof) == (Quorum(PREVOTE, 0, V), AnyQuorum(PREVOTE, 0), Present(0))
    assert tally.take(proof) == ()
    assert tally.certificate(PREVOTE, 0, V) == proof
    assert tally.certified(PREVOTE, 0) == (V,)


def test_votes_become_a_certificate() -> None:
    tally = Tally(FOUR)
    for who in (3, 1):
        tally.add(signed_vote(PRECOMMIT, who, V), 0)
    assert tally.certificate(PRECOMMIT, 0, V) is None
    tally.add(signed_vote(PRECOMMIT, 2, W), 0)
    tally.add(signed_vote(PRECOMMIT, 0, V), 0)
    assert tally.certificate(PRECOMMIT, 0, V) == signed_certificate(PRECOMMIT, (0, 1, 3), V)
    assert tally.certified(PRECOMMIT, 0) == ()


def test_only_the_latest_far_rounds_of_a_validator_are_kept() -> None:
    tally = Tally(FOUR)
    for number in (5, 9, 7):
        assert tally.add(signed_vote(PREVOTE, 0, V, round_number=number), 0) == Counted()
    refused = tally.add(signed_vote(PREVOTE, 0, V, round_number=6), 0)

    assert refused == Counted(refused="more than 2 far rounds at a time")
    kept = [number for number in range(12) if tally.vote(PREVOTE, number, ADDRESSES[0])]
    assert kept == [7, 9]
    assert tally.add(signed_vote(PRECOMMIT, 0, V, round_number=9), 0) == Counted()
    assert tally.add(signed_vote(PREVOTE, 0, V, round_number=1), 0) == Counted()


def test_a_flood_of_far_rounds_ends() -> None:
    tally = Tally(FOUR)
    votes = [signed_vote(PREVOTE, 0, V, round_number=each) for each in range(3)]
    for number in range(10, 10 + FAR_CHANGES_MAX):
        far = type(votes[0])(PREVOTE, 1, number, V, None, ADDRESSES[0], bytes(64))
        assert tally.add(far, 0) == Counted()
    far = type(votes[0])(PREVOTE, 1, 10**6, V, None, ADDRESSES[0], bytes(64))

    assert tally.add(far, 0) == Counted(refused="more than 1000 far rounds")
    assert len(tally._ballots) <= 2
    assert len(tally._heard) <= 2


def test_a_third_in_a_far_round_is_present() -> None:
    tally = Tally(FOUR)
    tally.add(signed_vote(PREVOTE, 0, V, round_number=30), 0)
    assert tally.latest_present() == -1
    assert tally.add(signed_vote(PRECOMMIT, 1, W, round_number=30), 0).reached == (Present(30),)
    assert tally.latest_present() == 30
