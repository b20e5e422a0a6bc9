"""Block execution: what transactions do to a block, and which ones it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.block import digests_of, results_root
from chain.primitives.extrinsic import (
    Era,
    Extrinsic,
    SigningContext,
    decode_extrinsic,
    encode_extrinsic,
)
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.keys import verify
from chain.primitives.numbers import NOE
from consensus.core.validators import Validator, ValidatorSet
from runtime.assembly import CONSTRUCT
from runtime.block_execution import ApplyResult, BlockExecution
from runtime.frame import (
    ApplyExtrinsic,
    EventRecord,
    Finalization,
    PostInfo,
    Refusal,
)
from runtime.frame.failure import Module
from runtime.frame.ports import LocalFailure
from runtime.frame.weight import MICROSECOND, DispatchClass, DispatchInfo, Pays, WeightV2
from runtime.pallets.balances.pallet import (
    Balances,
    Deposit,
    Endowed,
    InsufficientBalance,
    Transfer,
    Withdraw,
)
from runtime.pallets.fees.pallet import TransactionFeePaid
from runtime.pallets.rewards import POT
from runtime.pallets.rewards.pallet import Distributed
from runtime.pallets.system.pallet import (
    ExtrinsicFailed,
    ExtrinsicSuccess,
    NewAccount,
    System,
)
from runtime.validation import (
    AncientBirthBlock,
    BadMandatory,
    BadProof,
    BlockIncomplete,
    CallUnknown,
    CannotPay,
    ExhaustsResources,
    FromFuture,
    InvalidTransaction,
    NotInherent,
    Stale,
    TooLarge,
)
from tests.support.memory_chain import ALICE, BOB, CAROL, MemoryChain

TRANSFER_WEIGHT = 200 * MICROSECOND
NORMAL = DispatchInfo(WeightV2(TRANSFER_WEIGHT), DispatchClass.NORMAL, Pays.YES)
TIME = DispatchInfo(WeightV2(120 * MICROSECOND), DispatchClass.MANDATORY, Pays.NO)
SECRET = DispatchInfo(WeightV2(130 * MICROSECOND), DispatchClass.MANDATORY, Pays.NO)


def fee_of(encoded: bytes, weight: int = TRANSFER_WEIGHT) -> int:
    return NOE // 1000 + len(encoded) * NOE // 1_000_000 + weight


def seen(execution: BlockExecution) -> tuple[Any, ...]:
    state = execution.state
    return state.changes(), list(state.events), list(state.results), execution.weight_left


def test_a_transfer_is_paid_for_and_told_in_order(chain: MemoryChain) -> None:
    encoded = chain.transfer(BOB, CAROL, NOE, tip=7)
    outcome = chain.block(encoded)
    fee = fee_of(encoded)

    assert chain.queries().events() == (
        EventRecord(ApplyExtrinsic(0), ExtrinsicSuccess(TIME)),
        EventRecord(ApplyExtrinsic(1), ExtrinsicSuccess(SECRET)),
        EventRecord(ApplyExtrinsic(2), Withdraw(BOB.address, fee + 7)),
        EventRecord(ApplyExtrinsic(2), NewAccount(CAROL.address)),
        EventRecord(ApplyExtrinsic(2), Endowed(CAROL.address, NOE)),
        EventRecord(ApplyExtrinsic(2), Transfer(BOB.address, CAROL.address, NOE)),
        EventRecord(ApplyExtrinsic(2), TransactionFeePaid(BOB.address, fee + 7, 7)),
        EventRecord(ApplyExtrinsic(2), ExtrinsicSuccess(NORMAL)),
        EventRecord(Finalization(), Deposit(POT, fee + 7)),
        EventRecord(Finalization(), Distributed(fee, 0)),
    )
    assert outcome.applied[2] == ApplyResult(None, "", TRANSFER_WEIGHT, fee + 7)
    bob = chain.queries().account(BOB.address)
    assert (bob.nonce, bob.data.free) == (1, 100 * NOE - NOE - fee - 7)


def test_a_refused_call_changes_nothing_but_fee_and_nonce(chain: MemoryChain) -> None:
    encoded = chain.transfer(BOB, CAROL, 101 * NOE)
    fee = fee_of(encoded)
    outcome = chain.block(encoded)
    failure = Module(2, bytes([2, 0, 0, 0]))

    (result,) = outcome.applied[2:]
    assert result.failure == failure == CONSTRUCT.failure_of(InsufficientBalance())
    assert result.detail == f"{100 * NOE - fee} < {101 * NOE}"
    told = [record.event for record in chain.queries().events()]
    assert told[2:5] == [
        Withdraw(BOB.address, fee),
        TransactionFeePaid(BOB.address, fee, 0),
        ExtrinsicFailed(failure, NORMAL),
    ]
    bob = chain.queries().account(BOB.address)
    assert (bob.nonce, bob.data.free) == (1, 100 * NOE - fee)
    assert chain.queries().account(CAROL.address).data.free == 0
    assert chain.queries().outcome(2).refusal == Refusal(
        "Balances.InsufficientBalance",
        "The account's free funds are below the amount.  Send less, or fill it up first.",
    )


def test_the_header_says_what_was_found(chain: MemoryChain) -> None:
    outcome = chain.block()
    before, after = digests_of(chain.head)
    validators = ValidatorSet((Validator(ALICE.address, 500),))

    assert (before.proposer, before.parent_certificate) == (ALICE.address, ZERO_HASH)
    assert after.results_root == results_root(())
    assert after.validators == after.next_validators == validators.hash()
    assert outcome.next_validators == validators
    assert chain.state[System.digest.raw_key()][0] == 2 << 2


def test_blocks_follow_each_other(chain: MemoryChain) -> None:
    for number in range(1, 4):
        parent = chain.head.hash()
        chain.block(chain.transfer(BOB, ALICE, NOE))
        system = chain.queries().pallets.system
        assert (system.height(), system.parent_hash.get()) == (number, parent)
        assert (system.extrinsic_count.get(), system.author()) == (3, ALICE.address)
    assert chain.queries().account(BOB.address).nonce == 3


def _signed_by(chain: MemoryChain, **options: Any) -> bytes:
    return chain.transfer(BOB, ALICE, 1, **options)


def _forged(chain: MemoryChain) -> bytes:
    encoded = bytearray(_signed_by(chain))
    encoded[-1] ^= 8
    return bytes(encoded)


def _sr25519(chain: MemoryChain) -> bytes:
    extrinsic = decode_extrinsic(_signed_by(chain))
    assert extrinsic.signed
    return encode_extrinsic(replace(extrinsic, signed=replace(extrinsic.signed, signature_kind=1)))


def _bare_transfer(chain: MemoryChain) -> bytes:
    return encode_extrinsic(Extrinsic(decode_extrinsic(_signed_by(chain)).call))


def _unknown_call(chain: MemoryChain) -> bytes:
    return encode_extrinsic(replace(decode_extrinsic(_signed_by(chain)), call=b"\xff\xff"))


def _other_genesis(chain: MemoryChain) -> bytes:
    return _signed_by(chain, context=replace(chain.context, genesis_hash=bytes(32)))


def _other_version(chain: MemoryChain) -> bytes:
    context = SigningContext(99, chain.context.transaction_version, chain.context.genesis_hash)
    return _signed_by(chain, context=context)


def _current_birth(chain: MemoryChain) -> bytes:
    return _signed_by(chain, era=Era.mortal(64, chain.head.number + 1), birth_hash=bytes(32))


def _poor(chain: MemoryChain) -> bytes:
    return chain.transfer(CAROL, BOB, 1)


def _too_generous(chain: MemoryChain) -> bytes:
    return _signed_by(chain, tip=100 * NOE)


REFUSALS: list[tuple[Callable[[MemoryChain], bytes], type[InvalidTransaction]]] = [
    (_forged, BadProof),
    (_sr25519, BadProof),
    (_other_genesis, BadProof),
    (_other_version, BadProof),
    (_unknown_call, CallUnknown),
    (_bare_transfer, NotInherent),
    (_current_birth, AncientBirthBlock),
    (_poor, CannotPay),
    (_too_generous, CannotPay),
    (lambda chain: _signed_by(chain, nonce=2), FromFuture),
    (lambda chain: _signed_by(chain, nonce=0), Stale),
    (lambda chain: chain.timestamp(9_999), BadMandatory),
]


@pytest.mark.parametrize(("build", "error"), REFUSALS)
def test_a_transaction_that_cannot_stand_in_the_block_changes_nothing(
    chain: MemoryChain, build: Callable[[MemoryChain], bytes], error: type[InvalidTransaction]
) -> None:
    chain.block(chain.transfer(BOB, ALICE, 1))
    execution = chain.begin()
    encoded = build(chain)
    before = seen(execution)

    with pytest.raises(error) as refusal:
        execution.apply(decode_extrinsic(encoded), encoded)

    assert type(refusal.value) is error
    assert seen(execution) == before
    good = chain.transfer(BOB, ALICE, 1)
    assert execution.apply(decode_extrinsic(good), good).succeeded
    chain.keep(execution.finish())


def test_inherents_come_first(chain: MemoryChain) -> None:
    execution = chain.begin(timed=False)
    transfer, now = chain.transfer(BOB, ALICE, 1), chain.timestamp(1000)
    execution.apply(decode_extrinsic(transfer), transfer)

    with pytest.raises(BadMandatory, match="inherents come first"):
        execution.apply(decode_extrinsic(now), now)


def test_a_time_before_the_parents_is_refused(chain: MemoryChain) -> None:
    chain.block()
    execution = chain.begin(timed=False)
    now = chain.timestamp(1000)
    before = seen(execution)

    with pytest.raises(BadMandatory, match="TooEarly: 1000 < 1100"):
        execution.apply(decode_extrinsic(now), now)

    assert seen(execution) == before


def test_a_block_needs_its_time(chain: MemoryChain) -> None:
    with pytest.raises(BlockIncomplete, match="no time"):
        chain.begin(timed=False).finish()


def test_a_block_needs_its_proposers_secret(chain: MemoryChain) -> None:
    execution = chain.begin(timed=False)
    now = chain.timestamp(1000)
    execution.apply(decode_extrinsic(now), now)

    with pytest.raises(BlockIncomplete, match="no secret of its proposer"):
        execution.finish()


@pytest.mark.parametrize(
    ("lifetime", "applied_at", "stands"), [(4, 3, True), (4, 4, True), (4, 5, False)]
)
def test_a_mortal_transaction_stands_in_its_era(
    chain: MemoryChain, lifetime: int, applied_at: int, stands: bool
) -> None:
    chain.block()
    era, birth_hash = Era.mortal(lifetime, 1), chain.head.hash()
    encoded = chain.transfer(BOB, ALICE, 1, era=era, birth_hash=birth_hash)
    while chain.head.number + 1 < applied_at:
        chain.block()

    if stands:
        assert chain.block(encoded).applied[2].succeeded
    else:
        with pytest.raises((BadProof, AncientBirthBlock)):
            chain.block(encoded)


@pytest.mark.parametrize(
    ("weight_max", "length_max", "fitting"),
    [(650 * MICROSECOND, 10_000, 2), (10_000 * MICROSECOND, 500, 2)],
)
def test_a_full_block_takes_no_more(
    small_chain: Callable[[int, int], MemoryChain], weight_max: int, length_max: int, fitting: int
) -> None:
    chain = small_chain(weight_max, length_max)
    execution = chain.begin()
    transfers = [chain.transfer(BOB, ALICE, 1, nonce=nonce) for nonce in range(5)]
    for encoded in transfers[:fitting]:
        execution.apply(decode_extrinsic(encoded), encoded)
    before = seen(execution)

    with pytest.raises(ExhaustsResources):
        execution.apply(decode_extrinsic(transfers[fitting]), transfers[fitting])

    assert seen(execution) == before
    assert execution.weight_left >= 0
    assert execution.length_left >= 0
    assert len(chain.keep(execution.finish()).applied) == 2 + fitting


def test_what_no_block_can_hold_is_too_large(
    small_chain: Callable[[int, int], MemoryChain],
) -> None:
    chain = small_chain(10_000 * MICROSECOND, 430)
    encoded = chain.sign(BOB, "System", "remark", {"remark": bytes(400)})

    with pytest.raises(TooLarge):
        chain.begin().apply(decode_extrinsic(encoded), encoded)


def test_a_local_failure_passes_through_and_leaves_nothing(
    chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Balances, *arguments: Any, **named: Any) -> None:
        raise LocalFailure("the worker is gone")

    execution = chain.begin()
    encoded = chain.transfer(BOB, ALICE, 1)
    before = seen(execution)
    monkeypatch.setattr(Balances, "transfer", fail)

    with pytest.raises(LocalFailure):
        execution.apply(decode_extrinsic(encoded), encoded)

    assert seen(execution) == before
    monkeypatch.undo()
    assert execution.apply(decode_extrinsic(encoded), encoded).succeeded
    chain.keep(execution.finish())


def test_signatures_can_be_checked_elsewhere(chain: MemoryChain) -> None:
    execution = chain.begin()
    encoded = chain.transfer(BOB, ALICE, 1)
    check = execution.signature_of(decode_extrinsic(encoded))
    assert verify(check.address, check.message, check.signature)

    now = decode_extrinsic(chain.timestamp(1))
    assert execution.signature_of(now) is None
    forged = _forged(chain)
    assert execution.apply(decode_extrinsic(forged), forged, signature_checked=True).succeeded


def test_validity_says_order_and_price(chain: MemoryChain) -> None:
    chain.block(chain.transfer(BOB, ALICE, 1))
    view = chain.executive.view(chain.state.get, chain.head)
    before = seen(view)
    encoded = chain.transfer(BOB, ALICE, 1, nonce=3, tip=5)
    validity = view.validate(decode_extrinsic(encoded), encoded)

    assert validity.requires == (BOB.address + b"\2\0\0\0",)
    assert validity.provides == (BOB.address + b"\3\0\0\0",)
    assert (validity.weight, validity.fee) == (TRANSFER_WEIGHT, fee_of(encoded) + 5)
    ready = chain.transfer(BOB, ALICE, 1, tip=6)
    better = view.validate(decode_extrinsic(ready), ready)
    assert better.requires == ()
    assert better.priority > validity.priority
    assert seen(view) == before


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (_forged, BadProof),
        (_unknown_call, CallUnknown),
        (_bare_transfer, NotInherent),
        (_poor, CannotPay),
        (_current_birth, AncientBirthBlock),
        (lambda chain: _signed_by(chain, nonce=0), Stale),
    ],
)
def test_the_pool_is_told_why_not(
    chain: MemoryChain, build: Callable[[MemoryChain], bytes], error: type[InvalidTransaction]
) -> None:
    chain.block(chain.transfer(BOB, ALICE, 1))
    encoded = build(chain)

    with pytest.raises(error) as refusal:
        chain.executive.validate(chain.state.get, chain.head, decode_extrinsic(encoded), encoded)

    assert type(refusal.value) is error


def test_a_mortal_transaction_may_be_born_at_the_head(chain: MemoryChain) -> None:
    chain.block()
    era, birth_hash = Era.mortal(64, 1), chain.head.hash()
    encoded = chain.transfer(BOB, ALICE, 1, era=era, birth_hash=birth_hash)
    decoded = decode_extrinsic(encoded)
    validity = chain.executive.validate(chain.state.get, chain.head, decoded, encoded)

    assert validity.longevity == 63
    assert chain.block(encoded).applied[2].succeeded


@pytest.mark.parametrize(
    ("post", "weight", "pays"),
    [
        (PostInfo(), TRANSFER_WEIGHT, Pays.YES),
        (PostInfo(actual_weight=30 * MICROSECOND), 130 * MICROSECOND, Pays.YES),
        (PostInfo(actual_weight=900 * MICROSECOND), TRANSFER_WEIGHT, Pays.YES),
        (PostInfo(pays_fee=False), TRANSFER_WEIGHT, Pays.NO),
    ],
)
def test_what_a_call_did_not_use_comes_back(
    chain: MemoryChain, monkeypatch: pytest.MonkeyPatch, post: PostInfo, weight: int, pays: Pays
) -> None:
    call = replace(Balances.calls[3], function=lambda *_: post)
    encoded = chain.transfer(BOB, ALICE, 1, tip=7)
    monkeypatch.setattr(CONSTRUCT, "_calls", {b"\2\3": (2, "Balances", call)})
    execution = chain.executive.view(chain.state.get, chain.head)
    result = execution.apply(decode_extrinsic(encoded), encoded)
    kept = fee_of(encoded, weight) if pays is Pays.YES else 0

    assert result == ApplyResult(None, "", weight, kept + 7)
    assert execution.state.events[-2:] == [
        TransactionFeePaid(BOB.address, kept + 7, 7),
        ExtrinsicSuccess(DispatchInfo(WeightV2(weight), DispatchClass.NORMAL, pays)),
    ]
    returned = fee_of(encoded) - kept
    refund = [event for event in execution.state.events if isinstance(event, Deposit)]
    assert refund == ([Deposit(BOB.address, returned)] if returned else [])
