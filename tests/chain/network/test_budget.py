from chain.network.budget import PEERS_MAX, Budget


def test_a_burst_then_the_steady_rate() -> None:
    budget = Budget(per_second=10, burst=30)
    assert [budget.take("one", 10, now=0.0) for _ in range(4)] == [True, True, True, False]
    assert budget.take("two", 10, now=0.0)
    assert not budget.take("one", 10, now=0.9)
    assert budget.take("one", 10, now=1.0)
    assert [budget.take("one", 10, now=100.0) for _ in range(4)] == [True, True, True, False]


def test_buckets_are_bounded() -> None:
    budget = Budget(per_second=1, burst=1)
    for number in range(PEERS_MAX + 10):
        budget.take(str(number), 1, now=0.0)
    assert len(budget._left) == PEERS_MAX
