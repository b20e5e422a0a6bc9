"""Voters: powers, and the votes that they count in.

A voter's power stands in a tally exactly as long as it is locked, staked or delegated: whoever
takes it away takes it out of every open vote.  So no coin counts twice, in whatever order accounts
lock, delegate and vote.  One level of delegation: who delegates is nobody's delegate.

Invariant: a tally is the sum of the votes in it, a vote has the power of its voter, and a voter's
delegated power is the sum of what others gave it.
"""

from collections.abc import Callable
from dataclasses import replace

from chain.primitives.keys import Address
from runtime.frame import Event
from runtime.frame.ports import Currency
from runtime.frame.storage import DoubleEntries, Entries
from runtime.pallets.governance import errors, events
from runtime.pallets.governance.stored import Referendum, Stage, Vote, Voter, VoterStatus


class Voters:
    """Changes powers and keeps every open tally right."""

    def __init__(
        self,
        voters: Entries[Address, Voter],
        votes: DoubleEntries[int, Address, Vote],
        referenda: Entries[int, Referendum],
        currency: Currency,
        stake_of: Callable[[Address], int],
        emit: Callable[[Event], None],
    ) -> None:
        """Work on the storage of governance."""
        self._voters = voters
        self._votes = votes
        self._referenda = referenda
        self._currency = currency
        self._stake_of = stake_of
        self._emit = emit

    def lock(self, address: Address, amount: int, least: int) -> None:
        """Let more funds of an account count."""
        voter = self._refreshed(address)
        if amount == 0 or voter.locked + amount < least:
            raise errors.LockTooSmall(f"{voter.locked + amount}, at least {least}")
        self._currency.reserve(address, amount)
        self._store(address, replace(voter, locked=voter.locked + amount))
        self._shift(voter.delegate or address, amount, given=voter.delegate is not None)
        self._emit(events.Locked(address, amount))

    def unlock(self, address: Address, amount: int, least: int, now: int) -> None:
        """Free funds of an account; they count no more."""
        voter = self._refreshed(address)
        left = voter.locked - amount
        if left < 0 or amount == 0:
            raise errors.NotLocked(f"{voter.locked} are")
        until = max(voter.until, self._until_of(voter.delegate))
        if now < until:
            raise errors.StillNeeded(f"until block {until}")
        if 0 < left < least:
            raise errors.LockTooSmall(f"{left}, at least {least}")
        self._shift(voter.delegate or address, -amount, given=voter.delegate is not None)
        self._store(address, replace(self._voters[address], locked=left))
        self._currency.unreserve(address, amount)
        self._emit(events.Unlocked(address, amount))

    def delegate(self, address: Address, to: Address) -> None:
        """Let an account's power count with another's votes."""
        voter, other = self._refreshed(address), self._refreshed(to)
        if address == to or voter.delegated or other.delegate is not None:
            raise errors.CannotDelegate()
        if voter.delegate is not None:
            raise errors.VotesByDelegate()
        if voter.votes:
            raise errors.HasVotes(f"{len(voter.votes)}")
        if not voter.own or not other.own:
            raise errors.NoPower()
        self._store(address, replace(voter, delegate=to))
        self._shift(to, voter.own, given=True)
        self._emit(events.Delegated(address, to))

    def undelegate(self, address: Address) -> None:
        """Let an account vote for itself again; what its power decided binds it."""
        voter = self._refreshed(address)
        if voter.delegate is None:
            raise errors.NotDelegated()
        self._shift(voter.delegate, -voter.own, given=True)
        until = max(voter.until, self._until_of(voter.delegate))
        self._store(address, replace(voter, delegate=None, until=until))
        self._emit(events.Undelegated(address, voter.delegate))

    def vote(self, number: int, address: Address, aye: bool, until: int) -> None:
        """Say aye or nay with all of an account's power, or say it differently."""
        voter = self._refreshed(address)
        if voter.delegate is not None:
            raise errors.VotesByDelegate()
        power = voter.own + voter.delegated
        if not power:
            raise errors.NoPower()
        if number in voter.votes:
            self._count(number, self._votes[number, address], -1)
        else:
            voter = replace(voter, votes=(*voter.votes, number))
        said = Vote(aye, power)
        self._count(number, said, 1)
        self._votes[number, address] = said
        self._store(address, replace(voter, until=max(voter.until, until)))
        self._emit(events.Voted(number, address, aye, power))

    def take_back(self, number: int, address: Address) -> None:
        """Take a vote out of its tally; the lock stays as long as it would have."""
        voter = self._refreshed(address)
        if number not in voter.votes:
            raise errors.NoVote()
        self._count(number, self._votes[number, address], -1)
        del self._votes[number, address]
        votes = tuple(each for each in voter.votes if each != number)
        self._store(address, replace(voter, votes=votes))
        self._emit(events.VoteTakenBack(number, address))

    def status(self, address: Address) -> VoterStatus:
        """Give what there is to know about a voter."""
        voter = self._voters[address]
        open_ = [number for number in voter.votes if self._is_open(number)]
        return VoterStatus(voter, tuple((each, self._votes[each, address]) for each in open_))

    def _until_of(self, delegate: Address | None) -> int:
        return 0 if delegate is None else self._voters[delegate].until

    def _is_open(self, number: int) -> bool:
        found = self._referenda.find(number)
        return found is not None and found.stage == Stage.VOTING

    def _refreshed(self, address: Address) -> Voter:
        """Give a voter whose stake is counted as it is now and whose closed votes are forgotten."""
        voter = self._voters[address]
        for number in voter.votes:
            if not self._is_open(number):
                del self._votes[number, address]
        voter = replace(voter, votes=tuple(filter(self._is_open, voter.votes)))
        gained = self._stake_of(address) - voter.staked
        self._store(address, replace(voter, staked=voter.staked + gained))
        if gained:
            self._shift(voter.delegate or address, gained, given=voter.delegate is not None)
        return self._voters[address]

    def _shift(self, speaker: Address, change: int, *, given: bool) -> None:
        """Let a speaker have more or less power, in every open vote too."""
        voter = self._voters[speaker]
        if given:
            voter = replace(voter, delegated=voter.delegated + change)
            self._store(speaker, voter)
        for number in voter.votes:
            if self._is_open(number):
                vote = self._votes[number, speaker]
                self._count(number, Vote(vote.aye, change), 1)
                self._votes[number, speaker] = replace(vote, power=vote.power + change)

    def _count(self, number: int, vote: Vote, times: int) -> None:
        found, power = self._referenda[number], vote.power * times
        self._referenda[number] = (
            replace(found, ayes=found.ayes + power)
            if vote.aye
            else replace(found, nays=found.nays + power)
        )

    def _store(self, address: Address, voter: Voter) -> None:
        if voter.own or voter.delegated or voter.votes:
            self._voters[address] = voter
        elif address in self._voters:
            del self._voters[address]
