"""Trainings step by step, with an engine that only counts."""

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.merkle import root_of
from chain.primitives.numbers import NOE
from runtime.frame import DispatchError
from runtime.frame.batches import draws
from runtime.frame.ports import (
    AdmissionSummary,
    Bound,
    Completed,
    LocalFailure,
    TensorType,
    Trapped,
)
from runtime.frame.snapshots import SnapshotRows
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.blobs.pallet import NotAnnounced
from runtime.pallets.snapshots.pallet import SnapshotInUse, UnknownSnapshot
from runtime.pallets.training import Status, errors, events
from runtime.pallets.training.pallet import JOBS_MAX
from tests.support.counting import BATCH, FILES, PREDICT, STATE, STEP, Counting, counting_chain
from tests.support.economy import ALICE, BOB, Chain
from tests.support.trainings import BOUNDS, BUDGET, put, run, start

World = tuple[Chain, Counting, dict[str, Any]]


@pytest.fixture
def world() -> World:
    return counting_chain()


def of(kind: type, happened: list[Any]) -> list[Any]:
    return [each for each in happened if isinstance(each, kind)]


def until_steps(chain: Chain) -> list[Any]:
    """End blocks until the first steps were taken."""
    happened: list[Any] = []
    while not chain.pallets.training.jobs[0].done:
        happened += chain.end_block()
    return happened


def test_steps_take_the_rows_that_the_seed_draws(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 23)
    happened = run(chain)

    job = chain.pallets.training.jobs[0]
    (seeded,) = of(events.Seeded, happened)
    (epoch,) = {each.seed for each in happened if type(each).__name__ == "EpochBegan"}
    number = bytes(8)
    assert job.seed == seeded.seed == blake2_256(b"noema-training" + epoch + number)
    rows = SnapshotRows(chain.pallets.snapshots.snapshot(0), chain.executor)
    labels = rows.take(draws(job.seed, 10, 0, 23 * BATCH).tolist())[1]
    model = chain.executor.contents[job.model or b""]
    assert int(np.sum(labels)).to_bytes(8, "little") in model
    assert job.model == root_of(model)
    assert (job.status, job.done, job.loss) == (Status.FINISHED, 23, _bits(23.0))


def test_blocks_take_what_their_weight_allows(world: World) -> None:
    chain, engine, programs = world
    start(chain, programs, 1000, budget=20 * NOE)
    until_steps(chain)
    job = chain.pallets.training.jobs[0]

    each_block = (chain.config.training.weight_per_block - job.load) // job.weight
    assert (job.done, engine.runs) == (each_block, each_block)
    chain.end_block()
    assert chain.pallets.training.jobs[0].done == 2 * each_block
    assert chain.pallets.training.status(0) is not None
    points = chain.pallets.training.curves[0].points
    assert [each.step for each in points] == [each_block, 2 * each_block]


def test_trainings_share_a_block(world: World) -> None:
    chain, _, programs = world
    for _ in range(3):
        start(chain, programs, 1000, budget=20 * NOE)
    until_steps(chain)
    for _ in range(5):
        chain.end_block()
    done = [chain.pallets.training.jobs[each].done for each in range(3)]
    assert max(done) - min(done) <= 3
    assert min(done) > 10


def test_budgets_are_conserved_and_what_is_left_comes_back(world: World) -> None:
    chain, _, programs = world
    balances = chain.pallets.balances
    free, reserved = balances.free(ALICE), balances.reserved(ALICE)
    start(chain, programs, 23)
    lengths = sum(map(len, (FILES.step, FILES.predict, FILES.parameters)))
    fee = NOE // 10 + lengths * NOE // 100_000_000
    assert balances.free(ALICE) == free - fee - BUDGET
    run(chain)

    job, balances = chain.pallets.training.jobs[0], chain.pallets.balances
    deposit = chain.pallets.blobs.deposit_of(len(chain.executor.contents[job.model or b""]))
    assert job.paid == 23 * job.price
    assert balances.free(ALICE) == free - fee - job.paid - deposit
    assert balances.reserved(ALICE) == reserved + deposit
    assert chain.pallets.blobs.is_available(job.model or b"")
    chain.call(ALICE, "blobs", "release", root=job.model)


