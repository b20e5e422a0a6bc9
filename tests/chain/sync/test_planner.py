from hypothesis import given, settings
from hypothesis import strategies as st

from chain.sync.planner import (
    ASKED_AT_ONCE,
    BATCH_MAX,
    PATIENCE_S,
    REST_AFTER_LIE_S,
    REST_MIN_S,
    SLOW_S,
    WAITING_BYTES_MAX,
    WINDOW,
    Ask,
    Delivered,
    SyncPlan,
)


def plan_at(head: int, **heads: int) -> SyncPlan[str]:
    plan = SyncPlan[str](head, now=0.0)
    for peer, height in heads.items():
        plan.note_head(peer, height)
    return plan


def blocks(*heights: int) -> list[tuple[str, int]]:
    return [(f"block {height}", 100) for height in heights]


def test_nothing_to_do_without_peers_or_when_level() -> None:
    assert plan_at(7).asks(now=9.0) == []
    assert plan_at(7, a=7, b=3).asks(now=9.0) == []


def test_the_last_block_is_left_to_the_agreement_unless_that_hangs() -> None:
    plan = plan_at(7, a=8)
    assert plan.asks(now=PATIENCE_S - 0.1) == []
    assert plan.asks(now=PATIENCE_S) == [Ask("a", 8, 1)]
    plan = plan_at(6, a=8)
    plan.head_moved(7, now=2.0)
    assert plan.asks(now=PATIENCE_S) == []


def test_ranges_are_split_among_peers_without_overlap() -> None:
    plan = plan_at(0, a=100, b=40, c=1000, d=100, e=100)
    assert plan.asks(now=0.0) == [
        Ask("a", 1, BATCH_MAX),
        Ask("b", 33, 8),
        Ask("c", 41, BATCH_MAX),
        Ask("d", 73, 28),
    ]
    assert plan.asks(now=0.0) == []


def test_the_window_bounds_what_is_asked() -> None:
    plan = plan_at(0, a=10**9)
    for start in range(1, WINDOW, BATCH_MAX):
        (ask,) = plan.asks(now=0.0)
        assert ask == Ask("a", start, BATCH_MAX)
        plan.received(ask, blocks(*range(start, start + BATCH_MAX)))
    assert plan.asks(now=0.0) == []
    plan.head_moved(5, now=0.0)
    assert plan.asks(now=0.0) == [Ask("a", WINDOW + 1, 5)]


def test_large_blocks_that_wait_stop_the_asking() -> None:
    plan = plan_at(0, a=1000)
    (ask,) = plan.asks(now=0.0)
    plan.received(ask, [("large", WAITING_BYTES_MAX)])
    assert plan.asks(now=0.0) == []
    plan.head_moved(1, now=0.0)
    assert plan.asks(now=0.0) == [Ask("a", 2, BATCH_MAX)]


def test_a_short_answer_leaves_the_rest_to_be_asked_again() -> None:
    plan = plan_at(0, a=10)
    (ask,) = plan.asks(now=0.0)
    plan.received(ask, blocks(1, 2, 3))
    assert plan.next_delivered() == Delivered("a", "block 1", 100)
    assert plan.asks(now=0.0) == [Ask("a", 4, 7)]


def test_a_peer_that_fails_rests_longer_each_time_and_its_claim_shrinks() -> None:
    plan = plan_at(0, a=10)
    (ask,) = plan.asks(now=0.0)
    plan.failed(ask, now=0.0)
    assert plan.target == 0
    plan.note_head("a", 10)
    assert plan.asks(now=REST_MIN_S - 0.1) == []
    (ask,) = plan.asks(now=REST_MIN_S)
    plan.failed(ask, now=10.0)
    plan.note_head("a", 10)
    assert plan.asks(now=10.0 + 2 * REST_MIN_S - 0.1) == []
    assert plan.asks(now=10.0 + 2 * REST_MIN_S) == [Ask("a", 1, 10)]


