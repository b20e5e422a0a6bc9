"""Models: from registration over admission to retirement."""

from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import DispatchError
from runtime.frame.ports import AdmissionSummary, Bound, Bounds, LocalFailure, TensorType
from runtime.frame.runs import FeePolicy
from runtime.pallets.balances.pallet import InsufficientBalance, Withdraw
from runtime.pallets.blobs.pallet import BlobInUse, NotAnnounced, WrongKind
from runtime.pallets.models import ModelStatus, Status, errors, events
from runtime.pallets.models.admission import REASONS_KEPT
from runtime.pallets.models.stored import (
    QUEUE_MAX,
    READY_MAX,
    VERSIONS_ACTIVE_MAX,
    Control,
    Lineage,
    Model,
    Queued,
    Version,
)
from runtime.pallets.rewards.pallet import Distributed
from tests.support.economy import (
    ADMITTED,
    ALICE,
    BOB,
    INPUTS,
    OUTPUTS,
    VALIDATORS,
    Chain,
)

TOP, OTHER_TOP = b"\1" * 32, b"\2" * 32
ROOT, OTHER = root_over(TOP, 1_000), root_over(OTHER_TOP, 1_000)
BOBS_TOP, ROWS_TOP = b"\7" * 32, b"\3" * 32
BOBS, ROWS = root_over(BOBS_TOP, 1), root_over(ROWS_TOP, 1)
POLICY = FeePolicy(1_000, 200_000, 500_000, 0, 300_000)
NAMES = ("name", "blob", "licence", "lineage", "policy", "control", "bounds")


@pytest.fixture
def chain() -> Chain:
    return Chain(replace(CONFIG, models=replace(CONFIG.models, waiting_blocks=3)))


def registration(**changes: Any) -> dict[str, Any]:
    values = ("digits", ROOT, "Apache-2.0", Lineage(), POLICY, Control(), ())
    return {**dict(zip(NAMES, values, strict=True)), **changes}


def register(chain: Chain, **changes: Any) -> None:
    chain.call(ALICE, "models", "register", **registration(**changes))


def available(chain: Chain, top: bytes = TOP) -> None:
    chain.make_available(ALICE, top, 1_000, 0)


def model_events(happened: list[Any]) -> list[Any]:
    return [each for each in happened if type(each).__module__ == events.__name__]


def test_a_model_waits_for_its_bytes_and_is_active_without_another_call(chain: Chain) -> None:
    chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    register(chain)
    assert model_events(chain.end_block()) == [
        events.Registered("digits", ALICE),
        events.Published("digits", 1, ROOT),
    ]
    assert model_events(chain.end_block()) == []
    assert chain.executor.admitted == []

    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=ROOT)
    assert model_events(chain.end_block()) == [events.Activated("digits", 1, 1_000, 64)]

    assert chain.executor.admitted == [(ROOT, 1_000, ())]
    assert chain.pallets.models.status("digits") == ModelStatus(
        Model(
            *(ALICE, "Apache-2.0", POLICY, Control(), 0, 1, NOE),
            versions=1,
            unretired=1,
            active=(1,),
        ),
        (
            (
                1,
                Version(
                    ROOT,
                    1_000,
                    Lineage(),
                    1,
                    NOE // 10,
                    Status.ACTIVE,
                    (),
                    INPUTS,
                    OUTPUTS,
                    1_000,
                    64,
                    activated=4,
                ),
            ),
        ),
        default=1,
    )


def test_a_model_whose_bytes_are_there_is_examined_in_the_next_block(chain: Chain) -> None:
    available(chain)
    register(chain)

    assert model_events(chain.end_block())[2:] == [events.Activated("digits", 1, 1_000, 64)]


def test_one_model_is_examined_in_one_block(chain: Chain) -> None:
    available(chain)
    for number in range(3):
        register(chain, name=f"digits-{number}")

    for number in range(3):
        activated = [each for each in chain.end_block() if isinstance(each, events.Activated)]
        assert activated == [events.Activated(f"digits-{number}", 1, 1_000, 64)]


