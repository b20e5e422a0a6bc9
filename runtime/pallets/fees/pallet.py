"""Fees: what a transaction costs, taken before it runs and corrected afterwards.

Invariant: what was withdrawn from the payer is given back or handed to the sink, to the last unit.
"""

from dataclasses import dataclass

from chain.primitives.codec import U128
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import Constant, DispatchError, Event, Overlay, Pallet
from runtime.frame.ports import Currency, FeeSink
from runtime.pallets.fees.pricing import FeeDetails, FeesConfig, price


@dataclass(frozen=True)
class TransactionFeePaid(Event, index=0):
    """A transaction was paid for."""

    who: Address
    actual_fee: Amount
    """Tip included."""
    tip: Amount


class Fees(Pallet, name="TransactionPayment", events=(TransactionFeePaid,)):
    """What a transaction costs: base, bytes, weight, and a tip if the signer wants to be first."""

    base_fee = Constant(U128, lambda self: self.config.base, "Fee of every transaction.")
    byte_fee = Constant(U128, lambda self: self.config.per_byte, "Fee of each byte.")
    weight_per_unit = Constant(
        U128, lambda self: self.config.weight_per_unit, "Picoseconds that one unit buys."
    )

    def __init__(
        self, state: Overlay, config: FeesConfig, currency: Currency, sink: FeeSink
    ) -> None:
        super().__init__(state)
        self.config = config
        self._currency = currency
        self._sink = sink

    def details(self, length: int, weight: int) -> FeeDetails:
        """Price a transaction of some bytes and picoseconds."""
        return price(self.config, length, weight)

    def weight_fee(self, weight: int) -> int:
        """Price picoseconds alone."""
        return price(self.config, 0, weight).adjusted_weight_fee

    def charge(self, payer: Address, amount: int) -> None:
        """Take fee and tip before the call; raises DispatchError where the payer cannot."""
        self._currency.withdraw(payer, amount)

    def settle(self, payer: Address, charged: int, fee: int, tip: int) -> int:
        """Give back what was charged too much, hand on the rest; gives what was paid in all."""
        surplus = charged - fee - tip
        if surplus > 0:
            fee += self._refund(payer, surplus)
        self._sink.receive_fee(fee, tip)
        self.emit(TransactionFeePaid(payer, fee + tip, tip))
        return fee + tip

    def _refund(self, payer: Address, surplus: int) -> int:
        """Refund what can be; gives what could not: a payer emptied by its call takes no dust."""
        try:
            self._currency.deposit(payer, surplus)
        except DispatchError:
            return surplus
        return 0