def test_a_finished_training_keeps_what_a_replay_needs(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 5, evaluation=0)
    run(chain)
    chain.refuse(SnapshotInUse("2 uses"), ALICE, "snapshots", "drop", snapshot=0)
    assert chain.pallets.blobs.announcements[programs["step"], ALICE].uses == 1


def test_its_owner_ends_a_training(world: World) -> None:
    chain, _, programs = world
    reserved = chain.pallets.balances.reserved(ALICE)
    start(chain, programs, 1000, budget=20 * NOE)
    until_steps(chain)
    chain.refuse(errors.NotOwner(), BOB, "training", "cancel", job=0)
    chain.refuse(errors.UnknownJob("number 1"), ALICE, "training", "cancel", job=1)

    chain.call(ALICE, "training", "cancel", job=0)

    done = chain.pallets.training.jobs[0].done
    assert chain.events_of(events.Cancelled) == [events.Cancelled(0, done)]
    assert chain.pallets.balances.reserved(ALICE) == reserved
    assert chain.pallets.training.state_of(0) == b""
    chain.refuse(errors.NotOpen("cancelled"), ALICE, "training", "cancel", job=0)
    chain.end_block()
    chain.call(ALICE, "blobs", "release", root=programs["step"])
    chain.call(ALICE, "snapshots", "drop", snapshot=0)
    chain.end_block()
    with pytest.raises(errors.NotFinished, match="training 0 is cancelled"):
        chain.pallets.training.trained(0)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Trapped("too hot"), "too hot"),
        (float("nan"), "the loss of step 9 is no finite number"),
        (float("-inf"), "the loss of step 9 is no finite number"),
    ],
)
def test_a_step_that_breaks_off_ends_the_training(world: World, outcome: Any, reason: str) -> None:
    chain, engine, programs = world
    reserved = chain.pallets.balances.reserved(ALICE)
    if isinstance(outcome, float):
        outcome = Completed(engine.given(1, outcome))
    engine.instead[9] = outcome
    start(chain, programs, 23)
    happened = run(chain)

    job = chain.pallets.training.jobs[0]
    assert of(events.Failed, happened) == [events.Failed(0, 8, reason)]
    assert (job.status, job.done, job.reasons) == (Status.FAILED, 8, (reason,))
    assert (job.paid, job.left, job.model) == (9 * job.price, 0, None)
    assert chain.pallets.balances.reserved(ALICE) == reserved


def test_a_node_that_cannot_compute_leaves_nothing_half_done(world: World) -> None:
    chain, engine, programs = world
    engine.instead[14] = LocalFailure("no memory")
    start(chain, programs, 23)
    with pytest.raises(LocalFailure):
        run(chain)
    base, number = dict(chain.base), chain.number
    assert chain.pallets.training.jobs[0].done < 14

    engine.instead.clear()
    engine.runs = 0
    chain.number -= 1
    chain._open()
    happened = run(chain)

    assert (chain.number > number, base != chain.base) == (True, True)
    other = counting_chain()
    start(other[0], other[2], 23)
    run(other[0])
    assert chain.pallets.training.jobs[0].model == other[0].pallets.training.jobs[0].model
    assert len(of(events.Finished, happened)) == 1


def test_content_that_is_not_here_stops_this_node_only(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 23)
    content = chain.executor.contents.pop(programs["parameters"])
    with pytest.raises(LocalFailure):
        chain.end_block()
    chain.executor.contents[programs["parameters"]] = content
    chain.number -= 1
    chain._open()
    assert of(events.Finished, run(chain))


