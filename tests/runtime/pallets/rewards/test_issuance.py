"""New coins: what use earned, never more than it cost, and never more than an epoch has."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.rewards.issuance import IssuanceConfig, issue

CONFIG = IssuanceConfig(1_000, 500_000)


def test_use_divides_the_share_of_data() -> None:
    assert issue(CONFIG, {}) == (500, {})
    assert issue(CONFIG, {"digits": 9_000, "letters": 1_000}) == (
        500,
        {"digits": 450, "letters": 50},
    )


def test_who_pays_his_own_models_gets_no_more_than_it_cost() -> None:
    assert issue(CONFIG, {"mine": 7}) == (500, {"mine": 7})
    assert issue(CONFIG, {"mine": 0, "digits": 300}) == (500, {"digits": 300})


@given(
    st.integers(0, 10**18),
    st.integers(0, 1_000_000),
    st.dictionaries(st.text(max_size=3), st.integers(0, 10**20), max_size=9),
)
def test_an_epoch_has_what_it_has(per_epoch: int, parts: int, use: dict[str, int]) -> None:
    validators, shares = issue(IssuanceConfig(per_epoch, parts), use)
    assert validators + sum(shares.values()) <= per_epoch
    assert all(0 < shares[source] <= use[source] for source in shares)
