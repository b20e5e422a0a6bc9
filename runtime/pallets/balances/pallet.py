"""Balances: who owns how much, and how it moves.

Invariant: the funds of all accounts, free and reserved, add up to the total issuance; an account
with funds has free funds of the existential deposit at least.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import COMPACT_U128, U128
from chain.primitives.extrinsic import MultiAddress
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import (
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    Signed,
    StorageValue,
    call,
)
from runtime.frame.account import NEW_LOGIC, AccountData, AccountInfo, AccountStore
from runtime.pallets.balances import weights

Value = Annotated[int, COMPACT_U128]
"""An amount as calls carry it."""


@dataclass(frozen=True, slots=True)
class BalancesConfig:
    """What a chain decides about balances."""

    existential_deposit: int
    """Least that a live account holds.  Dust is refused, so that the state cannot be filled
    cheaply."""


@dataclass(frozen=True)
class Endowed(Event, index=0):
    """An account got its first funds."""

    account: Address
    free_balance: Amount


@dataclass(frozen=True)
class Transfer(Event, index=2):
    """Free funds moved between two accounts."""

    from_: Address
    to: Address
    amount: Amount


@dataclass(frozen=True)
class Reserved(Event, index=4):
    """Funds were set aside."""

    who: Address
    amount: Amount


@dataclass(frozen=True)
class Unreserved(Event, index=5):
    """Funds set aside are free again."""

    who: Address
    amount: Amount


@dataclass(frozen=True)
class Deposit(Event, index=7):
    """Funds were put into an account."""

    who: Address
    amount: Amount


@dataclass(frozen=True)
class Withdraw(Event, index=8):
    """Funds were taken out of an account."""

    who: Address
    amount: Amount


class InsufficientBalance(DispatchError, index=2):
    """The account's free funds are below the amount.  Send less, or fill it up first."""


class ExistentialDeposit(DispatchError, index=3):
    """The recipient would hold less than the existential deposit.  Send at least that much."""


class Expendability(DispatchError, index=4):
    """The sender would hold less than the existential deposit.  Leave that much, or send all."""