def test_a_restart_from_the_state_alone_comes_to_the_same_end(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 40)
    until_steps(chain)
    other, _, _ = counting_chain()
    other.base, other.number = dict(chain.base), chain.number - 1
    other.executor.summaries = chain.executor.summaries
    other._open()
    run(chain)
    run(other)
    model = chain.pallets.training.jobs[0].model
    assert model is not None
    assert other.pallets.training.jobs[0].model == model
    assert other.base == chain.base


def wrong(**fields: Any) -> AdmissionSummary:
    return replace(STEP, **fields)


INT = TensorType("count", 7, ())


@pytest.mark.parametrize(
    ("step", "predict", "reasons"),
    [
        (wrong(admitted=False, reasons=("Bad",)), PREDICT, ("step: Bad",)),
        (STEP, replace(PREDICT, admitted=False, reasons=("Odd",)), ("predict: Odd",)),
        (
            wrong(inputs=STEP.inputs[1:]),
            PREDICT,
            ("step: it has no inputs named features and labels",),
        ),
        (
            wrong(inputs=STEP.inputs[:2], outputs=STEP.outputs[1:]),
            PREDICT,
            ("step: it has no state",),
        ),
        (
            wrong(outputs=()),
            PREDICT,
            (
                "step: it gives no count.next of the type of count",
                "step: it gives no loss that is one float32",
            ),
        ),
        (
            wrong(outputs=(*STEP.outputs, TensorType("more", 1, ()))),
            PREDICT,
            ("step: it gives more, which nothing takes",),
        ),
        (
            wrong(inputs=(TensorType("features", 2, (4, 63)), *STEP.inputs[1:])),
            PREDICT,
            ("step: features [4, 63] are no batch of rows [64]",),
        ),
        (
            wrong(inputs=(TensorType("features", 3, (4, 64)), *STEP.inputs[1:])),
            PREDICT,
            ("step: features of type 3 do not take rows of type 2",),
        ),
        (
            wrong(inputs=(STEP.inputs[0], TensorType("labels", 7, (5,)), INT)),
            PREDICT,
            ("step: labels are not int64 [4]",),
        ),
        (
            STEP,
            replace(PREDICT, inputs=(PREDICT.inputs[0], TensorType("count", 1, ()))),
            ("predict: count is of another type than in the step",),
        ),
        (STEP, replace(PREDICT, inputs=(INT,)), ("predict: it has 0 inputs, not one",)),
    ],
)
def test_programs_that_break_the_convention_are_refused(
    world: World, step: AdmissionSummary, predict: AdmissionSummary, reasons: tuple[str, ...]
) -> None:
    chain, engine, programs = world
    chain.executor.summaries |= {programs["step"]: step, programs["predict"]: predict}
    reserved = chain.pallets.balances.reserved(ALICE)
    start(chain, programs, 23)
    happened = chain.end_block() + chain.end_block()

    assert of(events.Refused, happened) == [events.Refused(0, reasons)]
    job = chain.pallets.training.jobs[0]
    assert (job.status, job.reasons, job.paid) == (Status.REFUSED, reasons, 0)
    assert chain.pallets.balances.reserved(ALICE) == reserved
    assert engine.runs == 0


def test_what_is_too_dear_or_too_heavy_is_refused(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 23, budget=1)
    chain.end_block()
    (reason,) = chain.pallets.training.jobs[0].reasons
    assert reason.startswith("23 steps cost ")
    assert reason.endswith(", the budget is 1")
    chain.executor.summaries[programs["step"]] = wrong(gas=61_000_000)
    start(chain, programs, 1)
    chain.end_block()
    (reason,) = chain.pallets.training.jobs[1].reasons
    assert reason.endswith("a block has 60000000000")


def test_other_parameters_are_refused(world: World) -> None:
    chain, _, programs = world
    other = put(chain, ALICE, STATE.join({"count": bytes(8)})[:-1], 2)
    start(chain, {**programs, "parameters": other}, 23)
    chain.end_block()
    assert chain.pallets.training.jobs[0].reasons == ("parameters: 17 bytes instead of 18",)


