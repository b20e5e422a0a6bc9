"""Treasury: what shares and remainders bring it, spent by vote and never burned.

Invariant: the account of the treasury never dies.
"""

from dataclasses import dataclass

from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import DispatchError, Event, Overlay, Pallet, Root, call
from runtime.frame.ports import Currency
from runtime.pallets.treasury import weights


@dataclass(frozen=True)
class Spent(Event, index=0):
    """A vote gave funds of the treasury to an account."""

    beneficiary: Address
    amount: Amount


class NothingToSpend(DispatchError, index=0):
    """The amount is zero.  Say how much the beneficiary shall have."""


class Treasury(Pallet, events=(Spent,), errors=(NothingToSpend,)):
    """Funds that only a vote spends."""

    def __init__(self, state: Overlay, currency: Currency, account: Address) -> None:
        super().__init__(state)
        self.currency = currency
        self.account = account

    @call(index=0, weight=weights.SPEND)
    def spend(self, origin: Root, beneficiary: Address, amount: Amount) -> None:
        """Give funds of the treasury to an account."""
        if amount == 0:
            raise NothingToSpend()
        self.currency.transfer(self.account, beneficiary, amount)
        self.emit(Spent(beneficiary, amount))

    def spendable(self) -> int:
        """Give what a vote could spend now: all but the existential deposit."""
        return max(self.currency.free(self.account) - self.currency.existential_deposit, 0)

    def check_invariants(self) -> None:
        """Assert that the account is alive."""
        assert self.currency.free(self.account) >= self.currency.existential_deposit