@pytest.mark.parametrize(
    ("summary", "reasons"),
    [
        (AdmissionSummary(False, ("custom operator", "too deep"), (), (), 0, 0), None),
        (AdmissionSummary(False, (), (), (), 0, 0), ("no reason was given",)),
        (AdmissionSummary(False, ("x" * 900,) * 20, (), (), 0, 0), ("x" * 240,) * REASONS_KEPT),
        (
            replace(ADMITTED, gas=400_000_001),
            ("one run costs 400000001 gas, at most 400000000",),
        ),
        (
            replace(ADMITTED, inputs=(TensorType("n" * 300, 1, (1,)),)),
            ("inputs or outputs exceed a bound of the chain: 300 bytes, at most 256",),
        ),
    ],
)
def test_a_rejected_model_says_why_and_frees_its_blob(
    chain: Chain, summary: AdmissionSummary, reasons: tuple[str, ...] | None
) -> None:
    reasons = summary.reasons if reasons is None else reasons
    chain.executor.summaries[ROOT] = summary
    available(chain)
    register(chain)

    assert model_events(chain.end_block())[2:] == [events.Rejected("digits", 1, reasons)]

    version = chain.pallets.models.versions["digits", 1]
    assert (version.status, version.reasons) == (Status.REJECTED, reasons)
    chain.call(ALICE, "blobs", "release", root=ROOT)
    chain.end_block()


def test_a_model_that_waits_too_long_is_rejected(chain: Chain) -> None:
    chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    register(chain)
    for _ in range(3):
        chain.end_block()

    assert model_events(chain.end_block()) == [
        events.Rejected("digits", 1, ("the bytes of the blob did not come in time",))
    ]
    chain.call(ALICE, "blobs", "release", root=ROOT)


def test_a_local_failure_is_nobodys_result(chain: Chain) -> None:
    def fail(root: bytes, length: int, bounds: Bounds) -> AdmissionSummary:
        raise LocalFailure("the disk is full")

    available(chain)
    register(chain)
    chain.executor.admit = fail  # type: ignore[method-assign]

    with pytest.raises(LocalFailure):
        chain.end_block()


def test_a_new_version_becomes_the_default_and_the_old_one_stays(chain: Chain) -> None:
    available(chain)
    available(chain, OTHER_TOP)
    register(chain)
    chain.end_block()

    chain.call(ALICE, "models", "publish", name="digits", blob=OTHER, lineage=Lineage(), bounds=())
    assert chain.pallets.models.runnable("digits", None).version == 1
    chain.end_block()

    assert chain.pallets.models.runnable("digits", None).root == OTHER
    assert chain.pallets.models.runnable("digits", 1).root == ROOT
    assert chain.pallets.models.gas("digits", None) == 1_000
    assert chain.pallets.models.gas("digits", 0) == 0


def test_a_retired_version_takes_no_calls_and_frees_blob_and_deposit(chain: Chain) -> None:
    available(chain)
    register(chain)
    chain.end_block()
    reserved = chain.pallets.balances.reserved(ALICE)
    chain.refuse(BlobInUse("1 uses"), ALICE, "blobs", "release", root=ROOT)

    chain.call(ALICE, "models", "retire", name="digits", version=1)

    assert chain.pallets.balances.reserved(ALICE) == reserved - NOE // 10
    assert chain.events_of(events.Retired) == [events.Retired("digits", 1)]
    for version, error in (
        (None, errors.NotActive("digits has no active version")),
        (1, errors.NotActive("digits version 1 is retired")),
    ):
        with pytest.raises(errors.NotActive) as refusal:
            chain.pallets.models.runnable("digits", version)
        assert refusal.value == error
        assert chain.pallets.models.gas("digits", version) == 0
    chain.refuse(errors.AlreadyRetired(), ALICE, "models", "retire", name="digits", version=1)
    chain.call(ALICE, "blobs", "release", root=ROOT)
    chain.end_block()


@pytest.mark.parametrize("there", [True, False])
def test_a_version_can_be_retired_while_it_waits(chain: Chain, there: bool) -> None:
    if there:
        available(chain)
    else:
        chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    register(chain)

    chain.call(ALICE, "models", "retire", name="digits", version=1)
    chain.call(ALICE, "blobs", "release", root=ROOT)

    assert model_events(chain.end_block())[2:] == [events.Retired("digits", 1)]
    assert chain.executor.admitted == []


