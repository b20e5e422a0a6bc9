"""What is remembered about peers is bounded."""

from consensus.core.messages import BlockRequest
from consensus.engine.peers import EARLY_MAX, LOADS_MAX, PEERS_MAX, Peers


def test_the_silent_are_forgotten_first() -> None:
    peers = Peers()
    for number in range(PEERS_MAX):
        peers.heard(f"peer {number}")
    peers.heard("peer 0")
    peers.heard("newcomer")

    names = peers.names()
    assert len(names) == PEERS_MAX
    assert names[:2] == ("newcomer", "peer 0")
    assert "peer 1" not in names


def test_answers_keep_a_distance() -> None:
    peers = Peers()
    peers.heard("a")
    answers = [peers.may_answer("a", moment, 50) for moment in (0, 10, 49, 50, 60)]
    assert answers == [True, False, False, True, False]


def test_early_messages_are_bounded_and_taken_once() -> None:
    peers = Peers()
    peers.heard("a")
    messages = [BlockRequest(bytes([number]) * 32) for number in range(EARLY_MAX + 1)]
    for message in messages:
        peers.keep_early("a", message)
    assert peers.take_early() == tuple(("a", message) for message in messages[:EARLY_MAX])
    assert peers.take_early() == ()


def test_look_ups_are_bounded() -> None:
    peers = Peers()
    peers.heard("a")
    assert [peers.start_load("a") for _ in range(LOADS_MAX + 1)] == [True] * LOADS_MAX + [False]
    peers.end_load("a")
    peers.end_load("forgotten")
    assert peers.start_load("a")
