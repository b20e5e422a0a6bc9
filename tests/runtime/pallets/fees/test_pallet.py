"""Fees: prices, charging, settling."""

import pytest

from chain.primitives.keys import Address
from runtime.frame import DispatchError, Overlay
from runtime.pallets.fees import FeeDetails, Fees, FeesConfig
from runtime.pallets.fees.pallet import TransactionFeePaid

ALICE = bytes([1]) * 32


class Empty(DispatchError, index=0):
    """Fill it."""


class Purse:
    """One account, and the sink."""

    def __init__(self) -> None:
        self.funds, self.fees, self.tips, self.closed = 1000, 0, 0, False

    def withdraw(self, address: Address, amount: int) -> None:
        if amount > self.funds:
            raise Empty(f"{self.funds} < {amount}")
        self.funds -= amount

    def deposit(self, address: Address, amount: int) -> None:
        if self.closed:
            raise Empty("closed")
        self.funds += amount

    def receive_fee(self, fee: int, tip: int) -> None:
        self.fees += fee
        self.tips += tip


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def fees(purse: Purse) -> Fees:
    config = FeesConfig(base=100, per_byte=2, weight_per_unit=10)
    return Fees(Overlay.over({}), config, purse, purse)  # type: ignore[arg-type]


def test_a_price_has_three_parts(fees: Fees) -> None:
    assert fees.details(50, 301) == FeeDetails(100, 100, 31)
    assert fees.details(50, 301).total == 231
    assert fees.weight_fee(300) == 30


@pytest.mark.parametrize(
    ("closed", "fee", "paid", "left"), [(False, 200, 205, 795), (False, 150, 155, 845)]
)
def test_what_was_too_much_comes_back(
    fees: Fees, purse: Purse, closed: bool, fee: int, paid: int, left: int
) -> None:
    fees.charge(ALICE, 205)

    assert fees.settle(ALICE, 205, fee, 5) == paid
    assert (purse.funds, purse.fees, purse.tips) == (left, fee, 5)
    assert fees.state.events == [TransactionFeePaid(ALICE, paid, 5)]


def test_an_emptied_payer_gets_nothing_back(fees: Fees, purse: Purse) -> None:
    fees.charge(ALICE, 205)
    purse.closed = True

    assert fees.settle(ALICE, 205, 150, 5) == 205
    assert (purse.funds, purse.fees, purse.tips) == (795, 200, 5)


def test_who_cannot_pay_is_refused(fees: Fees, purse: Purse) -> None:
    with pytest.raises(Empty):
        fees.charge(ALICE, 1001)

    assert (purse.funds, fees.state.events) == (1000, [])