class Balances(
    Pallet,
    events=(Endowed, Transfer, Reserved, Unreserved, Deposit, Withdraw),
    errors=(InsufficientBalance, ExistentialDeposit, Expendability),
):
    """The native coin."""

    total_issuance = StorageValue(U128, default=0, docs="All funds there are.")

    existential_deposit = Constant(
        U128, lambda self: self.config.existential_deposit, "Least that a live account holds."
    )

    def __init__(self, state: Overlay, config: BalancesConfig, store: AccountStore) -> None:
        super().__init__(state)
        self.config = config
        self._store = store
        self._accounts = store.account

    def build_genesis(self, endowments: Mapping[Address, int]) -> None:
        """Give each address its first funds; raises ExistentialDeposit for too little."""
        for address in sorted(endowments):
            self.deposit(address, endowments[address])
        self.total_issuance.set(self.total_issuance.get() + sum(endowments.values()))

    @call(index=0, weight=weights.TRANSFER)
    def transfer_allow_death(self, origin: Signed, dest: MultiAddress, value: Value) -> None:
        """Move free funds to another account; sending everything empties the sender."""
        self.transfer(origin.address, dest, value, keep_alive=False)

    @call(index=3, weight=weights.TRANSFER)
    def transfer_keep_alive(self, origin: Signed, dest: MultiAddress, value: Value) -> None:
        """Move free funds to another account; the sender keeps the existential deposit."""
        self.transfer(origin.address, dest, value)

    @call(index=4, weight=weights.TRANSFER)
    def transfer_all(self, origin: Signed, dest: MultiAddress, keep_alive: bool) -> None:
        """Move all free funds to another account, or all but the existential deposit."""
        data = self._accounts[origin.address].data
        keep = keep_alive or data.reserved > 0
        kept = self.config.existential_deposit if keep else 0
        self.transfer(origin.address, dest, max(data.free - kept, 0), keep_alive=keep)

    def free(self, address: Address) -> int:
        """Give what the account can spend."""
        return self._accounts[address].data.free

    def reserved(self, address: Address) -> int:
        """Give what is set aside in the account."""
        return self._accounts[address].data.reserved

    def transfer(
        self, sender: Address, recipient: Address, amount: int, *, keep_alive: bool = True
    ) -> None:
        """Move free funds and say so in an event; the sender may be emptied unless kept alive."""
        if sender == recipient:
            self._check_spendable(self._accounts[sender], amount, keep_alive=True)
        else:
            self._take(sender, amount, keep_alive)
            self._give(recipient, amount)
        self.emit(Transfer(sender, recipient, amount))

    def withdraw(self, address: Address, amount: int) -> None:
        """Take free funds out of an account that stays alive; the caller must place them."""
        self._take(address, amount, keep_alive=True)
        self.emit(Withdraw(address, amount))

    def deposit(self, address: Address, amount: int) -> None:
        """Put withdrawn funds into an account."""
        self._give(address, amount)
        self.emit(Deposit(address, amount))

    def issue(self, address: Address, amount: int) -> None:
        """Make new coins in an account."""
        self.total_issuance.set(self.total_issuance.get() + amount)
        self.deposit(address, amount)

    def reserve(self, address: Address, amount: int) -> None:
        """Set free funds aside; the existential deposit stays free."""
        info = self._accounts[address]
        self._check_spendable(info, amount, keep_alive=True)
        self._set(address, info, info.data.free - amount, info.data.reserved + amount)
        self.emit(Reserved(address, amount))

    def unreserve(self, address: Address, amount: int) -> None:
        """Give back what was set aside."""
        info = self._accounts[address]
        self._check_reserved(info, amount)
        self._set(address, info, info.data.free + amount, info.data.reserved - amount)
        self.emit(Unreserved(address, amount))

    def check_invariants(self) -> None:
        """Assert that no funds appeared or vanished and that no account holds dust."""
        infos = self._accounts.values()
        total = sum(info.data.free + info.data.reserved for info in infos)
        assert total == self.total_issuance.get(), "funds appeared or vanished"
        for info in infos:
            data = info.data
            alive = data.free > 0 or data.reserved > 0
            assert info.providers == int(alive), "an account is alive without funds or dead with"
            assert info.consumers == int(data.reserved > 0), "reserves do not keep alive"
            assert not alive or data.free >= self.config.existential_deposit, "dust"
            assert alive or info.nonce > 0, "an empty account that never sent is kept"

    def _take(self, address: Address, amount: int, keep_alive: bool) -> None:
        info = self._accounts[address]
        self._check_spendable(info, amount, keep_alive)
        self._set(address, info, info.data.free - amount, info.data.reserved)

    def _give(self, address: Address, amount: int) -> None:
        info = self._accounts[address]
        free = info.data.free + amount
        if amount == 0:
            return
        if free < self.config.existential_deposit:
            raise ExistentialDeposit(f"{free} < {self.config.existential_deposit}")
        self._set(address, info, free, info.data.reserved)
        if not info.providers:
            self._store.announce_account(address)
            self.emit(Endowed(address, amount))

    def _check_spendable(self, info: AccountInfo, amount: int, keep_alive: bool) -> None:
        data = info.data
        left = data.free - amount
        if left < 0:
            raise InsufficientBalance(f"{data.free} < {amount}")
        if left < self.config.existential_deposit and (keep_alive or left or data.reserved):
            raise Expendability(f"{left} < {self.config.existential_deposit}")

    def _check_reserved(self, info: AccountInfo, amount: int) -> None:
        if info.data.reserved < amount:
            raise InsufficientBalance(f"{info.data.reserved} reserved < {amount}")

    def _set(self, address: Address, info: AccountInfo, free: int, reserved: int) -> None:
        alive = free > 0 or reserved > 0
        if not alive and info.nonce == 0:
            del self._accounts[address]
        else:
            # An emptied account keeps its nonce: no transaction can be repeated after a refill.
            self._accounts[address] = AccountInfo(
                info.nonce,
                1 if reserved else 0,
                1 if alive else 0,
                info.sufficients,
                AccountData(free, reserved, info.data.frozen, info.data.flags | NEW_LOGIC),
            )
        if info.providers and not alive:
            self._store.announce_death(address)