def test_a_predict_file_that_takes_no_parameters_is_refused(world: World) -> None:
    chain, _, programs = world
    other = put(chain, ALICE, b"\x3a\x00", 0)
    chain.executor.summaries[other] = PREDICT
    start(chain, {**programs, "predict": other}, 23)
    chain.end_block()
    reasons = chain.pallets.training.jobs[0].reasons
    assert reasons == ("predict: count is not among its inputs",)


def test_refused_starts_change_nothing(world: World) -> None:
    chain, _, programs = world
    given = {
        **programs,
        "bounds": BOUNDS,
        "snapshot": 0,
        "evaluation": None,
        "steps": 5,
        "budget": NOE,
    }

    def refuse(error: DispatchError, who: bytes = ALICE, **others: Any) -> None:
        chain.refuse(error, who, "training", "start", **{**given, **others})

    refuse(errors.BadSteps("0, at most 1000000"), steps=0)
    refuse(errors.BadSteps("1000001, at most 1000000"), steps=1_000_001)
    refuse(errors.BadBounds(), bounds=(Bound("rows", 0),))
    refuse(errors.BadBounds(), bounds=(Bound("rows", 1), Bound("rows", 1)))
    refuse(UnknownSnapshot("number 7"), snapshot=7)
    refuse(UnknownSnapshot("number 8"), evaluation=8)
    refuse(NotAnnounced(programs["step"].hex()), who=BOB)
    with pytest.raises(InsufficientBalance):
        chain.call(ALICE, "training", "start", **{**given, "budget": 10_000 * NOE})
    long = put(chain, ALICE, bytes(1024 * 1024 + 1), 0)
    refuse(errors.ProgramTooLong("1048577 bytes, at most 1048576"), step=long)
    long = put(chain, ALICE, bytes(256 * 1024 + 1), 2)
    refuse(errors.ProgramTooLong("262145 bytes, at most 262144"), parameters=long)
    chain.call(ALICE, "blobs", "announce", top=b"\5" * 32, length=5, kind=0)
    (root,) = set(chain.pallets.blobs.blobs) - set(chain.executor.contents)
    refuse(errors.NotAvailable(root.hex()), predict=root)
    with pytest.raises(errors.UnknownJob):
        chain.pallets.training.trained(0)


def test_no_more_than_so_many_are_open(world: World) -> None:
    chain, _, programs = world
    for _ in range(JOBS_MAX):
        start(chain, programs, 5, budget=NOE)
    given = {**programs, "bounds": BOUNDS, "snapshot": 0, "evaluation": None}
    chain.refuse(
        errors.TooManyJobs("32 are open"),
        *(ALICE, "training", "start"),
        **{**given, "steps": 5, "budget": NOE},
    )
    run(chain, 100)
    assert chain.pallets.training.open.get() == ()


def _bits(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def test_a_model_is_measured_in_the_block_after_it_was_made(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 5, evaluation=0)
    while chain.pallets.training.jobs[0].model is None:
        chain.end_block()
    assert chain.pallets.training.jobs[0].score is None
    assert chain.pallets.evaluation.open.get() == ()
    chain.executor.contents.update(chain.state.contents)

    chain.end_block()

    assert chain.pallets.training.jobs[0].score == 0
    assert chain.pallets.evaluation.score(0) is not None or chain.pallets.evaluation.open.get()
    chain.end_block()


def test_who_cannot_pay_gets_no_measure(world: World) -> None:
    chain, _, programs = world
    start(chain, programs, 5, evaluation=0)
    while chain.pallets.training.jobs[0].model is None:
        chain.end_block()
    spare = chain.pallets.balances.free(ALICE) - chain.config.balances.existential_deposit
    chain.pallets.balances.transfer(ALICE, BOB, spare)
    chain.end_block()

    job = chain.pallets.training.jobs[0]
    assert (job.status, job.score) == (Status.FINISHED, None)
    assert chain.pallets.training.unmeasured.get() == ()
