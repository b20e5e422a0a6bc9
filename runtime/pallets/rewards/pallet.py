"""Rewards: what validators, owners and contributors earned and did not yet claim.

Everything lies in one account, the pot.  Paying all contributors of a dataset is one write: a
running sum per unit, settled contributor by contributor when they claim.

Invariant: the pot holds what is pending, what datasets have not settled, and what this block has
yet to distribute; beyond its existential deposit nothing is in it that belongs to nobody, except
what strangers send there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from chain.primitives.codec import U32, U128, record, sequence
from chain.primitives.keys import ADDRESS, Address, module_address
from chain.primitives.numbers import Amount
from runtime.frame import (
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    PostInfo,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.names import NAME, Name
from runtime.frame.ports import Authorship, Currency, ValidatorSource
from runtime.frame.runs import FeePolicy, FeeSplit
from runtime.pallets.rewards import weights
from runtime.pallets.rewards.pool import (
    SCALE,
    Pool,
    Share,
    change_units,
    close,
    earned,
    owed,
    pay_in,
    settle,
)
from runtime.pallets.rewards.split import split_by_power, split_fee

POT: Final = module_address("rewards")
"""Holds everything that is not yet claimed; genesis gives it the existential deposit."""

TREASURY: Final = module_address("treasury")
"""Gets its shares and what divisions leave; genesis gives it the existential deposit."""

DATASETS_MAX: Final = 32
"""In which one account has records: a claim settles all of them."""


@dataclass(frozen=True, slots=True)
class DatasetReward:
    """What one account earns in one dataset."""

    dataset: str
    units: int
    """Rows of the account that count."""

    dataset_units: int
    """Rows of all accounts that count."""

    owed: int
    """Earned and not yet settled, in the smallest unit."""


@dataclass(frozen=True, slots=True)
class RewardStatus:
    """What one account can claim."""

    pending: int
    """Settled already, in the smallest unit."""

    datasets: tuple[DatasetReward, ...]
    claimable: int
    """Pending and owed together: what a claim pays."""


@dataclass(frozen=True)
class Claimed(Event, index=0):
    """An account's rewards are in its free funds."""

    account: Address
    amount: Amount


@dataclass(frozen=True)
class Distributed(Event, index=1):
    """This block's share of the validators was divided by stake, and the treasury got its part."""

    validators: Amount
    treasury: Amount


class NothingToClaim(DispatchError, index=0):
    """The account has no rewards.  Wait until it earned some."""


class TooManyDatasets(DispatchError, index=1):
    """The account has records in as many datasets as it may.  Withdraw some, or use another."""


