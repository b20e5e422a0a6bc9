import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.network.peers import (
    Candidate,
    Doorman,
    Standings,
    dial_again_after,
    is_better,
    peer_id_of,
)


def test_points_add_up_to_a_ban_that_expires() -> None:
    standings = Standings(ban_points=100, ban_seconds=600)
    assert not standings.penalise("peer", 60, now=0)
    assert not standings.is_banned("peer", now=0)
    assert standings.penalise("peer", 40, now=0)
    assert standings.is_banned("peer", now=599.9)
    assert not standings.is_banned("peer", now=600)
    assert not standings.penalise("peer", 60, now=601)


def test_small_faults_are_forgiven_by_time() -> None:
    standings = Standings(ban_points=100)
    assert not any(standings.penalise("peer", 6, now=minute * 60) for minute in range(1000))


def test_the_longest_blameless_peer_is_forgotten_first() -> None:
    standings = Standings(peers_max=2)
    standings.penalise("one", 100, now=0)
    standings.penalise("two", 100, now=0)
    standings.penalise("one", 1, now=0)
    standings.penalise("three", 100, now=0)
    assert [standings.is_banned(each, now=1) for each in ("one", "two", "three")] == [
        True,
        False,
        True,
    ]


def test_the_doorman_keeps_each_bound_and_gives_places_back() -> None:
    doorman = Doorman(total_max=3, per_address_max=2, pending_max=2)
    assert [doorman.admit("a"), doorman.admit("a"), doorman.admit("b")] == [True, True, False]
    doorman.settle()
    assert [doorman.admit("a"), doorman.admit("b")] == [False, True]
    doorman.settle()
    doorman.settle()
    assert not doorman.admit("c")
    doorman.release("a")
    assert doorman.admit("c")
    for address in ("a", "b", "c"):
        doorman.release(address)
    assert doorman.total == 0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_dialling_again_waits_between_a_third_of_a_second_and_ten(
    failures: int, jitter: float
) -> None:
    assert 0.3 <= dial_again_after(failures, jitter) <= 10.0


def test_dialling_again_waits_longer_each_time() -> None:
    assert [dial_again_after(each, 0.0) for each in range(8)] == [
        *(0.3, 0.3, 0.6, 1.2, 2.4, 4.8),
        *(5.0, 5.0),
    ]


@pytest.mark.parametrize("new_inbound_at_small", [True, False])
@pytest.mark.parametrize("old_inbound_at_small", [True, False])
def test_both_ends_keep_the_same_connection(
    new_inbound_at_small: bool, old_inbound_at_small: bool
) -> None:
    at_small = is_better(
        "a", "b", Candidate(new_inbound_at_small, 2), Candidate(old_inbound_at_small, 1)
    )
    at_large = is_better(
        "b", "a", Candidate(not new_inbound_at_small, 2), Candidate(not old_inbound_at_small, 1)
    )
    assert at_small == at_large
    if new_inbound_at_small != old_inbound_at_small:
        assert at_small == (not new_inbound_at_small)


def test_a_peer_id_is_the_one_that_libp2p_gives() -> None:
    assert peer_id_of(bytes(32)) == "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
