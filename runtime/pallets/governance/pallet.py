"""Governance: what no key decides, a vote decides.

A proposal is a call that runs as the chain itself once it has been voted on and its time-lock is
over.  Power is stake and locked funds, one's own or delegated.  Validators with more than two
thirds of the stake can put a decision off or stop it; they can never enact one.

Invariant: open referenda have their day in the agenda and their deposits set aside; a tally is the
sum of its votes; what counts in votes is set aside.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Protocol

from chain.primitives.codec import U32, U64, U128, record
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    DispatchError,
    Overlay,
    Pallet,
    Root,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame import call as pallet_call
from runtime.frame.ports import Currency, Dispatcher, Heights, ValidatorSource
from runtime.pallets.governance import errors, events, weights
from runtime.pallets.governance.config import GovernanceConfig
from runtime.pallets.governance.counting import decide, is_two_thirds
from runtime.pallets.governance.stored import (
    KEPT,
    KEPT_MAX,
    NUMBERS,
    OPEN_MAX,
    CallBytes,
    Note,
    Referendum,
    ReferendumNumber,
    Stage,
    Upgrade,
    Vote,
    Voter,
    VoterStatus,
)
from runtime.pallets.governance.voters import Voters

SpecVersion = Annotated[int, U32]


class Stakes(ValidatorSource, Protocol):
    """Knows who validates, and with what at stake."""

    def stake_of(self, address: Address) -> int:
        """Give what an account has at stake as a validator."""
        ...


class Governance(
    Pallet,
    events=(
        events.Proposed,
        events.Voted,
        events.VoteTakenBack,
        events.Locked,
        events.Unlocked,
        events.Delegated,
        events.Undelegated,
        events.Passed,
        events.Refused,
        events.Enacted,
        events.Objected,
        events.Delayed,
        events.Cancelled,
        events.UpgradeScheduled,
    ),
    errors=(
        errors.TooManyOpen,
        errors.TooHeavy,
        errors.UnknownReferendum,
        errors.NotVoting,
        errors.NoPower,
        errors.VotesByDelegate,
        errors.NoVote,
        errors.LockTooSmall,
        errors.StillNeeded,
        errors.NotLocked,
        errors.CannotDelegate,
        errors.HasVotes,
        errors.NotDelegated,
        errors.NotValidator,
        errors.ObjectedAlready,
        errors.NotStoppable,
        errors.BadUpgrade,
    ),
):
    """Referenda."""

    referenda = StorageMap(
        U32, record(Referendum), hasher=TWOX_64_CONCAT, docs="Referenda by number."
    )
    next_referendum = StorageValue(U32, default=0, docs="Number of the next referendum.")
    open = StorageValue(NUMBERS, default=(), docs="Referenda that are not over, ascending.")
    over = StorageValue(KEPT, default=(), docs="Referenda that are over and still kept.")
    agenda = StorageMap(
        U32,
        NUMBERS,
        default=(),
        hasher=TWOX_64_CONCAT,
        docs="Referenda to be counted or to take effect, by block.",
    )
    votes = StorageDoubleMap(U32, ADDRESS, record(Vote), docs="Votes on a referendum.")
    voters = StorageMap(ADDRESS, record(Voter), default=Voter(), docs="Accounts with a voice.")
    upgrade = StorageValue(record(Upgrade), docs="Which rules hold from which block on.")

    deposit = Constant(U128, lambda self: self.config.deposit, "Deposit of a proposal.")
    least_lock = Constant(U128, lambda self: self.config.least_lock, "Least lock of a voter.")
    voting_blocks = Constant(U32, lambda self: self.config.voting_blocks, "Blocks of a vote.")
    enactment_blocks = Constant(
        U32, lambda self: self.config.enactment_blocks, "Blocks from a decision to its effect."
    )
    quorum = Constant(U32, lambda self: self.config.quorum, "Least turnout, in a million.")
    approval = Constant(U32, lambda self: self.config.approval, "Ayes needed, in a million.")
    weight_per_block = Constant(
        U64, lambda self: self.config.weight_per_block, "Picoseconds of decided calls in a block."
    )

    def __init__(
        self,
        state: Overlay,
        config: GovernanceConfig,
        currency: Currency,
        stakes: Stakes,
        dispatcher: Dispatcher,
        heights: Heights,
        issuance: Callable[[], int],
        treasury: Address,
        spec_version: int,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.stakes = stakes
        self.dispatcher = dispatcher
        self.heights = heights
        self.issuance = issuance
        self.treasury = treasury
        self.spec_version = spec_version

    @pallet_call(index=0, weight=weights.propose)
    def propose(self, origin: Signed, call: CallBytes, note: Note) -> None:
        """Ask for a vote about a call that then runs as the chain itself.

        The deposit comes back unless too few say aye.
        """
        if len(self.open.get()) >= OPEN_MAX:
            raise errors.TooManyOpen(f"{OPEN_MAX} referenda")
        weight, most = self.dispatcher.weigh(call), self.config.weight_per_block
        if weight > most:
            raise errors.TooHeavy(f"{weight} picoseconds, at most {most}")
        self.currency.reserve(origin.address, self.config.deposit)
        number, end = self.next_referendum.get(), self.heights.height() + self.config.voting_blocks
        self.next_referendum.set(number + 1)
        self.open.set((*self.open.get(), number))
        self.referenda[number] = Referendum(
            origin.address, call, note, self.config.deposit, Stage.VOTING, end
        )
        self._schedule(number, end)
        self.emit(events.Proposed(number, origin.address, blake2_256(call), end))

    @call(index=1, weight=weights.VOTE)
    def vote(self, origin: Signed, referendum: ReferendumNumber, aye: bool) -> None:
        """Say aye or nay with all of the signer's power, or change what was said."""
        found = self._voting(referendum)
        until = found.due + self.config.enactment_blocks
        self._voters().vote(referendum, origin.address, aye, until)

    @call(index=2, weight=weights.VOTE)
    def take_back(self, origin: Signed, referendum: ReferendumNumber) -> None:
        """Take a vote back; its lock stays as long as if it stood."""
        self._voting(referendum)
        self._voters().take_back(referendum, origin.address)

    @call(index=3, weight=weights.POWER)
    def lock(self, origin: Signed, amount: Amount) -> None:
        """Set funds aside that count in votes, open ones too."""
        self._voters().lock(origin.address, amount, self.config.least_lock)

    @call(index=4, weight=weights.POWER)
    def unlock(self, origin: Signed, amount: Amount) -> None:
        """Free funds once everything that they helped to decide has taken effect."""
        least, now = self.config.least_lock, self.heights.height()
        self._voters().unlock(origin.address, amount, least, now)

    @call(index=5, weight=weights.POWER)
    def delegate(self, origin: Signed, to: Address) -> None:
        """Let the signer's power count with another's votes, open ones too."""
        self._voters().delegate(origin.address, to)

    @call(index=6, weight=weights.POWER)
    def undelegate(self, origin: Signed) -> None:
        """Take a delegation back, out of open votes too."""
        self._voters().undelegate(origin.address)

    @call(index=7, weight=weights.OBJECT)
    def slow(self, origin: Signed, referendum: ReferendumNumber) -> None:
        """Want a decided call later; with more than two thirds of the stake it is put off."""
        found = self._found(referendum)
        if found.stage != Stage.PASSED:
            raise errors.NotStoppable(found.stage.name.lower())
        slowing = self._objected(referendum, origin.address, found.slowing, never=False)
        if not self._is_enough(slowing):
            self.referenda[referendum] = replace(found, slowing=slowing)
            return
        due = found.due + self.config.delay_blocks
        self._unschedule(referendum, found.due)
        self._schedule(referendum, due)
        self.referenda[referendum] = replace(found, due=due, slowing=())
        self.emit(events.Delayed(referendum, due))

    @call(index=8, weight=weights.OBJECT)
    def cancel(self, origin: Signed, referendum: ReferendumNumber) -> None:
        """Want a referendum never; with more than two thirds of the stake it is stopped."""
        found = self._found(referendum)
        if found.stage not in (Stage.VOTING, Stage.PASSED):
            raise errors.NotStoppable(found.stage.name.lower())
        cancelling = self._objected(referendum, origin.address, found.cancelling, never=True)
        if not self._is_enough(cancelling):
            self.referenda[referendum] = replace(found, cancelling=cancelling)
            return
        self._unschedule(referendum, found.due)
        self._finish(referendum, found, Stage.CANCELLED)
        self.emit(events.Cancelled(referendum))

    @call(index=9, weight=weights.SCHEDULE)
    def schedule_upgrade(
        self, origin: Root, spec_version: SpecVersion, height: BlockNumber
    ) -> None:
        """Let other rules hold from a block on; nodes without them stop before it."""
        if spec_version <= self.spec_version:
            raise errors.BadUpgrade(f"version {self.spec_version} holds now")
        if height <= self.heights.height() + 1:
            raise errors.BadUpgrade(f"block {height} has come")
        self.upgrade.set(Upgrade(spec_version, height))
        self.emit(events.UpgradeScheduled(spec_version, height))

    def missing_rules(self, number: int) -> Upgrade | None:
        """Give the upgrade without which a block cannot be executed, None where these rules do."""
        upgrade = self.upgrade.find()
        if upgrade is None or number < upgrade.height:
            return None
        return upgrade if upgrade.spec_version > self.spec_version else None

    def voter(self, address: Address) -> VoterStatus:
        """Give what there is to know about a voter."""
        return self._voters().status(address)

    def recent(self) -> tuple[tuple[int, Referendum], ...]:
        """Give all referenda that are kept, newest first."""
        numbers = sorted((*self.open.get(), *self.over.get()), reverse=True)
        return tuple((each, self.referenda[each]) for each in numbers)

    def on_initialize(self, number: int) -> None:
        """Count the votes that end, and run the calls whose day it is as far as there is room."""
        due = self.agenda[number]
        if not due:
            return
        del self.agenda[number]
        left = self.config.weight_per_block
        for each in due:
            found = self.referenda[each]
            if found.stage == Stage.VOTING:
                self._count(each, found, number)
            else:
                left -= self._enact(each, found, left)

    def check_invariants(self) -> None:
        """Assert that agenda, tallies and what is set aside agree."""
        open_ = [number for number, each in self.referenda.items() if each.stage <= Stage.PASSED]
        assert sorted(open_) == list(self.open.get()), "another referendum is open"
        due = sorted((at, each) for at, days in self.agenda.items() for each in days)
        assert due == sorted((self.referenda[each].due, each) for each in open_)
        kept = {address: voter.locked for address, voter in self.voters.items()}
        for each in open_:
            found = self.referenda[each]
            kept[found.proposer] = kept.get(found.proposer, 0) + found.deposit
            if found.stage == Stage.VOTING:
                self._check_tally(each, found)
        for address, amount in kept.items():
            assert self.currency.reserved(address) >= amount, "a lock or deposit is missing"
        given: dict[Address, int] = {}
        for voter in self.voters.values():
            if voter.delegate is not None:
                given[voter.delegate] = given.get(voter.delegate, 0) + voter.own
        got = {key: voter.delegated for key, voter in self.voters.items() if voter.delegated}
        assert got == given, "delegated power is not what was given"

    def _check_tally(self, number: int, found: Referendum) -> None:
        votes = [(address, vote) for (_, address), vote in self.votes.under(number)]
        assert found.ayes == sum(vote.power for _, vote in votes if vote.aye)
        assert found.nays == sum(vote.power for _, vote in votes if not vote.aye)
        for address, vote in votes:
            voter = self.voters[address]
            assert number in voter.votes, "a vote is forgotten"
            assert voter.delegate is None, "power counts twice"
            assert vote.power == voter.own + voter.delegated, "a vote has another power"

    def _voters(self) -> Voters:
        return Voters(
            *(self.voters, self.votes, self.referenda, self.currency),
            *(self.stakes.stake_of, self.emit),
        )

    def _found(self, number: int) -> Referendum:
        found = self.referenda.find(number)
        if found is None:
            raise errors.UnknownReferendum(f"number {number}")
        return found

    def _voting(self, number: int) -> Referendum:
        found = self._found(number)
        if found.stage != Stage.VOTING:
            raise errors.NotVoting(found.stage.name.lower())
        return found

    def _objected(
        self, number: int, address: Address, before: tuple[Address, ...], *, never: bool
    ) -> tuple[Address, ...]:
        if all(each.address != address for each in self.stakes.current_set()):
            raise errors.NotValidator()
        if address in before:
            raise errors.ObjectedAlready()
        self.emit(events.Objected(number, address, never))
        return (*before, address)

    def _is_enough(self, objectors: tuple[Address, ...]) -> bool:
        validators = self.stakes.current_set()
        power = sum(each.power for each in validators if each.address in objectors)
        return is_two_thirds(power, sum(each.power for each in validators))

    def _count(self, number: int, found: Referendum, now: int) -> None:
        verdict = decide(self.config, found.ayes, found.nays, self.issuance())
        if verdict.passed:
            due = now + self.config.enactment_blocks
            self.referenda[number] = replace(found, stage=Stage.PASSED, due=due)
            self._schedule(number, due)
            self.emit(events.Passed(number, found.ayes, found.nays, due))
            return
        self._finish(number, found, Stage.REFUSED, deposit_back=verdict.deposit_back)
        self.emit(events.Refused(number, found.ayes, found.nays, verdict.deposit_back))

    def _enact(self, number: int, found: Referendum, left: int) -> int:
        """Run a decided call, or put it off where too little room is left; gives what it took."""
        refusal: DispatchError | None = None
        weight = 0
        try:
            weight = self.dispatcher.weigh(found.call)
            if weight > self.config.weight_per_block:
                raise errors.TooHeavy(f"{weight} picoseconds by now")
            if weight > left:
                due = found.due + 1
                self.referenda[number] = replace(found, due=due)
                self._schedule(number, due)
                return 0
            self.dispatcher.dispatch(Root(), found.call)
        except DispatchError as error:
            refusal = error
        self._finish(number, found, Stage.FAILED if refusal else Stage.ENACTED)
        failure = None if refusal is None else self.dispatcher.failure_of(refusal)
        self.emit(events.Enacted(number, failure))
        return weight

    def _finish(
        self, number: int, found: Referendum, stage: Stage, *, deposit_back: bool = True
    ) -> None:
        self.currency.unreserve(found.proposer, found.deposit)
        if not deposit_back:
            self.currency.transfer(found.proposer, self.treasury, found.deposit)
        self.referenda[number] = replace(found, stage=stage, deposit=0, slowing=(), cancelling=())
        self.open.set(tuple(each for each in self.open.get() if each != number))
        over = (*self.over.get(), number)
        for forgotten in over[:-KEPT_MAX]:
            del self.referenda[forgotten]
        self.over.set(over[-KEPT_MAX:])

    def _schedule(self, number: int, due: int) -> None:
        self.agenda[due] = (*self.agenda[due], number)

    def _unschedule(self, number: int, due: int) -> None:
        left = tuple(each for each in self.agenda[due] if each != number)
        if left:
            self.agenda[due] = left
        else:
            del self.agenda[due]
