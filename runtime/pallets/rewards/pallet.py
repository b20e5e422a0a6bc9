"""Rewards: what validators, owners and contributors earned and did not yet claim.

Everything lies in one account, the pot.  Paying all contributors of a source is one write: a
running sum per unit, settled contributor by contributor when they claim.  New coins of an epoch go
to the validators, and to sources as far as their use earned them.

Invariant: the pot holds what is pending, what sources have not settled, and what this block has
yet to distribute; beyond its existential deposit nothing is in it that belongs to nobody, except
what strangers send there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Protocol

from chain.primitives.codec import U32, U128, named, pair, record, sequence, text
from chain.primitives.keys import ADDRESS, Address, module_address
from chain.primitives.numbers import Amount
from runtime.frame import (
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.ports import Authorship, Currency, ValidatorSource
from runtime.frame.runs import FeeSplit, Runnable, Source
from runtime.pallets.rewards import weights
from runtime.pallets.rewards.issuance import USED_MAX, IssuanceConfig, issue
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
from runtime.pallets.rewards.split import Division, split_by_power, split_fee

POT: Final = module_address("rewards")
"""Holds everything that is not yet claimed; genesis gives it the existential deposit."""

TREASURY: Final = module_address("treasury")
"""Gets its shares and what divisions leave; genesis gives it the existential deposit."""

SOURCES_MAX: Final = 32
"""Sources that one claim settles; who has more claims again."""

WEIGHED_MAX: Final = 1024
"""Accounts among which a source is divided by measured worth."""

SOURCE: Final = named("Source", text(80))
Sources = Annotated[tuple[str, ...], sequence(SOURCE, SOURCES_MAX)]


class Epochs(Protocol):
    """Knows when an epoch begins."""

    def begins_now(self) -> bool:
        """Tell whether this block is the first of an epoch."""
        ...


@dataclass(frozen=True, slots=True)
class SourceReward:
    """What one account earns from one source."""

    source: Source
    units: int
    """Of the account: rows that count, or their measured worth."""

    source_units: int
    """Of all accounts."""

    owed: int
    """Earned and not yet settled, in the smallest unit."""


@dataclass(frozen=True, slots=True)
class RewardStatus:
    """What one account can claim."""

    pending: int
    """Settled already, in the smallest unit."""

    sources: tuple[SourceReward, ...]
    claimable: int
    """Pending and owed together: what claims of all sources pay."""


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


@dataclass(frozen=True)
class Issued(Event, index=2):
    """An epoch's new coins were made, for validators and for those whose data was used."""

    validators: Amount
    contributors: Amount


@dataclass(frozen=True)
class PoolOpened(Event, index=3):
    """What a snapshot earns is divided by measured worth from now on."""

    source: Source
    accounts: Annotated[int, U32]
    units: Amount


class NothingToClaim(DispatchError, index=0):
    """The account has no rewards there.  Name the sources that `noema reward show` lists."""


class NoShare(DispatchError, index=1):
    """The account has no share in this source.  Name the sources that `noema reward show` lists."""


