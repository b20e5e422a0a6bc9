"""The running sum of a dataset against a distributor that pays every contributor at once."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.rewards.pool import (
    SCALE,
    Pool,
    Share,
    change_units,
    close,
    owed,
    pay_in,
    settle,
)

NAMES = ("bob", "carol", "mallory")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 10**24), st.just(0)),
        st.tuples(st.just("units"), st.integers(0, 2), st.integers(0, 2**32)),
        st.tuples(st.just("claim"), st.integers(0, 2), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_every_contributor_gets_what_a_naive_distributor_pays(
    steps: list[tuple[str, int, int]],
) -> None:
    pool = Pool()
    shares = {name: Share() for name in NAMES}
    paid = dict.fromkeys(NAMES, 0)
    due = dict.fromkeys(NAMES, Fraction(0))
    came_in = 0
    for kind, first, second in steps:
        if kind == "pay":
            if pool.units == 0:
                continue
            for name in NAMES:
                due[name] += Fraction(first * shares[name].units, pool.units)
            pool = pay_in(pool, first)
            came_in += first
            continue
        name = NAMES[first]
        pool, share, amount = settle(pool, shares[name])
        if kind == "units":
            pool, share = change_units(pool, share, second - share.units)
        shares[name] = share
        paid[name] += amount

    for name in NAMES:
        pool, shares[name], amount = settle(pool, shares[name])
        paid[name] += amount
        assert -2 < paid[name] - due[name] < 2
    assert pool.unclaimed == came_in - sum(paid.values())
    fractions = pool.fraction + sum(share.fraction for share in shares.values())
    assert pool.unclaimed * SCALE == fractions
    assert pool.unclaimed <= len(NAMES)


def test_equal_rows_earn_equally() -> None:
    pool, bob = change_units(Pool(), Share(), 750)
    pool, carol = change_units(pool, Share(), 750)

    pool = pay_in(pool, 1_001)

    assert (owed(pool, bob), owed(pool, carol)) == (500, 500)
    pool, bob, amount = settle(pool, bob)
    assert amount == 500
    assert owed(pool, bob) == 0
    assert pool.unclaimed == 501


def test_rows_that_come_later_earn_nothing_of_earlier_payments() -> None:
    pool, bob = change_units(Pool(), Share(), 10)
    pool = pay_in(pool, 100)
    pool, late, amount = settle(pool, Share())
    pool, late = change_units(pool, late, 90)

    assert amount == 0
    assert (owed(pool, bob), owed(pool, late)) == (100, 0)
    pool = pay_in(pool, 100)
    assert (owed(pool, bob), owed(pool, late)) == (110, 90)


def test_a_closed_share_leaves_its_fraction_to_the_others() -> None:
    pool, bob = change_units(Pool(), Share(), 1)
    pool, carol = change_units(pool, Share(), 2)
    pool = pay_in(pool, 1)
    pool, bob, amount = settle(pool, bob)
    pool, bob = change_units(pool, bob, -1)

    pool = close(pool, bob)

    assert (amount, bob.fraction) == (0, SCALE // 3)
    assert pool.fraction == SCALE // 3 + 1
    pool = pay_in(pool, 1)
    assert owed(pool, carol) == 2
    assert pool.unclaimed == 2