def test_an_absurd_claim_does_not_hide_honest_peers() -> None:
    plan = plan_at(0, liar=2**32 - 1, honest=5)
    asks = plan.asks(now=0.0)
    assert asks == [Ask("honest", 1, 5), Ask("liar", 6, BATCH_MAX)]
    plan.failed(asks[1], now=0.0)
    plan.received(asks[0], blocks(1, 2, 3, 4, 5))
    plan.head_moved(5, now=1.0)
    assert plan.target == 5
    assert plan.asks(now=100.0) == []


def test_a_slow_range_is_asked_of_another_peer_too() -> None:
    plan = plan_at(0, a=10, b=10)
    (slow,) = plan.asks(now=0.0)
    assert plan.asks(now=SLOW_S - 0.1) == []
    (quick,) = plan.asks(now=SLOW_S)
    assert (slow, quick) == (Ask("a", 1, 10), Ask("b", 1, 10))
    plan.received(quick, blocks(1, 2))
    plan.received(slow, blocks(1, 2, 3))
    assert plan.next_delivered() == Delivered("b", "block 1", 100)
    plan.head_moved(2, now=SLOW_S)
    assert plan.next_delivered() == Delivered("a", "block 3", 100)


def test_what_a_liar_delivered_is_dropped_and_asked_elsewhere() -> None:
    plan = plan_at(0, a=64, b=64)
    first, second = plan.asks(now=0.0)
    plan.received(first, blocks(*range(1, 33)))
    plan.received(second, blocks(*range(33, 65)))
    plan.reject("a", now=0.0)
    assert plan.next_delivered() is None
    assert plan.asks(now=0.0) == [Ask("b", 1, BATCH_MAX)]
    plan.note_head("a", 64)
    assert plan.asks(now=REST_AFTER_LIE_S - 1) == []


def test_nothing_is_kept_of_a_liar_that_is_gone() -> None:
    plan = plan_at(0, a=10)
    (ask,) = plan.asks(now=0.0)
    plan.received(ask, blocks(*range(1, 11)))
    plan.forget("a")
    plan.reject("a", now=0.0)
    assert (plan.next_delivered(), plan._peers) == (None, {})


def test_a_head_moved_by_others_drops_what_is_behind_it() -> None:
    plan = plan_at(0, a=10)
    (ask,) = plan.asks(now=0.0)
    plan.head_moved(4, now=0.0)
    plan.received(ask, blocks(*range(1, 11)))
    assert plan.next_delivered() == Delivered("a", "block 5", 100)


def test_a_peer_that_left_while_asked_is_no_trouble() -> None:
    plan = plan_at(0, a=10, b=10)
    (ask,) = plan.asks(now=0.0)
    plan.forget("a")
    plan.failed(ask, now=0.0)
    assert plan.asks(now=0.0) == [Ask("b", 1, 10)]


@settings(max_examples=60)
@given(st.integers(1, 300), st.integers(1, 6), st.randoms(use_true_random=False))
def test_with_one_honest_peer_everything_arrives_in_order(
    height: int, peer_count: int, chance: "object"
) -> None:
    plan = SyncPlan[int](0, now=0.0)
    now, imported = 0.0, []
    under_way: list[Ask] = []
    while plan.head < height:
        now += 1.0
        assert now < 5000, "no progress"
        for number in range(peer_count):
            plan.note_head(f"peer{number}", height if number == 0 else 10**6 * number)
        under_way += plan.asks(now)
        assert len(under_way) <= ASKED_AT_ONCE
        asked = [each for ask in under_way for each in range(ask.start, ask.start + ask.count)]
        assert len(asked) == len(set(asked))
        chance.shuffle(under_way)  # type: ignore[attr-defined]
        while under_way:
            ask = under_way.pop()
            if ask.peer == "peer0" or (chance.random() < 0.2 and ask.start <= height):  # type: ignore[attr-defined]
                some = chance.randint(1, ask.count)  # type: ignore[attr-defined]
                plan.received(ask, [(each, 1) for each in range(ask.start, ask.start + some)])
            else:
                plan.failed(ask, now)
        while (delivered := plan.next_delivered()) is not None:
            imported.append(delivered.item)
            plan.head_moved(plan.head + 1, now)
    assert imported[:height] == list(range(1, height + 1))