def test_a_rejected_version_can_be_retired_for_its_deposit(chain: Chain) -> None:
    chain.executor.summaries[ROOT] = AdmissionSummary(False, ("no",), (), (), 0, 0)
    available(chain)
    register(chain)
    chain.end_block()

    chain.call(ALICE, "models", "retire", name="digits", version=1)

    assert chain.pallets.models.versions["digits", 1].deposit == 0
    chain.end_block()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "Digits"}, errors.BadName("'Digits'")),
        ({"name": ""}, errors.BadName("''")),
        ({"name": "1st"}, errors.BadName("'1st'")),
        ({"name": "taken"}, errors.NameTaken("taken")),
        ({"licence": ""}, errors.BadLicence()),
        (
            {"policy": FeePolicy(1, 1, 2, 3, 4)},
            errors.SharesDoNotAddUp("10 instead of 1000000"),
        ),
        (
            {"policy": FeePolicy(1, 0, 0, 1_000_000, 0)},
            errors.ContributorsWithoutDataset("1000000 parts"),
        ),
        ({"lineage": Lineage(datasets=("nowhere",))}, errors.UnknownDataset("'nowhere'")),
        ({"lineage": Lineage(datasets=("digits", "digits"))}, errors.DatasetTwice("digits")),
        ({"bounds": (Bound("b", 0),)}, errors.BadBounds("b=0")),
        ({"bounds": (Bound("b", 1), Bound("a", 2))}, errors.BadBounds("b=1, a=2")),
        ({"bounds": (Bound("a", 1), Bound("a", 1))}, errors.BadBounds("a=1, a=1")),
        ({"blob": BOBS}, NotAnnounced),
        ({"blob": ROWS}, WrongKind("1, not 0")),
    ],
)
def test_a_refused_registration_changes_nothing(
    chain: Chain, changes: dict[str, Any], error: DispatchError | type[DispatchError]
) -> None:
    available(chain)
    chain.call(BOB, "blobs", "announce", top=BOBS_TOP, length=1, kind=0)
    chain.call(ALICE, "blobs", "announce", top=ROWS_TOP, length=1, kind=1)
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
    register(chain, name="taken")
    if isinstance(error, type):
        error = error(BOBS.hex())
    chain.refuse(error, ALICE, "models", "register", **registration(**changes))


def test_only_the_owner_publishes_and_retires_what_there_is(chain: Chain) -> None:
    available(chain)
    register(chain)
    for call, rest in (
        ("publish", {"blob": ROOT, "lineage": Lineage(), "bounds": ()}),
        ("retire", {"version": 1}),
    ):
        chain.refuse(errors.NotOwner(), BOB, "models", call, name="digits", **rest)
        chain.refuse(errors.UnknownModel("none"), ALICE, "models", call, name="none", **rest)
    chain.refuse(
        errors.UnknownVersion("digits version 2"),
        *(ALICE, "models", "retire"),
        name="digits",
        version=2,
    )
    with pytest.raises(errors.UnknownModel):
        chain.pallets.models.runnable("none", None)
    assert chain.pallets.models.gas("none", None) == 0
    assert chain.pallets.models.status("none") is None


@pytest.mark.parametrize("there", [True, False])
def test_a_full_queue_refuses(chain: Chain, there: bool) -> None:
    if there:
        available(chain)
    else:
        chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    for number in range(QUEUE_MAX):
        register(chain, name=f"model-{number}")
    chain.refuse(
        errors.QueueFull("64 versions"), ALICE, "models", "register", **registration(name="last")
    )