class Rewards(Pallet, events=(Claimed, Distributed), errors=(NothingToClaim, TooManyDatasets)):
    """Shares of fees until they are claimed."""

    pending = StorageMap(ADDRESS, U128, default=0, docs="Settled rewards of an account.")
    pools = StorageMap(NAME, record(Pool), default=Pool(), docs="Running sum of a dataset.")
    shares = StorageDoubleMap(
        ADDRESS, NAME, record(Share), docs="An account's units in a dataset, and its checkpoint."
    )
    memberships = StorageMap(
        ADDRESS,
        sequence(NAME, DATASETS_MAX),
        default=(),
        docs="Datasets in which an account has a share, in the order it joined.",
    )
    fees_due = StorageValue(
        U128,
        default=0,
        docs="Transaction fees and tips of this block; they enter the pot at its end.",
    )
    validators_due = StorageValue(
        U128, default=0, docs="Of this block's fees, what is the validators'."
    )
    treasury_due = StorageValue(U128, default=0, docs="What the treasury gets from the pot.")

    datasets_max = Constant(
        U32, lambda self: DATASETS_MAX, "Datasets in which one account has records, at most."
    )

    def __init__(
        self,
        state: Overlay,
        currency: Currency,
        validators: ValidatorSource,
        authorship: Authorship,
    ) -> None:
        super().__init__(state)
        self.currency = currency
        self.validators = validators
        self.authorship = authorship

    @call(index=0, weight=weights.claim(DATASETS_MAX))
    def claim(self, origin: Signed) -> PostInfo:
        """Move all rewards of the signer, those of its datasets too, to its free funds."""
        account = origin.address
        datasets = self.memberships[account]
        for dataset in datasets:
            self._settle(dataset, account)
        amount = self.pending[account]
        if amount == 0:
            raise NothingToClaim()
        del self.pending[account]
        self.currency.transfer(POT, account, amount)
        self.emit(Claimed(account, amount))
        return PostInfo(actual_weight=weights.claim(len(datasets)))

    def receive_fee(self, fee: Amount, tip: Amount) -> None:
        """Take over a withdrawn fee for the validators, and a tip for the block's proposer."""
        self.fees_due.set(self.fees_due.get() + fee + tip)
        self.validators_due.set(self.validators_due.get() + fee)
        if tip:
            self._credit(self.authorship.author(), tip)

    def pay(
        self,
        payer: Address,
        amount: Amount,
        shares: FeePolicy,
        owner: Address,
        datasets: Sequence[Name],
    ) -> FeeSplit:
        """Take a model's fee from the payer and divide it; raises DispatchError for no funds."""
        if amount == 0:
            return FeeSplit()
        self.currency.transfer(payer, POT, amount)
        split, each = self._divide(amount, shares, datasets)
        self._credit(owner, split.owner)
        self.validators_due.set(self.validators_due.get() + split.validators)
        self.treasury_due.set(self.treasury_due.get() + split.treasury)
        for dataset in datasets:
            pool = self.pools[dataset]
            if each and pool.units:
                self.pools[dataset] = pay_in(pool, each)
        return split

    def preview(self, amount: Amount, shares: FeePolicy, datasets: Sequence[Name]) -> FeeSplit:
        """Say how a fee would be divided now."""
        return self._divide(amount, shares, datasets)[0]

    def enrol(self, dataset: Name, contributor: Address) -> None:
        """Open a contributor's share in a dataset for one more record."""
        share = self.shares.find((contributor, dataset))
        if share is None:
            datasets = self.memberships[contributor]
            if len(datasets) >= DATASETS_MAX:
                raise TooManyDatasets(f"{DATASETS_MAX} datasets")
            self.memberships[contributor] = (*datasets, dataset)
            share = Share(checkpoint=self.pools[dataset].paid_per_unit)
        self.shares[contributor, dataset] = replace(share, records=share.records + 1)

    def add_units(self, dataset: Name, contributor: Address, units: int) -> None:
        """Let more units of an enrolled contributor earn, from the next payment on."""
        self._settle(dataset, contributor)
        self._change(dataset, contributor, units)

    def leave(self, dataset: Name, contributor: Address, units: int) -> None:
        """End one record of a contributor, whose `units` earned; what they earned stays."""
        self._settle(dataset, contributor)
        self._change(dataset, contributor, -units)
        share = self.shares[contributor, dataset]
        share = replace(share, records=share.records - 1)
        if share.records:
            self.shares[contributor, dataset] = share
            return
        self.pools[dataset] = close(self.pools[dataset], share)
        del self.shares[contributor, dataset]
        rest = tuple(each for each in self.memberships[contributor] if each != dataset)
        if rest:
            self.memberships[contributor] = rest
        else:
            del self.memberships[contributor]

    def units(self, dataset: Name) -> int:
        """Say how many units earn in a dataset."""
        return self.pools[dataset].units

    def status(self, account: Address) -> RewardStatus:
        """Give what an account can claim."""
        rewards = []
        for dataset in self.memberships[account]:
            pool, share = self.pools[dataset], self.shares[account, dataset]
            rewards.append(DatasetReward(dataset, share.units, pool.units, owed(pool, share)))
        pending = self.pending[account]
        return RewardStatus(pending, tuple(rewards), pending + sum(each.owed for each in rewards))

    def on_finalize(self, number: int) -> None:
        """Divide what this block brought the validators, and pay the treasury."""
        if self.fees_due.get():
            self.currency.deposit(POT, self.fees_due.get())
            self.fees_due.clear()
        shared, treasury = self.validators_due.get(), self.treasury_due.get()
        if shared == 0 and treasury == 0:
            return
        validators = self.validators.current_set()
        parts, rest = split_by_power(shared, [each.power for each in validators])
        for validator, part in zip(validators, parts, strict=True):
            self._credit(validator.address, part)
        self.validators_due.clear()
        self.treasury_due.clear()
        self._pay_treasury(treasury + rest)
        self.emit(Distributed(shared - rest, treasury + rest))

    def check_invariants(self) -> None:
        """Assert that the pot covers what is owed, and that every dataset's sums are exact."""
        pools, due = dict(self.pools.items()), self.validators_due.get() + self.treasury_due.get()
        owed_now = due + sum(self.pending.values())
        owed_now += sum(pool.unclaimed for pool in pools.values())
        kept = self.currency.existential_deposit
        assert self.fees_due.get() == 0, "fees of a block did not reach the pot"
        assert self.currency.free(POT) >= owed_now + kept, "the pot does not cover what is owed"
        units = dict.fromkeys(pools, 0)
        scaled = {name: pool.fraction for name, pool in pools.items()}
        members: dict[bytes, list[str]] = {}
        for (account, dataset), share in self.shares.items():
            units[dataset] = units.get(dataset, 0) + share.units
            scaled[dataset] = scaled.get(dataset, 0) + earned(self.pools[dataset], share)
            members.setdefault(account, []).append(dataset)
        assert units == {name: self.pools[name].units for name in units}
        for name, total in scaled.items():
            assert total == self.pools[name].unclaimed * SCALE, f"{name} owes another sum"
        listed = {account: sorted(names) for account, names in self.memberships.items()}
        assert listed == {account: sorted(names) for account, names in members.items()}

    def _divide(
        self, amount: int, shares: FeePolicy, datasets: Sequence[Name]
    ) -> tuple[FeeSplit, int]:
        split, each = split_fee(amount, shares, len(datasets))
        idle = each * sum(1 for dataset in datasets if not self.pools[dataset].units)
        return replace(
            split, contributors=split.contributors - idle, treasury=split.treasury + idle
        ), each

    def _pay_treasury(self, amount: int) -> None:
        if amount:
            self.currency.transfer(POT, TREASURY, amount)

    def _credit(self, account: Address, amount: int) -> None:
        if amount:
            self.pending[account] = self.pending[account] + amount

    def _settle(self, dataset: Name, account: Address) -> None:
        pool, share, amount = settle(self.pools[dataset], self.shares[account, dataset])
        self.pools[dataset] = pool
        self.shares[account, dataset] = share
        self._credit(account, amount)

    def _change(self, dataset: Name, account: Address, units: int) -> None:
        pool, share = change_units(self.pools[dataset], self.shares[account, dataset], units)
        self.pools[dataset] = pool
        self.shares[account, dataset] = share
