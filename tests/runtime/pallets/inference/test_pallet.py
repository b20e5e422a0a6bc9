"""Inference: a paid run, its receipt, and every way in which it is refused."""

from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import DispatchError, PostInfo
from runtime.frame.ports import Completed, LocalFailure, Trapped
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy, FeeSplit
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.inference import DryRun, Quote, Receipt, errors, weights
from runtime.pallets.inference.pallet import PRUNED_PER_BLOCK, Inferred
from runtime.pallets.inference.stored import OUTPUT_INLINE_MAX
from runtime.pallets.models.errors import NotActive, UnknownModel, UnknownVersion
from runtime.pallets.models.stored import Control, Lineage
from runtime.pallets.rewards import POT
from tests.support.economy import ALICE, BOB, DAVE, LABEL, PIXELS, Chain

MODEL_TOP, ROWS_TOP = b"\1" * 32, b"\2" * 32
MODEL_ROOT, ROWS_BLOB = root_over(MODEL_TOP, 1_000), root_over(ROWS_TOP, 650)
POLICY = FeePolicy(1_000_003, 200_000, 300_000, 400_000, 100_000)
PARTS = FeeSplit(200_000, 300_000, 400_001, 100_002)
WEIGHT = weights.infer(1_000, len(PIXELS))
HASHES = blake2_256(PIXELS), blake2_256(LABEL)


@pytest.fixture
def chain() -> Chain:
    chain = Chain(replace(CONFIG, inference=replace(CONFIG.inference, receipt_blocks=2)))
    chain.call(
        *(ALICE, "data", "create_dataset"),
        name="digits",
        element=2,
        shape=(64,),
        classes=10,
        licence="CC0",
        distance=0,
        neighbours=0,
    )
    chain.make_available(BOB, ROWS_TOP, 650, 1)
    content = b"".join(bytes((row,)) * 64 + bytes((row,)) for row in range(10))
    chain.executor.contents[ROWS_BLOB] = content
    root = rows_root(content, 65)
    rows = {"dataset": "digits", "blob": ROWS_BLOB, "rows": 10, "rows_root": root}
    chain.call(BOB, "data", "contribute", **rows)
    chain.make_available(ALICE, MODEL_TOP, 1_000, 0)
    model = {"name": "digits", "blob": MODEL_ROOT, "licence": "Apache-2.0", "policy": POLICY}
    chain.call(
        ALICE,
        "models",
        "register",
        **model,
        lineage=Lineage(datasets=("digits",)),
        control=Control(),
        bounds=(),
    )
    chain.end_block()
    return chain


def run(**changes: Any) -> dict[str, Any]:
    return {"model": "digits", "version": None, "input": PIXELS, "max_fee": 2_000_000, **changes}


def infer(chain: Chain, **changes: Any) -> None:
    chain.call(DAVE, "inference", "infer", **run(**changes))


def test_a_run_is_paid_recorded_and_reported(chain: Chain) -> None:
    before = chain.pallets.balances.free(DAVE)
    infer(chain, max_fee=POLICY.price)

    assert chain.executor.runs == [(MODEL_ROOT, PIXELS, ())]
    assert chain.pallets.balances.free(DAVE) == before - POLICY.price
    assert chain.events_of(Inferred) == [
        Inferred(0, "digits", 1, DAVE, POLICY.price, *HASHES, LABEL)
    ]
    assert chain.pallets.inference.receipt(0) == Receipt(
        "digits", 1, DAVE, 2, *HASHES, WEIGHT, POLICY.price, PARTS
    )
    assert chain.state.results == [HASHES[1]]
    chain.end_block()


def test_the_price_is_in_the_pot_and_belongs_to_those_of_the_policy(chain: Chain) -> None:
    before = chain.pallets.balances.free(POT)
    infer(chain)

    assert chain.pallets.balances.free(POT) == before + POLICY.price
    rewards = chain.pallets.rewards
    assert rewards.status(ALICE).claimable == PARTS.owner
    assert rewards.status(BOB).claimable == PARTS.contributors
    assert rewards.validators_due.get() == PARTS.validators
    assert rewards.treasury_due.get() == PARTS.treasury
    chain.end_block()


def test_an_old_version_is_run_by_its_number(chain: Chain) -> None:
    infer(chain, version=1)

    assert chain.pallets.inference.receipt(0) is not None
    chain.refuse(UnknownVersion("digits version 2"), DAVE, "inference", "infer", **run(version=2))


def test_a_long_output_is_an_event_by_its_hash_only(chain: Chain) -> None:
    outputs = bytes(OUTPUT_INLINE_MAX + 1)
    chain.executor.answer = lambda root, inputs: Completed(outputs)
    infer(chain)

    (event,) = chain.events_of(Inferred)
    assert isinstance(event, Inferred)
    assert (event.output, event.output_hash) == (None, blake2_256(outputs))


