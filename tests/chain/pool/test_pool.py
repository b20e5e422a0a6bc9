"""The pool: order, replacement, limits and expiry, against a plain list."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chain.pool import Pool, PoolConfig, PoolRefused
from chain.primitives.extrinsic import (
    ED25519,
    Era,
    Extrinsic,
    SignedPart,
    decode_extrinsic,
    encode_extrinsic,
    extrinsic_hash,
)
from runtime.frame.ports import LocalFailure
from runtime.validation import (
    BadProof,
    CannotPay,
    ExhaustsResources,
    FromFuture,
    InvalidTransaction,
    Stale,
    Validity,
)

ALICE, BOB, CAROL = (bytes([number]) * 32 for number in (1, 2, 3))


@dataclass
class FakeHead:
    """A head whose transactions carry their priority as the tip."""

    head: int = 10
    nonces: dict[bytes, int] = field(default_factory=dict)
    refusals: dict[bytes, Exception] = field(default_factory=dict)
    longevity: int = 64
    judged: int = 0

    def height(self) -> int:
        return self.head

    def nonce(self, address: bytes) -> int:
        return self.nonces.get(address, 0)

    def validate(self, extrinsic: Extrinsic, encoded: bytes) -> Validity:
        self.judged += 1
        if encoded in self.refusals:
            raise self.refusals[encoded]
        assert extrinsic.signed is not None
        if extrinsic.signed.nonce < self.nonce(extrinsic.signed.address):
            raise Stale("nonce was used")
        return Validity(extrinsic.signed.tip, (), (), self.longevity, weight=1, fee=1)


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def transaction(sender: bytes, nonce: int, priority: int = 1, size: int = 4) -> bytes:
    signed = SignedPart(sender, ED25519, bytes(64), Era(), nonce, priority)
    return encode_extrinsic(Extrinsic(b"c" * size, signed))


@pytest.fixture
def head() -> FakeHead:
    return FakeHead()


@pytest.fixture
def pool(head: FakeHead) -> Pool:
    return Pool(head, Clock())


def contents(pool: Pool) -> tuple[tuple[bytes, ...], int]:
    return pool.pending(), pool.bytes_total


def refused(pool: Pool, encoded: bytes) -> PoolRefused:
    """Submit what must be refused, and see that nothing changed."""
    before = contents(pool)
    with pytest.raises(PoolRefused) as refusal:
        pool.submit(encoded)
    assert contents(pool) == before
    return refusal.value


def test_best_goes_first_and_nonces_stay_in_order(pool: Pool) -> None:
    low_then_high = [transaction(ALICE, 0, 1), transaction(ALICE, 1, 100)]
    middle = transaction(BOB, 0, 50)
    early, late = transaction(CAROL, 0, 20), transaction(bytes([4]) * 32, 0, 20)
    for encoded in (early, low_then_high[1], middle, late, low_then_high[0]):
        assert pool.submit(encoded) == extrinsic_hash(encoded)
    assert pool.ready() == (middle, early, late, *low_then_high)
    assert pool.ready(count_max=2) == (middle, early)
    assert pool.pending() == pool.ready()


def test_transaction_without_room_holds_back_those_behind_it(pool: Pool) -> None:
    large = [transaction(ALICE, 0, 9, size=1000), transaction(ALICE, 1, 9)]
    small = transaction(BOB, 0, 1)
    for encoded in (*large, small):
        pool.submit(encoded)
    assert pool.ready(bytes_max=500) == (small,)


def test_gap_makes_future(pool: Pool) -> None:
    first, third = transaction(ALICE, 0), transaction(ALICE, 2)
    pool.submit(third)
    assert (pool.ready(), pool.pending(), pool.standing(extrinsic_hash(third))) == (
        (),
        (third,),
        "future",
    )
    pool.submit(first)
    assert (pool.ready(), pool.next_nonce(ALICE, 0)) == ((first,), 1)
    second = transaction(ALICE, 1)
    pool.submit(second)
    assert (pool.ready(), pool.next_nonce(ALICE, 0)) == ((first, second, third), 3)
    assert (pool.next_nonce(BOB, 7), len(pool)) == (7, 3)
    assert pool.standing(b"\x00" * 32) is None


@pytest.mark.parametrize(
    ("encoded", "code", "text"),
    [
        (b"\x08zz", 1001, "Extrinsic has invalid format: extrinsic version byte 0x7a"),
        (bytes(300_000), 1001, "Extrinsic has invalid format: an extrinsic of 300000 bytes"),
        (encode_extrinsic(Extrinsic(b"call")), 1010, "Invalid Transaction: Only signed"),
        (transaction(ALICE, 256), 1021, "The pool is not accepting future transactions: Nonce 256"),
    ],
)
def test_refused_unseen(pool: Pool, head: FakeHead, encoded: bytes, code: int, text: str) -> None:
    refusal = refused(pool, encoded)
    assert (refusal.code, str(refusal)[: len(text)]) == (code, text)
    assert head.judged == 0


def test_invalid_is_banned_for_a_while(head: FakeHead) -> None:
    clock = Clock()
    pool = Pool(head, clock, PoolConfig(ban_ms=5000))
    encoded = transaction(ALICE, 0)
    head.refusals[encoded] = BadProof("signature of somebody else")
    refusal = refused(pool, encoded)
    assert (refusal.code, refusal.message) == (1010, "Invalid Transaction")
    assert refusal.data.endswith(
        "Sign for this chain, its current version and nonce. signature of somebody else"
    )
    assert (refused(pool, encoded).code, head.judged) == (1012, 1)
    head.refusals.clear()
    clock.now += 4000
    assert refused(pool, encoded).data == (
        "It was invalid a short time ago. Sign a new one, or wait 1 s."
    )
    clock.now += 1000
    pool.submit(encoded)
    assert pool.ready() == (encoded,)


def test_passing_reasons_are_not_banned(pool: Pool, head: FakeHead) -> None:
    encoded = transaction(ALICE, 0)
    head.refusals[encoded] = CannotPay("no funds")
    assert refused(pool, encoded).code == 1010
    head.refusals[encoded] = LocalFailure("no worker")
    assert refused(pool, encoded).code == 1011
    head.refusals.clear()
    pool.submit(encoded)
    assert refused(pool, encoded).code == 1013


def test_replacement_needs_a_tenth_more(pool: Pool) -> None:
    old, behind = transaction(ALICE, 0, 100), transaction(ALICE, 1, 5)
    pool.submit(old)
    pool.submit(behind)
    refusal = refused(pool, transaction(ALICE, 0, 109))
    assert (refusal.code, refusal.message) == (1014, "Priority is too low: (109 vs 110)")
    better = transaction(ALICE, 0, 110)
    pool.submit(better)
    assert pool.ready() == (better, behind)


def test_replacement_of_nothing_needs_something(pool: Pool) -> None:
    pool.submit(transaction(ALICE, 0, 0))
    assert refused(pool, transaction(ALICE, 0, 0, size=5)).code == 1014
    pool.submit(transaction(ALICE, 0, 1))


def test_full_pool_keeps_the_strongest(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(count_max=3))
    alice = [transaction(ALICE, 0, 10), transaction(ALICE, 1, 2)]
    bob = transaction(BOB, 0, 3)
    for encoded in (*alice, bob):
        pool.submit(encoded)
    assert refused(pool, transaction(CAROL, 0, 2)).code == 1016
    assert refused(pool, transaction(CAROL, 1, 99)).code == 1016
    carol = transaction(CAROL, 0, 4)
    pool.submit(carol)
    assert pool.ready() == (alice[0], carol, bob)
    assert refused(pool, transaction(BOB, 1, 3)).code == 1016


def test_future_ones_go_first(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(count_max=2))
    future, ready = transaction(ALICE, 5, 1000), transaction(BOB, 0, 1)
    pool.submit(future)
    pool.submit(ready)
    newcomer = transaction(CAROL, 0, 1)
    pool.submit(newcomer)
    assert pool.pending() == (ready, newcomer)


def test_bytes_are_bounded_and_a_refusal_evicts_nobody(head: FakeHead) -> None:
    small = transaction(ALICE, 0, 1)
    pool = Pool(head, Clock(), PoolConfig(bytes_max=4 * len(small)))
    pool.submit(small)
    strong = [transaction(address, 0, 50) for address in (BOB, CAROL)]
    for encoded in strong:
        pool.submit(encoded)
    # It would have to push out the weak one and a strong one.
    assert refused(pool, transaction(bytes([9]) * 32, 0, 20, size=2 * len(small))).code == 1016
    large = transaction(bytes([9]) * 32, 0, 60, size=2 * len(small))
    pool.submit(large)
    assert pool.bytes_total <= 4 * len(small)
    assert pool.ready() == (large, strong[0])


def test_account_is_bounded(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(account_count_max=3))
    waiting = [transaction(ALICE, nonce) for nonce in (0, 2)]
    for encoded in waiting:
        pool.submit(encoded)
    pool.submit(transaction(ALICE, 1))
    head.nonces[ALICE] = 1
    refusal = refused(pool, transaction(ALICE, 3))
    assert (refusal.code, refusal.data) == (
        1016,
        "3 transactions of this account wait already. Wait until some are included.",
    )


def test_account_that_is_full_lets_its_last_go_for_one_before(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(account_count_max=3))
    for nonce in (1, 2):
        pool.submit(transaction(ALICE, nonce))
    head.nonces[ALICE] = 1
    pool.submit(transaction(ALICE, 3))
    head.nonces[ALICE] = 0
    first = transaction(ALICE, 0)
    pool.submit(first)
    assert pool.ready() == (first, transaction(ALICE, 1), transaction(ALICE, 2))


def test_included_is_gone_and_those_behind_stay(pool: Pool, head: FakeHead) -> None:
    first, second = transaction(ALICE, 0), transaction(ALICE, 1)
    behind = pool.submit(second)
    assert pool.standing(behind) == "future"
    included = pool.submit(first)
    assert (pool.standing(included), pool.standing(behind)) == ("ready", "ready")
    head.nonces[ALICE], head.head = 1, 11
    pool.prune([encode_extrinsic(Extrinsic(b"inherent")), first], 11)
    assert (pool.standing(included), pool.standing(behind)) == (None, "ready")
    assert contents(pool) == ((second,), len(second))


def test_others_transaction_with_the_nonce_wins(pool: Pool, head: FakeHead) -> None:
    pool.submit(transaction(ALICE, 0))
    head.nonces[ALICE] = 1
    pool.prune([transaction(ALICE, 0, 50)], 11)
    assert contents(pool) == ((), 0)


def test_replaced_and_evicted_are_gone(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(count_max=2))
    pool.submit(transaction(ALICE, 0, 1))
    pool.submit(transaction(ALICE, 1, 1))
    better, strong = transaction(ALICE, 0, 10), transaction(BOB, 0, 5)
    stronger = transaction(CAROL, 0, 6)
    pool.submit(better)
    assert pool.ready() == (better, transaction(ALICE, 1, 1))
    pool.submit(strong)
    assert pool.ready() == (better, strong)
    pool.submit(stronger)
    assert pool.ready() == (better, stronger)


def test_expired_goes_and_holds_back_those_behind(pool: Pool, head: FakeHead) -> None:
    head.longevity = 2
    mortal = pool.submit(transaction(ALICE, 0))
    head.longevity = 100
    behind = pool.submit(transaction(ALICE, 1))
    pool.prune([], 11)
    assert len(pool.ready()) == 2
    pool.prune([], 12)
    assert (pool.standing(mortal), pool.standing(behind)) == (None, "future")
    assert pool.ready() == ()


def test_revalidation_lets_the_invalid_go_in_turns(pool: Pool, head: FakeHead) -> None:
    waiting = [transaction(bytes([number]) * 32, 0, number) for number in range(10, 16)]
    for encoded in waiting:
        pool.submit(encoded)
    head.refusals[waiting[4]] = CannotPay("spent")
    assert [pool.revalidate(2) for _ in range(3)] == [0, 0, 1]
    assert set(pool.pending()) == set(waiting) - {waiting[4]}
    head.refusals[waiting[0]] = BadProof("rules changed")
    head.refusals[waiting[1]] = LocalFailure("cannot say")
    assert pool.revalidate(99) == 1
    assert refused(pool, waiting[0]).code == 1012
    assert waiting[1] in pool.pending()


def test_left_out_for_good_is_banned(pool: Pool) -> None:
    extrinsic_id = pool.submit(transaction(ALICE, 0))
    assert pool.standing(extrinsic_id) == "ready"
    pool.leave_out(extrinsic_id, BadProof())
    pool.leave_out(b"\x00" * 32, BadProof())
    assert pool.standing(extrinsic_id) is None
    assert refused(pool, transaction(ALICE, 0)).code == 1012


def test_left_out_for_want_of_funds_may_come_again(pool: Pool) -> None:
    extrinsic_id = pool.submit(transaction(ALICE, 0))
    pool.leave_out(extrinsic_id, CannotPay())
    assert pool.standing(extrinsic_id) is None
    assert pool.submit(transaction(ALICE, 0)) == extrinsic_id


@pytest.mark.parametrize("why", [ExhaustsResources(), FromFuture(), LocalFailure()])
def test_left_out_for_now_goes_on_waiting(
    pool: Pool, why: InvalidTransaction | LocalFailure
) -> None:
    extrinsic_id = pool.submit(transaction(ALICE, 0))
    pool.leave_out(extrinsic_id, why)
    assert pool.standing(extrinsic_id) == "ready"


def test_accepted_is_announced_once(head: FakeHead) -> None:
    announced: list[bytes] = []
    pool = Pool(head, Clock(), on_accepted=lambda _, encoded: announced.append(encoded))
    pool.submit(transaction(ALICE, 0))
    with pytest.raises(PoolRefused):
        pool.submit(transaction(ALICE, 0))
    assert announced == [transaction(ALICE, 0)]


def test_block_that_comes_between_has_it_judged_again(head: FakeHead) -> None:
    pool = Pool(head, Clock())
    late, winner = transaction(ALICE, 0), transaction(ALICE, 0, 7)

    class Between(FakeHead):
        def validate(self, extrinsic: Extrinsic, encoded: bytes) -> Validity:
            verdict = FakeHead.validate(self, extrinsic, encoded)
            if self.judged == 1:
                self.nonces[ALICE] = 1
                pool.prune([winner], 11)
            return verdict

    pool = Pool(Between(), Clock())
    assert refused(pool, late).code == 1010


def test_many_threads_submit_while_blocks_come(head: FakeHead) -> None:
    pool = Pool(head, Clock(), PoolConfig(count_max=150))
    senders = [bytes([number]) * 32 for number in range(50, 58)]

    def submit_all(sender: bytes) -> None:
        for nonce in range(60):
            with suppress(PoolRefused):
                pool.submit(transaction(sender, nonce, nonce % 7))

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(submit_all, sender) for sender in senders]
        for height in range(11, 31):
            included = pool.ready(count_max=3)
            for encoded in included:
                signed = decode_extrinsic(encoded).signed
                assert signed is not None
                head.nonces[signed.address] = signed.nonce + 1
            head.head = height
            pool.prune(included, height)
        for each in running:
            each.result()
    waiting = [decode_extrinsic(encoded).signed for encoded in pool.pending()]
    assert pool.bytes_total == sum(map(len, pool.pending()))
    assert len(pool) == len(waiting) <= 150
    ready = pool.ready()
    for sender in senders:
        parts = [decode_extrinsic(encoded).signed for encoded in ready]
        nonces = [each.nonce for each in parts if each is not None and each.address == sender]
        first = head.nonce(sender)
        assert nonces == list(range(first, first + len(nonces)))


@dataclass
class Waiting:
    """What the model knows of a transaction."""

    encoded: bytes
    sender: bytes
    nonce: int
    priority: int
    arrival: int


class PoolAgainstList(RuleBasedStateMachine):
    """The same submissions and blocks into the pool and into a plain list."""

    COUNT_MAX = 7

    @initialize()
    def start(self) -> None:
        self.head = FakeHead()
        self.pool = Pool(self.head, Clock(), PoolConfig(count_max=self.COUNT_MAX))
        self.waiting: list[Waiting] = []
        self.arrivals = 0

    @rule(
        sender=st.sampled_from([ALICE, BOB, CAROL]),
        ahead=st.integers(-1, 3),
        priority=st.integers(0, 30),
    )
    def submit(self, sender: bytes, ahead: int, priority: int) -> None:
        nonce = max(self.head.nonce(sender) + ahead, 0)
        encoded = transaction(sender, nonce, priority)
        taken = self._model_takes(Waiting(encoded, sender, nonce, priority, self.arrivals))
        try:
            self.pool.submit(encoded)
        except PoolRefused:
            assert not taken
        else:
            assert taken
            self.arrivals += 1

    @rule(count=st.integers(1, 3))
    def include_best(self, count: int) -> None:
        included = self._model_ready()[:count]
        for each in included:
            self.head.nonces[each.sender] = each.nonce + 1
            self.waiting.remove(each)
        self.head.head += 1
        self.pool.prune([each.encoded for each in included], self.head.head)

    @rule(sender=st.sampled_from([ALICE, BOB]))
    def include_foreign(self, sender: bytes) -> None:
        nonce = self.head.nonce(sender)
        self.head.nonces[sender] = nonce + 1
        self.waiting = [
            each for each in self.waiting if (each.sender, each.nonce) != (sender, nonce)
        ]
        self.pool.prune([transaction(sender, nonce, 99)], self.head.head)

    @rule(place=st.integers(0, 6))
    def discard(self, place: int) -> None:
        if place < len(self.waiting):
            self.pool.leave_out(extrinsic_hash(self.waiting.pop(place).encoded), BadProof())
            # Banned bytes would be refused; another pool of this model never sees them again.
            self.pool._bans._until_ms.clear()

    @invariant()
    def ready_is_the_lists_order(self) -> None:
        ready = self._model_ready()
        assert self.pool.ready() == tuple(each.encoded for each in ready)
        rest = [each for each in self.waiting if each not in ready]
        assert set(self.pool.pending()[len(ready) :]) == {each.encoded for each in rest}
        assert len(self.pool) == len(self.waiting) <= self.COUNT_MAX
        assert self.pool.bytes_total == sum(len(each.encoded) for each in self.waiting)

    def _model_ready(self, waiting: list[Waiting] | None = None) -> list[Waiting]:
        rest = list(self.waiting if waiting is None else waiting)
        nonces = dict(self.head.nonces)
        order: list[Waiting] = []
        while True:
            heads = [each for each in rest if each.nonce == nonces.get(each.sender, 0)]
            if not heads:
                return order
            best = min(heads, key=lambda each: (-each.priority, each.arrival))
            order.append(best)
            rest.remove(best)
            nonces[best.sender] = best.nonce + 1

    def _model_takes(self, new: Waiting) -> bool:
        if new.nonce < self.head.nonce(new.sender) or new.encoded in {
            each.encoded for each in self.waiting
        }:
            return False
        after = [
            each for each in self.waiting if (each.sender, each.nonce) != (new.sender, new.nonce)
        ]
        for old in self.waiting:
            if old not in after and new.priority < max(
                -(-old.priority * 110 // 100), old.priority + 1
            ):
                return False
        ready = self._model_ready()
        end = max([each.nonce + 1 for each in ready if each.sender == new.sender], default=0)
        is_ready = new.nonce <= max(end, self.head.nonce(new.sender))
        while len(after) >= self.COUNT_MAX:
            highest = {each.sender: each.nonce for each in sorted(after, key=lambda e: e.nonce)}
            lasts = [
                (each in ready, each.priority, -each.arrival, each.encoded)
                for each in after
                if each.nonce == highest[each.sender]
                and (each.sender != new.sender or each.nonce > new.nonce)
            ]
            if not lasts or min(lasts) >= (is_ready, new.priority, -new.arrival):
                return False
            after = [each for each in after if each.encoded != min(lasts)[3]]
        self.waiting = [*after, new]
        return True


PoolAgainstList.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None
)
TestPoolAgainstList = PoolAgainstList.TestCase


def test_refusals_of_the_runtime_have_advice() -> None:
    for kind in InvalidTransaction.__subclasses__():
        assert (kind.__doc__ or "").count(".") >= 1
