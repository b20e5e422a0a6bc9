from hypothesis import given
from hypothesis import strategies as st

from chain.gossip.chunk_plan import ASKED_AT_ONCE, ASKED_OF_PEER, Ask, ChunkPlan


def test_asks_are_spread_over_peers_and_bounded() -> None:
    plan = ChunkPlan(range(20))
    assert plan.next_asks(["a", "b"]) == [Ask("a", 0), Ask("b", 1), Ask("a", 2), Ask("b", 3)]
    assert plan.next_asks(["a", "b"]) == []
    plan.arrived(Ask("b", 1))
    assert plan.next_asks(["a", "b"]) == [Ask("b", 4)]
    assert len(plan.next_asks(list("cdefgh"))) == ASKED_AT_ONCE - 4


def test_what_a_peer_does_not_give_is_asked_elsewhere_and_of_it_no_more() -> None:
    plan = ChunkPlan([7])
    assert plan.next_asks(["a"]) == [Ask("a", 7)]
    plan.failed(Ask("a", 7))
    assert plan.next_asks(["a"]) == []
    assert not plan.is_busy
    assert not plan.is_done
    assert plan.next_asks(["a", "b"]) == [Ask("b", 7)]
    plan.failed(Ask("b", 7))
    plan.give_second_chances()
    assert plan.next_asks(["a"]) == [Ask("a", 7)]
    plan.arrived(Ask("a", 7))
    assert plan.is_done


@given(st.integers(0, 40), st.lists(st.booleans(), max_size=200), st.integers(1, 6))
def test_every_chunk_arrives_once_whoever_fails(
    count: int, fates: list[bool], peer_count: int
) -> None:
    plan, peers = ChunkPlan(range(count)), [f"peer{each}" for each in range(peer_count)]
    arrived: list[int] = []
    under_way: list[Ask] = []
    turns = iter(fates)
    while not plan.is_done:
        under_way += plan.next_asks(peers)
        assert len(under_way) <= ASKED_AT_ONCE
        assert all(sum(ask.peer == peer for ask in under_way) <= ASKED_OF_PEER for peer in peers)
        if not under_way:
            plan.give_second_chances()
            continue
        ask = under_way.pop(0)
        if next(turns, True):
            plan.arrived(ask)
            arrived.append(ask.index)
        else:
            plan.failed(ask)
    assert sorted(arrived) == list(range(count))