class Rewards(
    Pallet,
    events=(Claimed, Distributed, Issued, PoolOpened),
    errors=(NothingToClaim, NoShare),
):
    """Shares of fees until they are claimed."""

    pending = StorageMap(ADDRESS, U128, default=0, docs="Settled rewards of an account.")
    pools = StorageMap(SOURCE, record(Pool), default=Pool(), docs="Running sum of a source.")
    shares = StorageDoubleMap(
        ADDRESS, SOURCE, record(Share), docs="An account's units in a source, and its checkpoint."
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
    use = StorageValue(
        sequence(pair(SOURCE, U128), USED_MAX),
        default=(),
        docs="What use of sources brought validators and treasury in this epoch.",
    )

    sources_max = Constant(U32, lambda self: SOURCES_MAX, "Sources that one claim settles.")
    issued_per_epoch = Constant(
        U128, lambda self: self.config.per_epoch, "New coins of an epoch at most."
    )

    def __init__(
        self,
        state: Overlay,
        config: IssuanceConfig,
        currency: Currency,
        validators: ValidatorSource,
        authorship: Authorship,
        epochs: Epochs,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.validators = validators
        self.authorship = authorship
        self.epochs = epochs

    @call(index=0, weight=lambda pallet, sources: weights.claim(len(sources)))
    def claim(self, origin: Signed, sources: Sources) -> None:
        """Move what the signer has earned from these sources, and all that was settled before, to
        its free funds.
        """
        account = origin.address
        for source in dict.fromkeys(sources):
            if (account, source) not in self.shares:
                raise NoShare(source)
            self._settle(source, account)
        amount = self.pending[account]
        if amount == 0:
            raise NothingToClaim()
        del self.pending[account]
        self.currency.transfer(POT, account, amount)
        self.emit(Claimed(account, amount))

    def receive_fee(self, fee: Amount, tip: Amount) -> None:
        """Take over a withdrawn fee for the validators, and a tip for the block's proposer."""
        self.fees_due.set(self.fees_due.get() + fee + tip)
        self.validators_due.set(self.validators_due.get() + fee)
        if tip:
            self._credit(self.authorship.author(), tip)

    def charge(self, payer: Address, amount: Amount) -> None:
        """Take the price of work between transactions for the validators; raises DispatchError."""
        self.currency.transfer(payer, POT, amount)
        self.validators_due.set(self.validators_due.get() + amount)

    def pay(self, payer: Address, amount: Amount, run: Runnable) -> FeeSplit:
        """Take a model's fee from the payer and divide it; raises DispatchError for no funds."""
        if amount == 0:
            return FeeSplit()
        self.currency.transfer(payer, POT, amount)
        division = self._divide(amount, run)
        split = division.split
        self._credit(run.owner, split.owner)
        for royalty, part in zip(run.royalties, division.royalties, strict=True):
            self._credit(royalty.owner, part)
        self.validators_due.set(self.validators_due.get() + split.validators)
        self.treasury_due.set(self.treasury_due.get() + split.treasury)
        for source in run.sources:
            pool = self.pools[source]
            if division.each and pool.units:
                self.pools[source] = pay_in(pool, division.each)
        self._count_use(run.sources, split.validators + split.treasury)
        return split

    def preview(self, amount: Amount, run: Runnable) -> FeeSplit:
        """Say how a fee would be divided now."""
        return self._divide(amount, run).split

    def reward(self, payer: Address, account: Address, amount: Amount) -> None:
        """Move funds of a payer to what an account can claim; raises DispatchError for no funds."""
        self.currency.transfer(payer, POT, amount)
        self._credit(account, amount)

    def enrol(self, source: Source, contributor: Address) -> None:
        """Open a contributor's share in a source for one more record."""
        share = self.shares.find((contributor, source))
        if share is None:
            share = Share(checkpoint=self.pools[source].paid_per_unit)
        self.shares[contributor, source] = replace(share, records=share.records + 1)

    def add_units(self, source: Source, contributor: Address, units: int) -> None:
        """Let more units of an enrolled contributor earn, or fewer, from the next payment on."""
        self._settle(source, contributor)
        self._change(source, contributor, units)

    def leave(self, source: Source, contributor: Address, units: int) -> None:
        """End one record of a contributor, whose `units` earned; what they earned stays."""
        self._settle(source, contributor)
        self._change(source, contributor, -units)
        share = self.shares[contributor, source]
        share = replace(share, records=share.records - 1)
        if share.records:
            self.shares[contributor, source] = share
            return
        self.pools[source] = close(self.pools[source], share)
        del self.shares[contributor, source]

    def open_pool(self, source: Source, worth: Sequence[tuple[Address, int]]) -> None:
        """Let a source earn from now on, divided by the worth of accounts, named once each."""
        assert source not in self.pools, f"{source} earns already"
        assert len(worth) <= WEIGHED_MAX, "more accounts than a source has"
        weighed = [(account, units) for account, units in worth if units > 0]
        self.pools[source] = Pool(units=sum(units for _, units in weighed))
        for account, units in weighed:
            self.shares[account, source] = Share(units=units, records=1)
        self.emit(PoolOpened(source, len(weighed), self.pools[source].units))

    def exists(self, source: Source) -> bool:
        """Tell whether a source earns."""
        return source in self.pools

    def units(self, source: Source) -> int:
        """Say how many units earn in a source."""
        return self.pools[source].units

    def status(self, account: Address) -> RewardStatus:
        """Give what an account can claim; needs a state that can be listed."""
        rewards = []
        for (_, source), share in self.shares.under(account):
            pool = self.pools[source]
            rewards.append(SourceReward(source, share.units, pool.units, owed(pool, share)))
        pending = self.pending[account]
        return RewardStatus(pending, tuple(rewards), pending + sum(each.owed for each in rewards))

    def on_initialize(self, number: int) -> None:
        """Make an epoch's new coins when the next one begins."""
        if self.epochs.begins_now() and self.config.per_epoch:
            self._issue()

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
        """Assert that the pot covers what is owed, and that every source's sums are exact."""
        pools, due = dict(self.pools.items()), self.validators_due.get() + self.treasury_due.get()
        owed_now = due + sum(self.pending.values())
        owed_now += sum(pool.unclaimed for pool in pools.values())
        kept = self.currency.existential_deposit
        assert self.fees_due.get() == 0, "fees of a block did not reach the pot"
        assert self.currency.free(POT) >= owed_now + kept, "the pot does not cover what is owed"
        units = dict.fromkeys(pools, 0)
        scaled = {name: pool.fraction for name, pool in pools.items()}
        for (_, source), share in self.shares.items():
            units[source] = units.get(source, 0) + share.units
            scaled[source] = scaled.get(source, 0) + earned(self.pools[source], share)
        assert units == {name: self.pools[name].units for name in units}
        for name, total in scaled.items():
            assert total == self.pools[name].unclaimed * SCALE, f"{name} owes another sum"

    def _divide(self, amount: int, run: Runnable) -> Division:
        division = split_fee(amount, run.policy, len(run.sources), run.royalties)
        idle = sum(1 for source in run.sources if not self.pools[source].units) * division.each
        split = replace(
            division.split,
            contributors=division.split.contributors - idle,
            treasury=division.split.treasury + idle,
        )
        return replace(division, split=split)

    def _count_use(self, sources: Sequence[Source], amount: int) -> None:
        """Note what did not come back to anybody's own pocket, for each source the same."""
        used = dict(self.use.get())
        for source in sources:
            if source in used or len(used) < USED_MAX:
                used[source] = used.get(source, 0) + amount // len(sources)
        if sources:
            self.use.set(tuple(used.items()))

    def _issue(self) -> None:
        validators, shares = issue(self.config, dict(self.use.get()))
        self.use.clear()
        earning = {each: share for each, share in shares.items() if self.pools[each].units}
        contributors = sum(earning.values())
        self.currency.issue(POT, validators + contributors)
        self.validators_due.set(self.validators_due.get() + validators)
        for source, share in earning.items():
            self.pools[source] = pay_in(self.pools[source], share)
        self.emit(Issued(validators, contributors))

    def _pay_treasury(self, amount: int) -> None:
        if amount:
            self.currency.transfer(POT, TREASURY, amount)

    def _credit(self, account: Address, amount: int) -> None:
        if amount:
            self.pending[account] = self.pending[account] + amount

    def _settle(self, source: Source, account: Address) -> None:
        pool, share, amount = settle(self.pools[source], self.shares[account, source])
        self.pools[source] = pool
        self.shares[account, source] = share
        self._credit(account, amount)

    def _change(self, source: Source, account: Address, units: int) -> None:
        pool, share = change_units(self.pools[source], self.shares[account, source], units)
        self.pools[source] = pool
        self.shares[account, source] = share