def test_those_who_publish_with_bytes_at_hand_keep_out_nobody_who_waited(chain: Chain) -> None:
    available(chain, OTHER_TOP)
    chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    register(chain, name="late")
    for number in range(QUEUE_MAX):
        register(chain, name=f"model-{number}", blob=OTHER)
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=ROOT)

    chain.end_block()
    assert chain.pallets.models.waiting.get() == ()
    assert chain.pallets.models.ready.get()[-1].model == "late"

    chain.refuse(
        *(errors.QueueFull("64 versions"), ALICE, "models", "register"),
        **registration(name="too-much", blob=OTHER),
    )
    for _ in range(QUEUE_MAX):
        chain.end_block()
    assert chain.pallets.models.models["late"].active == (1,)


def test_what_finds_every_place_taken_waits_on(chain: Chain) -> None:
    chain.call(ALICE, "blobs", "announce", top=TOP, length=1_000, kind=0)
    register(chain, name="late")
    others = tuple(Queued(f"model-{number}", 1, 1) for number in range(READY_MAX))
    chain.pallets.models.ready.set(others)
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=ROOT)

    chain.pallets.models.on_finalize(1)

    assert chain.pallets.models.waiting.get() == (Queued("late", 1, 1),)
    assert chain.pallets.models.ready.get() == others


def test_an_examination_is_paid_for_by_length(chain: Chain) -> None:
    available(chain)
    before = chain.pallets.balances.free(ALICE)
    register(chain)

    fee = NOE // 10 + 1_000 * NOE // 100_000_000
    assert before - chain.pallets.balances.free(ALICE) == fee + NOE + NOE // 10
    assert Withdraw(ALICE, fee) in chain.state.events
    distributed = [each for each in chain.end_block() if isinstance(each, Distributed)]
    assert distributed == [Distributed(fee, 0)]


def test_who_cannot_pay_the_examination_does_not_wait(chain: Chain) -> None:
    available(chain)
    funds = chain.pallets.balances.free(ALICE)
    chain.call(*(ALICE, "balances", "transfer_keep_alive"), dest=BOB, value=funds - NOE - NOE // 10)
    chain.refuse(
        InsufficientBalance(f"{NOE // 10} < {NOE // 10 + 1_000 * NOE // 100_000_000}"),
        *(ALICE, "models", "register"),
        **registration(),
    )


def test_a_version_is_examined_at_its_bounds_and_keeps_them(chain: Chain) -> None:
    pixels = TensorType("pixels", 1, (8, 2), ("batch", ""))
    chain.executor.summaries[ROOT] = replace(ADMITTED, inputs=(pixels,))
    bounds = (Bound("batch", 8),)
    available(chain)
    register(chain, bounds=bounds)
    chain.end_block()

    assert chain.executor.admitted == [(ROOT, 1_000, bounds)]
    runnable = chain.pallets.models.runnable("digits", None)
    assert (runnable.bounds, runnable.inputs) == (bounds, (pixels,))

    chain.call(ALICE, "models", "publish", name="digits", blob=ROOT, lineage=Lineage(), bounds=())
    chain.end_block()
    assert chain.executor.admitted[1:] == [(ROOT, 1_000, ())]


def test_a_reason_that_is_no_text_is_kept_as_text(chain: Chain) -> None:
    chain.executor.summaries[ROOT] = AdmissionSummary(False, ("a\udcff",), (), (), 0, 0)
    available(chain)
    register(chain)

    assert model_events(chain.end_block())[2:] == [events.Rejected("digits", 1, ("a?",))]


def test_active_versions_are_bounded(chain: Chain) -> None:
    available(chain)
    register(chain)
    for _ in range(VERSIONS_ACTIVE_MAX - 1):
        chain.call(
            ALICE, "models", "publish", name="digits", blob=ROOT, lineage=Lineage(), bounds=()
        )
    chain.call(ALICE, "models", "publish", name="digits", blob=ROOT, lineage=Lineage(), bounds=())
    for _ in range(VERSIONS_ACTIVE_MAX):
        chain.end_block()
    chain.refuse(
        errors.TooManyActive("16 active versions"),
        *(ALICE, "models", "publish"),
        name="digits",
        blob=ROOT,
        lineage=Lineage(),
        bounds=(),
    )

    reasons = ("the model has 16 active versions already",)
    assert model_events(chain.end_block()) == [
        events.Rejected("digits", VERSIONS_ACTIVE_MAX + 1, reasons)
    ]
