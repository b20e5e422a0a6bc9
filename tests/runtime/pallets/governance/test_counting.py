"""Counting: quorum of all coins, approval among those who voted."""

from dataclasses import replace

import pytest

from runtime.assembly import CONFIG
from runtime.pallets.governance.counting import Verdict, decide, is_two_thirds

RULES = replace(CONFIG.governance, quorum=200_000, approval=500_000, deposit_back=10_000)


@pytest.mark.parametrize(
    ("ayes", "nays", "verdict"),
    [
        (200, 0, Verdict(True, True)),
        (199, 0, Verdict(False, True)),
        (101, 99, Verdict(True, True)),
        (100, 100, Verdict(False, True)),
        (9, 600, Verdict(False, False)),
        (10, 600, Verdict(False, True)),
        (0, 0, Verdict(False, False)),
    ],
)
def test_of_a_thousand_coins(ayes: int, nays: int, verdict: Verdict) -> None:
    assert decide(RULES, ayes, nays, 1_000) == verdict


def test_two_thirds_are_not_enough() -> None:
    assert [is_two_thirds(power, 300) for power in (0, 200, 201, 300)] == [False, False, True, True]