def test_the_weight_is_known_before(chain: Chain) -> None:
    (call,) = chain.pallets.inference.calls.values()
    values = ("digits", None, PIXELS, 0)
    assert call.weigh(chain.pallets.inference, values) == WEIGHT
    nothing = call.weigh(chain.pallets.inference, ("none", None, PIXELS, 0))
    assert nothing == weights.infer(0, len(PIXELS))
    assert chain.pallets.inference.quote("digits", None, len(PIXELS)) == Quote(
        "digits", 1, POLICY.price, PARTS, WEIGHT
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (
            {"max_fee": POLICY.price - 1},
            errors.PriceAboveMaximum("1000003 > 1000002"),
        ),
        ({"input": b""}, errors.MalformedInput("compact: 1 bytes missing")),
        ({"input": LABEL}, errors.WrongInputNames("['label'] instead of ['pixels']")),
        (
            {"input": PIXELS.replace(b"pixels\1", b"pixels\6")},
            errors.WrongElementType("pixels: type 6 instead of 1"),
        ),
        (
            {"input": PIXELS.replace(b"\x08\4\x08", b"\x08\x08\4")},
            errors.WrongShape("pixels: [2, 1] instead of [1, 2]"),
        ),
    ],
)
def test_what_cannot_be_run_is_refused_before_it_costs_the_run(
    chain: Chain, changes: dict[str, Any], error: DispatchError
) -> None:
    chain.refuse(error, DAVE, "inference", "infer", **run(**changes))

    with pytest.raises(DispatchError) as refusal:
        infer(chain, **changes)
    length = len(changes.get("input", PIXELS))
    assert refusal.value.post == PostInfo(actual_weight=weights.infer(0, length))
    assert chain.executor.runs == []


def test_who_cannot_pay_is_refused_before_the_run(chain: Chain) -> None:
    chain.call(DAVE, "balances", "transfer_all", dest=ALICE, keep_alive=True)
    chain.pallets.models.models["digits"] = replace(
        chain.pallets.models.models["digits"], policy=replace(POLICY, price=NOE)
    )
    chain.refuse(
        InsufficientBalance(f"{NOE // 1000} < {NOE}"),
        *(DAVE, "inference", "infer"),
        **run(max_fee=NOE),
    )
    assert chain.executor.runs == []


def test_unknown_and_inactive_models_are_refused(chain: Chain) -> None:
    chain.refuse(UnknownModel("none"), DAVE, "inference", "infer", **run(model="none"))
    chain.call(ALICE, "models", "retire", name="digits", version=1)
    chain.refuse(NotActive("digits has no active version"), DAVE, "inference", "infer", **run())


def test_a_trap_changes_nothing_and_costs_the_weight(chain: Chain) -> None:
    chain.executor.answer = lambda root, inputs: Trapped("NaN in pixels")
    error = errors.RunTrapped("NaN in pixels")

    chain.refuse(error, DAVE, "inference", "infer", **run())

    assert error.post == PostInfo()
    assert chain.executor.runs == [(MODEL_ROOT, PIXELS, ())]


def test_a_local_failure_passes_through_and_changes_nothing(chain: Chain) -> None:
    def fail(root: bytes, inputs: bytes) -> Completed:
        raise LocalFailure("out of memory")

    chain.executor.answer = fail
    before = chain.state.changes()

    with pytest.raises(LocalFailure):
        infer(chain)
    assert chain.state.changes() == before
    assert chain.state.results == []


def test_a_dry_run_says_all_and_leaves_no_trace(chain: Chain) -> None:
    before = chain.state.changes(), list(chain.state.events)
    inference = chain.pallets.inference
    quote = Quote("digits", 1, POLICY.price, PARTS, WEIGHT)

    assert inference.dry_run("digits", None, PIXELS) == DryRun(quote, LABEL, None)
    chain.executor.answer = lambda root, inputs: Trapped("overflow")
    assert inference.dry_run("digits", 1, PIXELS) == DryRun(quote, None, "overflow")
    with pytest.raises(errors.WrongInputNames):
        inference.dry_run("digits", None, LABEL)
    assert (chain.state.changes(), chain.state.events) == before


def test_a_free_model_is_run_for_the_network_fee(chain: Chain) -> None:
    model = chain.pallets.models.models["digits"]
    chain.pallets.models.models["digits"] = replace(model, policy=replace(POLICY, price=0))
    before = chain.pallets.balances.free(DAVE)

    infer(chain, max_fee=0)

    assert chain.pallets.balances.free(DAVE) == before
    receipt = chain.pallets.inference.receipt(0)
    assert receipt is not None
    assert (receipt.price, receipt.parts) == (0, FeeSplit())


def test_expired_receipts_go_a_few_at_a_time(chain: Chain) -> None:
    runs = PRUNED_PER_BLOCK + 10
    for _ in range(runs):
        infer(chain)
    for _ in range(2):
        chain.end_block()
    assert chain.pallets.inference.first_receipt.get() == 0
    chain.end_block()
    assert chain.pallets.inference.first_receipt.get() == PRUNED_PER_BLOCK
    assert chain.pallets.inference.receipt(PRUNED_PER_BLOCK - 1) is None

    infer(chain)
    infer(chain)
    assert chain.pallets.inference.first_receipt.get() == PRUNED_PER_BLOCK + 4
    chain.end_block()
    assert chain.pallets.inference.first_receipt.get() == runs
    assert chain.pallets.inference.receipt(runs) is not None
