"""Waiting transactions by account and nonce, and the order in which they come and go."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from chain.primitives.extrinsic import Extrinsic
from chain.primitives.keys import Address


@dataclass(slots=True)
class Entry:
    """One waiting transaction."""

    hash: bytes
    encoded: bytes
    extrinsic: Extrinsic
    sender: Address
    nonce: int
    arrival: int
    """Running number: the earlier of two equals goes first and stays longer."""
    priority: int
    last_height: int
    """Height of the last block in which it may stand."""
    judged: int
    """Running number of its last judgement."""
    is_ready: bool = False

    def strength(self) -> tuple[bool, int, int]:
        """Return what decides who stays in a full pool; the greater stays."""
        return self.is_ready, self.priority, -self.arrival


@dataclass(slots=True)
class Account:
    """Waiting transactions of one account."""

    nonce: int
    """Of the state: the one that the next block takes."""
    ready_end: int
    """First nonce that no ready transaction has."""
    entries: dict[int, Entry] = field(default_factory=dict)
    """By nonce."""
    last_nonce: int = -1
    """Greatest nonce that waits."""


class Queues:
    """All waiting transactions, in the order in which they leave."""

    def __init__(self) -> None:
        self.by_hash: dict[bytes, Entry] = {}
        self.accounts: dict[Address, Account] = {}
        self.bytes_total = 0
        self._weakest: list[tuple[tuple[bool, int, int], Address, int]] = []

    def find(self, sender: Address, nonce: int) -> Entry | None:
        """Return the transaction of an account and nonce."""
        account = self.accounts.get(sender)
        return None if account is None else account.entries.get(nonce)

    def add(self, entry: Entry, account_nonce: int) -> None:
        """Put in a transaction whose place is free; `account_nonce` is the state's."""
        account = self.accounts.get(entry.sender)
        if account is None:
            account = self.accounts[entry.sender] = Account(account_nonce, account_nonce)
        assert entry.nonce not in account.entries, "an old transaction is removed first"
        account.entries[entry.nonce] = entry
        account.last_nonce = max(account.last_nonce, entry.nonce)
        self.by_hash[entry.hash] = entry
        self.bytes_total += len(entry.encoded)
        self._advance(account)
        self._offer(account)

    def remove(self, entry: Entry) -> None:
        """Take out a transaction; those behind it wait for its nonce again."""
        account = self.accounts[entry.sender]
        self._drop(account, entry)
        if not account.entries:
            return
        if entry.nonce < account.ready_end:
            for nonce in range(entry.nonce + 1, account.ready_end):
                account.entries[nonce].is_ready = False
            account.ready_end = max(entry.nonce, account.nonce)
        self._offer(account)

    def move_nonce(self, sender: Address, nonce: int) -> None:
        """Take note of an account's new nonce; the transactions that it passed leave."""
        account = self.accounts[sender]
        for passed in [each for each in account.entries if each < nonce]:
            self._drop(account, account.entries[passed])
        account.nonce = nonce
        account.ready_end = max(account.ready_end, nonce)
        if account.entries:
            self._advance(account)
            self._offer(account)

    def reprice(self, entry: Entry, priority: int) -> None:
        """Give a transaction another priority."""
        entry.priority = priority
        self._offer(self.accounts[entry.sender])

    def ready(self) -> Iterator[Entry]:
        """Yield ready transactions by priority, each account's by nonce.

        The pool must not change meanwhile.
        """
        order = [
            (-first.priority, first.arrival, first.hash)
            for account in self.accounts.values()
            if (first := account.entries.get(account.nonce)) is not None
        ]
        heapify(order)
        while order:
            entry = self.by_hash[heappop(order)[2]]
            yield entry
            following = self.accounts[entry.sender].entries.get(entry.nonce + 1)
            if following is not None:
                heappush(order, (-following.priority, following.arrival, following.hash))

    def weakest(self) -> Generator[Entry, None, None]:
        """Yield who goes first from a full pool: last transactions of accounts, weakest first.

        After a yielded one the one before it in its account takes its turn.  Nothing is removed.
        Close it before the pool changes: only then are all accounts offered again.
        """
        taken: list[tuple[tuple[bool, int, int], Address, int]] = []
        lowest: dict[Address, int] = {}
        heap = self._weakest
        try:
            while heap:
                strength, sender, nonce = heap[0]
                account = self.accounts.get(sender)
                below = lowest.get(sender)
                entry = None if account is None else account.entries.get(nonce)
                last = account is not None and (
                    nonce == account.last_nonce if below is None else nonce == below
                )
                if entry is None or not last or entry.strength() != strength:
                    heappop(heap)
                    continue
                taken.append(heappop(heap))
                assert account is not None
                before = max((each for each in account.entries if each < nonce), default=None)
                lowest[sender] = -1 if before is None else before
                if before is not None:
                    item = (account.entries[before].strength(), sender, before)
                    taken.append(item)
                    heappush(heap, item)
                yield entry
        finally:
            for item in taken:
                heappush(heap, item)

    def _advance(self, account: Account) -> None:
        """Make those ready that no gap holds back any more."""
        while (entry := account.entries.get(account.ready_end)) is not None:
            entry.is_ready = True
            account.ready_end += 1

    def _drop(self, account: Account, entry: Entry) -> None:
        del account.entries[entry.nonce], self.by_hash[entry.hash]
        self.bytes_total -= len(entry.encoded)
        if not account.entries:
            del self.accounts[entry.sender]
        elif entry.nonce == account.last_nonce:
            account.last_nonce = max(account.entries)

    def _offer(self, account: Account) -> None:
        last = account.entries[account.last_nonce]
        heappush(self._weakest, (last.strength(), last.sender, last.nonce))
        if len(self._weakest) > 4 * len(self.accounts) + 64:
            self._weakest = [
                (each.entries[each.last_nonce].strength(), sender, each.last_nonce)
                for sender, each in self.accounts.items()
            ]
            heapify(self._weakest)
