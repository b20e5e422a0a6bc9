"""The pool: takes valid transactions, keeps the best ones, offers them in order, lets them go."""

from collections.abc import Callable, Sequence
from contextlib import closing
from heapq import nsmallest
from threading import Lock

from chain.pool import refusals
from chain.pool.bans import Bans
from chain.pool.config import PoolConfig
from chain.pool.queues import Entry, Queues
from chain.pool.refusals import PoolRefused
from chain.pool.view import HeadView
from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import Extrinsic, decode_extrinsic, extrinsic_hash
from chain.primitives.keys import Address
from runtime.frame.ports import LocalFailure
from runtime.validation import (
    CannotPay,
    ExhaustsResources,
    FromFuture,
    InvalidTransaction,
    Validity,
)

_PASSING = (CannotPay, ExhaustsResources, FromFuture)
"""Reasons that may be gone a block later; such transactions are not banned."""

_FITS_LATER = (ExhaustsResources, FromFuture, LocalFailure)
"""Reasons of one block or of this node; such transactions go on waiting."""


class Pool:
    """Transactions that wait for a block.  All methods may be called from any thread."""

    def __init__(
        self,
        view: HeadView,
        now_ms: Callable[[], int],
        config: PoolConfig | None = None,
        on_accepted: Callable[[Extrinsic, bytes], None] | None = None,
    ) -> None:
        """`on_accepted` is told of every transaction taken, in the submitter's thread."""
        self._view = view
        self._on_accepted = on_accepted
        self._config = config or PoolConfig()
        self._bans = Bans(now_ms, self._config.ban_ms, self._config.bans_max)
        self._queues = Queues()
        self._lock = Lock()
        self._arrivals = 0
        self._prunings = 0
        self._judgements = 0

    def submit(self, encoded: bytes) -> bytes:
        """Take a transaction and return its hash; raises PoolRefused."""
        extrinsic_id = extrinsic_hash(encoded)
        extrinsic = self._admit(encoded, extrinsic_id)
        while True:
            prunings = self._prunings
            validity = self._validate(extrinsic, encoded, extrinsic_id)
            with self._lock:
                # A block may have come between: what was judged before it is judged again.
                if prunings == self._prunings:
                    self._take(extrinsic_id, encoded, extrinsic, validity)
                    break
        if self._on_accepted is not None:
            self._on_accepted(extrinsic, encoded)
        return extrinsic_id

    def ready(
        self, count_max: int | None = None, bytes_max: int | None = None
    ) -> tuple[bytes, ...]:
        """Return encoded transactions for a block: best first, each account's in order of nonce.

        A transaction that exceeds the bytes is left out, and so are those behind it.
        """
        count_left = self._config.count_max if count_max is None else count_max
        bytes_left = self._config.bytes_max if bytes_max is None else bytes_max
        chosen: list[bytes] = []
        skipped: set[Address] = set()
        with self._lock:
            for entry in self._queues.ready():
                if len(chosen) >= count_left:
                    break
                if len(entry.encoded) > bytes_left:
                    skipped.add(entry.sender)
                if entry.sender not in skipped:
                    bytes_left -= len(entry.encoded)
                    chosen.append(entry.encoded)
        return tuple(chosen)

    def prune(self, included: Sequence[bytes], height: int) -> None:
        """Let go of what the new head includes, and of what can't stand any more.

        Call it after the view shows the new head.
        """
        hashes = {extrinsic_hash(encoded): encoded for encoded in included}
        with self._lock:
            self._prunings += 1
            for sender in self._senders(hashes):
                self._queues.move_nonce(sender, self._view.nonce(sender))
            waiting = self._queues.by_hash.values()
            for entry in [each for each in waiting if each.last_height <= height]:
                self._queues.remove(entry)

    def revalidate(self, count_max: int) -> int:
        """Judge the transactions again that were judged longest ago; return how many are gone."""
        with self._lock:
            waiting = self._queues.by_hash.values()
            chosen = nsmallest(count_max, waiting, key=lambda entry: entry.judged)
            for entry in chosen:
                self._judgements += 1
                entry.judged = self._judgements
        return sum(self._judge_again(entry) for entry in chosen)

    def leave_out(self, extrinsic_id: bytes, why: InvalidTransaction | LocalFailure) -> None:
        """Let go of a transaction that a block left out, unless it may fit into a later one."""
        if isinstance(why, _FITS_LATER):
            return
        with self._lock:
            entry = self._queues.by_hash.get(extrinsic_id)
            if entry is not None:
                if not isinstance(why, _PASSING):
                    self._bans.add(extrinsic_id)
                self._queues.remove(entry)

    def next_nonce(self, address: Address, nonce: int) -> int:
        """Return the nonce after the account's waiting transactions; `nonce` is the state's."""
        with self._lock:
            account = self._queues.accounts.get(address)
            while account is not None and nonce in account.entries:
                nonce += 1
        return nonce

    def pending(self) -> tuple[bytes, ...]:
        """Return all encoded transactions: ready ones in their order, then future ones."""
        with self._lock:
            ready = [entry.encoded for entry in self._queues.ready()]
            future = [each for each in self._queues.by_hash.values() if not each.is_ready]
        future.sort(key=lambda entry: (entry.sender, entry.nonce))
        return (*ready, *(entry.encoded for entry in future))

    def standing(self, extrinsic_id: bytes) -> str | None:
        """Say "ready" or "future" of a waiting transaction, None if it does not wait."""
        with self._lock:
            entry = self._queues.by_hash.get(extrinsic_id)
        if entry is None:
            return None
        return "ready" if entry.is_ready else "future"

    def __len__(self) -> int:
        """Count the waiting transactions."""
        return len(self._queues.by_hash)

    @property
    def bytes_total(self) -> int:
        """Encoded bytes of all waiting transactions."""
        return self._queues.bytes_total

    def _admit(self, encoded: bytes, extrinsic_id: bytes) -> Extrinsic:
        """Refuse cheaply what need not be judged."""
        with self._lock:
            if extrinsic_id in self._queues.by_hash:
                raise refusals.already_imported(extrinsic_id)
            left_ms = self._bans.left_ms(extrinsic_id)
        if left_ms:
            raise refusals.banned(left_ms)
        try:
            extrinsic = decode_extrinsic(encoded)
        except DecodeError as error:
            raise refusals.bad_format(str(error)) from error
        if extrinsic.signed is None:
            raise refusals.unsigned()
        with self._lock:
            nonce = self._view.nonce(extrinsic.signed.address)
        if extrinsic.signed.nonce - nonce >= self._config.account_count_max:
            raise refusals.nonce_too_far(extrinsic.signed.nonce, nonce)
        return extrinsic

    def _validate(self, extrinsic: Extrinsic, encoded: bytes, extrinsic_id: bytes) -> Validity:
        try:
            return self._view.validate(extrinsic, encoded)
        except InvalidTransaction as error:
            if not isinstance(error, _PASSING):
                with self._lock:
                    self._bans.add(extrinsic_id)
            raise refusals.invalid(error) from error
        except LocalFailure as error:
            raise refusals.unknown_validity(str(error)) from error

    def _take(
        self,
        extrinsic_id: bytes,
        encoded: bytes,
        extrinsic: Extrinsic,
        validity: Validity,
    ) -> None:
        """Put a valid transaction in its place, or raise PoolRefused with nothing changed."""
        signed = extrinsic.signed
        assert signed is not None
        if extrinsic_id in self._queues.by_hash:
            raise refusals.already_imported(extrinsic_id)
        entry = Entry(
            hash=extrinsic_id,
            encoded=encoded,
            extrinsic=extrinsic,
            sender=signed.address,
            nonce=signed.nonce,
            arrival=self._arrivals,
            priority=validity.priority,
            last_height=self._view.height() + validity.longevity,
            judged=self._judgements + 1,
        )
        self._judgements += 1
        nonce = self._view.nonce(entry.sender)
        entry.is_ready = self._would_be_ready(entry, nonce)
        old = self._replaceable(entry)
        losers = self._losers(entry, old)
        if old is not None:
            self._queues.remove(old)
        for loser in losers:
            self._queues.remove(loser)
        self._arrivals += 1
        entry.is_ready = False
        self._queues.add(entry, nonce)

    def _replaceable(self, entry: Entry) -> Entry | None:
        """Return whose place a newcomer takes; raises PoolRefused if it does not offer enough."""
        old = self._queues.find(entry.sender, entry.nonce)
        if old is not None:
            tenth_more = -(-old.priority * self._config.replacement_percent // 100)
            needed = max(tenth_more, old.priority + 1)
            if entry.priority < needed:
                raise refusals.priority_too_low(entry.priority, needed)
        return old

    def _would_be_ready(self, entry: Entry, nonce: int) -> bool:
        account = self._queues.accounts.get(entry.sender)
        return entry.nonce <= (nonce if account is None else account.ready_end)

    def _losers(self, entry: Entry, old: Entry | None) -> list[Entry]:
        """Return who must go for a newcomer; raises PoolRefused if that is the newcomer."""
        config, queues = self._config, self._queues
        losers: list[Entry] = []
        account = queues.accounts.get(entry.sender)
        if old is None and account and len(account.entries) >= config.account_count_max:
            if entry.nonce > account.last_nonce:
                raise refusals.account_full(len(account.entries))
            losers.append(account.entries[account.last_nonce])
        count = len(queues.by_hash) + 1 - (old is not None) - len(losers)
        size = queues.bytes_total + len(entry.encoded) - (len(old.encoded) if old else 0)
        size -= sum(len(loser.encoded) for loser in losers)
        with closing(queues.weakest()) as weakest:
            while count > config.count_max or size > config.bytes_max:
                loser = next(weakest, None)
                if loser is None:
                    raise refusals.pool_full()
                if loser.sender == entry.sender and (loser.nonce <= entry.nonce or loser in losers):
                    continue
                if loser.strength() >= entry.strength():
                    raise refusals.pool_full()
                losers.append(loser)
                count -= 1
                size -= len(loser.encoded)
        return losers

    def _judge_again(self, entry: Entry) -> bool:
        """Judge a waiting transaction again and say whether it had to go."""
        prunings = self._prunings
        try:
            validity = self._view.validate(entry.extrinsic, entry.encoded)
        except LocalFailure:
            return False
        except InvalidTransaction as error:
            with self._lock:
                if self._queues.by_hash.get(entry.hash) is not entry or prunings != self._prunings:
                    return False
                if not isinstance(error, _PASSING):
                    self._bans.add(entry.hash)
                self._queues.remove(entry)
                return True
        with self._lock:
            if self._queues.by_hash.get(entry.hash) is entry and prunings == self._prunings:
                self._queues.reprice(entry, validity.priority)
        return False

    def _senders(self, included: dict[bytes, bytes]) -> set[Address]:
        """Return the accounts that a block includes transactions of and that still wait here."""
        senders: set[Address] = set()
        for extrinsic_id, encoded in included.items():
            entry = self._queues.by_hash.get(extrinsic_id)
            signed = (entry.extrinsic if entry else decode_extrinsic(encoded)).signed
            if signed is not None and signed.address in self._queues.accounts:
                senders.add(signed.address)
        return senders


__all__ = ["Pool", "PoolRefused"]
