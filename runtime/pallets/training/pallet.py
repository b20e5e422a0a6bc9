"""Training: the chain itself trains models.

A training is an ONNX step graph that every validator runs on the same rows in the same order, some
steps in each block.  Its programs are examined once, its seed is that of the epoch after the one
in which it was started, and at its end the chain writes the model.

Invariant: the state of a training lies in the chain exactly while it steps, and what is left of
its budget is set aside in its owner's account.
"""

from dataclasses import replace
from typing import Final

from chain.primitives.codec import U32, U64, U128, blob, record, sequence
from chain.primitives.hashing import Hash32, blake2_256
from chain.primitives.keys import Address
from chain.primitives.merkle import root_of
from chain.primitives.numbers import Amount
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    DispatchError,
    Overlay,
    Pallet,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.baking import UnfitFile, bake
from runtime.frame.evaluations import Evaluations
from runtime.frame.ports import (
    BlobRegistry,
    Bounds,
    Currency,
    Executor,
    Heights,
    RandomSource,
    WorkSink,
    are_bounds,
)
from runtime.frame.snapshots import SnapshotNumber, SnapshotSource
from runtime.frame.trainings import JobNumber, Trained
from runtime.pallets.training import errors, events, weights
from runtime.pallets.training.convention import Unfit, judge, learnt_of
from runtime.pallets.training.engine import Advance, Stepper
from runtime.pallets.training.pricing import TrainingConfig, faults, priced
from runtime.pallets.training.rotation import Demand, rotate
from runtime.pallets.training.stored import (
    OPEN,
    REASON_BYTES_MAX,
    Count,
    Curve,
    Job,
    JobStatus,
    Point,
    Shape,
    Status,
    with_point,
)

MODEL_KIND, PARAMETERS_KIND = 0, 2
"""The kinds under which programs and parameters must be announced."""

JOBS_MAX: Final = 32
"""Open trainings: each is looked at in every block.  When as many are open, none is started."""

CHUNK_BYTES: Final = 4096
"""Of a piece of state: what changes is written piece by piece."""

OptionalNumber = SnapshotNumber | None


class Training(
    Pallet,
    events=(
        events.Started,
        events.Admitted,
        events.Refused,
        events.Seeded,
        events.Progressed,
        events.Finished,
        events.Failed,
        events.Cancelled,
    ),
    errors=(
        errors.NotAvailable,
        errors.ProgramTooLong,
        errors.BadSteps,
        errors.TooManyJobs,
        errors.BadBounds,
        errors.UnknownJob,
        errors.NotOwner,
        errors.NotOpen,
        errors.NotFinished,
    ),
):
    """Trainings, their state, and their steps."""

    jobs = StorageMap(U64, record(Job), hasher=TWOX_64_CONCAT, docs="Trainings by number.")
    shapes = StorageMap(
        U64, record(Shape), hasher=TWOX_64_CONCAT, docs="What programs of open trainings take."
    )
    chunks = StorageDoubleMap(
        *(U64, U32, blob(CHUNK_BYTES)),
        hashers=(TWOX_64_CONCAT, TWOX_64_CONCAT),
        docs="The state of a training that steps, as canonical tensor bytes in pieces.",
    )
    curves = StorageMap(
        U64, record(Curve), default=Curve(), hasher=TWOX_64_CONCAT, docs="How the loss went."
    )
    open = StorageValue(
        sequence(U64, JOBS_MAX), default=(), docs="Trainings that have not ended, oldest first."
    )
    unmeasured = StorageValue(
        sequence(U64, JOBS_MAX), default=(), docs="Finished trainings whose models await a measure."
    )
    next_job = StorageValue(U64, default=0, docs="Number of the next training.")

    examination_base = Constant(
        U128, lambda self: self.config.examination_base, "Fee of any training."
    )
    examination_per_byte = Constant(
        U128, lambda self: self.config.examination_per_byte, "Fee of each byte of its files."
    )
    program_bytes_max = Constant(
        U64, lambda self: self.config.program_bytes_max, "Longest program."
    )
    state_bytes_max = Constant(U64, lambda self: self.config.state_bytes_max, "Longest state.")
    steps_max = Constant(U32, lambda self: self.config.steps_max, "Most steps of a training.")
    weight_per_block = Constant(
        U64, lambda self: self.config.weight_per_block, "Picoseconds of steps in one block."
    )

    def __init__(
        self,
        state: Overlay,
        config: TrainingConfig,
        currency: Currency,
        blobs: BlobRegistry,
        snapshots: SnapshotSource,
        random: RandomSource,
        sink: WorkSink,
        executor: Executor,
        heights: Heights,
        evaluations: Evaluations,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.snapshots = snapshots
        self.random = random
        self.sink = sink
        self.executor = executor
        self.heights = heights
        self.evaluations = evaluations

    @call(index=0, weight=weights.START)
    def start(
        self,
        origin: Signed,
        step: Hash32,
        predict: Hash32,
        bounds: Bounds,
        parameters: Hash32,
        snapshot: SnapshotNumber,
        evaluation: OptionalNumber,
        steps: Count,
        budget: Amount,
    ) -> None:
        """Train a network on a snapshot: so many steps, paid from a budget as they are taken.

        The signer has announced step and predict graph as models and the parameters as such; all
        three are available.  Bounds are those of the predict graph's open axes.  A fee for being
        examined is taken, the budget is set aside, and what is left of it comes back at the end.
        """
        if not 0 < steps <= self.config.steps_max:
            raise errors.BadSteps(f"{steps}, at most {self.config.steps_max}")
        if not are_bounds(bounds):
            raise errors.BadBounds()
        if len(self.open.get()) >= JOBS_MAX:
            raise errors.TooManyJobs(f"{JOBS_MAX} are open")
        owner, number = origin.address, self.next_job.get()
        self._pay_examination(owner, self._hold_files(owner, step, predict, parameters))
        self._hold_snapshots(snapshot, evaluation)
        self.currency.reserve(owner, budget)
        self.jobs[number] = Job(
            *(owner, step, predict, bounds, parameters, snapshot, evaluation, steps),
            started=self.heights.height(),
            epoch=self.random.epoch(),
            left=budget,
        )
        self.next_job.set(number + 1)
        self.open.set((*self.open.get(), number))
        self.emit(events.Started(number, owner, snapshot, steps))

    @call(index=1, weight=weights.CANCEL)
    def cancel(self, origin: Signed, job: JobNumber) -> None:
        """End a training of the signer; what is left of its budget is free again."""
        found = self._job(job)
        if found.owner != origin.address:
            raise errors.NotOwner()
        if found.status not in OPEN:
            raise errors.NotOpen(found.status.name.lower())
        self._end(job, found, Status.CANCELLED)
        self.emit(events.Cancelled(job, found.done))

    def trained(self, job: int) -> Trained:
        """Give a finished training; raises DispatchError for any other."""
        found = self._job(job)
        if found.model is None:
            raise errors.NotFinished(f"training {job} is {found.status.name.lower()}")
        dataset = self.snapshots.snapshot(found.snapshot).dataset
        return Trained(found.owner, dataset, found.snapshot, found.step, found.model)

    def status(self, number: int) -> JobStatus | None:
        """Give what there is to know about a training, None for an unknown one."""
        found = self.jobs.find(number)
        if found is None:
            return None
        return JobStatus(number, found, self.curves[number].points)

    def state_of(self, number: int) -> bytes:
        """Give the state of a training that steps, as canonical tensor bytes; else nothing."""
        found, place = [], 0
        while (chunk := self.chunks.find((number, place))) is not None:
            found.append(chunk)
            place += 1
        return b"".join(found)

    def on_initialize(self, number: int) -> None:
        """Seed what waits for a seed, examine one training, and take the steps of this block.

        Raises LocalFailure where this node cannot; then nothing of the block may be kept.
        """
        self._measure()
        if not self.open.get():
            return
        for each in self.open.get():
            self._seed(each)
        for each in self.open.get():
            if self.jobs[each].status == Status.WAITING:
                self._examine(each)
                break
        self._step(number)

    def check_invariants(self) -> None:
        """Assert that state, queue, budgets and deposits agree with the trainings."""
        jobs = dict(self.jobs.items())
        assert sorted(jobs) == list(range(self.next_job.get()))
        open_jobs = [number for number in jobs if jobs[number].status in OPEN]
        assert sorted(open_jobs) == sorted(self.open.get())
        stepping = {each for each in open_jobs if jobs[each].status == Status.ADMITTED}
        assert {number for number, _ in self.chunks} == stepping
        assert set(self.shapes) == stepping | set(self.unmeasured.get())
        reserved: dict[bytes, int] = {}
        for number, job in jobs.items():
            assert job.done <= job.steps
            assert job.paid % max(job.price, 1) == 0
            assert (job.model is not None) == (job.status == Status.FINISHED)
            assert number in self.open.get() or (job.left, job.deposit) == (0, 0)
            reserved[job.owner] = reserved.get(job.owner, 0) + job.left + job.deposit
        for owner, amount in reserved.items():
            assert self.currency.reserved(owner) >= amount, "a budget is not set aside"

    def _hold_files(self, owner: Address, step: Hash32, predict: Hash32, parameters: Hash32) -> int:
        """Hold the files of a training; gives their bytes."""
        total = 0
        for root, kind in (
            (step, MODEL_KIND),
            (predict, MODEL_KIND),
            (parameters, PARAMETERS_KIND),
        ):
            length = self.blobs.use(root, owner, kind)
            limits = self.config
            most = limits.program_bytes_max if kind == MODEL_KIND else limits.state_bytes_max
            if length > most:
                raise errors.ProgramTooLong(f"{length} bytes, at most {most}")
            if not self.blobs.is_available(root):
                raise errors.NotAvailable(root.hex())
            total += length
        return total

    def _hold_snapshots(self, snapshot: int, evaluation: int | None) -> None:
        for each in (snapshot, evaluation):
            if each is not None:
                self.snapshots.use_snapshot(each)

    def _pay_examination(self, owner: Address, length: int) -> None:
        fee = self.config.examination_base + self.config.examination_per_byte * length
        self.currency.withdraw(owner, fee)
        self.sink.receive_fee(fee, 0)

    def _seed(self, number: int) -> None:
        """Take the seed of the first epoch after the start, in its first block."""
        job = self.jobs[number]
        if job.seed is None and self.random.epoch() > job.epoch:
            seed = blake2_256(b"noema-training" + self.random.seed() + U64.encode(number))
            self.jobs[number] = replace(job, seed=seed)
            self.emit(events.Seeded(number, seed))

    def _examine(self, number: int) -> None:
        """Have the programs admitted and compare them with the convention and the snapshot."""
        job = self.jobs[number]
        parameters = self.executor.read(job.parameters)
        predict_file = self.executor.read(job.predict)
        length = len(self.executor.read(job.step))
        step = self.executor.admit(job.step, length, ())
        predict = self.executor.admit(job.predict, len(predict_file), job.bounds)
        snapshot = self.snapshots.snapshot(job.snapshot)
        try:
            shape = judge(step, predict, parameters, snapshot.form)
            model = bake(predict_file, learnt_of(shape, parameters))
        except Unfit as unfit:
            self._refuse(number, job, unfit.reasons)
            return
        except UnfitFile as error:
            self._refuse(number, job, (f"predict: {error}",))
            return
        rows_bytes = snapshot.rows * snapshot.form.width
        job = priced(self.config, job, shape, step.gas, len(parameters), rows_bytes)
        deposit = self.blobs.deposit_of(len(model))
        reasons = faults(self.config, job) or self._reserve_faults(job.owner, deposit)
        if reasons:
            self._refuse(number, job, reasons)
            return
        self.jobs[number] = replace(job, status=Status.ADMITTED, deposit=deposit)
        self.shapes[number] = shape
        self._write_state(number, parameters)
        self.emit(events.Admitted(number, job.weight, job.price))

    def _reserve_faults(self, owner: Address, deposit: Amount) -> tuple[str, ...]:
        """Set the deposit of the model aside, or say why not."""
        try:
            self.currency.reserve(owner, deposit)
        except DispatchError:
            return (f"the deposit of its model, {deposit}, cannot be set aside",)
        return ()

    def _step(self, height: int) -> None:
        """Take the steps of this block."""
        ready = [each for each in self.open.get() if self._steps_now(self.jobs[each])]
        demands = [
            Demand(job.load, job.weight, job.steps - job.done)
            for job in (self.jobs[each] for each in ready)
        ]
        granted = rotate(demands, self.config.weight_per_block, height % max(len(ready), 1))
        for number, steps in zip(ready, granted, strict=True):
            if steps:
                self._advance(number, steps)

    def _steps_now(self, job: Job) -> bool:
        return job.status == Status.ADMITTED and job.seed is not None

    def _advance(self, number: int, steps: int) -> None:
        job, shape = self.jobs[number], self.shapes[number]
        assert job.seed is not None, "only seeded trainings step"
        snapshot = self.snapshots.snapshot(job.snapshot)
        stepper = Stepper(job.step, shape, snapshot, job.seed, self.executor)
        found = stepper.advance(self.state_of(number), job.done, steps)
        job = self._paid(job, found)
        self.curves[number] = with_point(self.curves[number], Point(job.done, job.loss))
        self.emit(events.Progressed(number, job.done, job.loss))
        if found.fault is not None:
            self._fail(number, job, found.fault)
        elif job.done == job.steps:
            self._finish(number, job, shape, found.state)
        else:
            self.jobs[number] = job
            self._write_state(number, found.state)

    def _paid(self, job: Job, found: Advance) -> Job:
        """Take the price of the steps, also of one that broke off."""
        taken = found.done + (found.fault is not None)
        cost = job.price * taken
        self.currency.unreserve(job.owner, cost)
        self.sink.charge(job.owner, cost)
        loss = found.loss if found.done else job.loss
        return replace(
            job,
            done=job.done + found.done,
            loss=loss,
            left=job.left - cost,
            paid=job.paid + cost,
        )

    def _finish(self, number: int, job: Job, shape: Shape, state: bytes) -> None:
        """Write the model and make it available."""
        model = bake(self.executor.read(job.predict), learnt_of(shape, state))
        root = root_of(model)
        self.currency.unreserve(job.owner, job.deposit)
        job = replace(job, deposit=0)
        try:
            self.blobs.provide(root, len(model), job.owner, MODEL_KIND)
        except DispatchError:
            # Only where the deposit was raised in the meantime.
            self._fail(number, job, "the deposit of its model cannot be set aside")
            return
        self.state.contents.append((root, model))
        self._end(number, replace(job, model=root), Status.FINISHED)
        if job.evaluation is not None:
            self.unmeasured.set((*self.unmeasured.get(), number))
        self.emit(events.Finished(number, root, job.paid))

    def _measure(self) -> None:
        """Order the evaluation of models made in the block before: now every node has their bytes.

        Where the owner cannot pay or too many are open, none is ordered.
        """
        for number in self.unmeasured.get():
            job = self.jobs[number]
            assert job.model is not None, "only finished trainings are measured"
            assert job.evaluation is not None, "only those that ask are measured"
            shape = self.shapes[number]
            del self.shapes[number]
            try:
                score = self.evaluations.request(
                    job.model,
                    job.bounds,
                    (shape.rows,),
                    shape.gas,
                    job.evaluation,
                    job.owner,
                )
            except DispatchError:
                continue
            self.jobs[number] = replace(job, score=score)
        if self.unmeasured.get():
            self.unmeasured.clear()

    def _fail(self, number: int, job: Job, reason: str) -> None:
        cut = reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
        self._end(number, replace(job, reasons=(cut,)), Status.FAILED)
        self.emit(events.Failed(number, job.done, cut))

    def _refuse(self, number: int, job: Job, reasons: tuple[str, ...]) -> None:
        self._end(number, replace(job, reasons=reasons), Status.REFUSED)
        self.emit(events.Refused(number, reasons))

    def _end(self, number: int, job: Job, status: Status) -> None:
        """Give back what is set aside, and forget the state; who finished keeps its files."""
        self.currency.unreserve(job.owner, job.left + job.deposit)
        if status != Status.FINISHED:
            for root in (job.step, job.predict, job.parameters):
                self.blobs.unuse(root, job.owner)
            for each in (job.snapshot, job.evaluation):
                if each is not None:
                    self.snapshots.unuse_snapshot(each)
        if number in self.shapes:
            self._remove_state(number)
            if status != Status.FINISHED or job.evaluation is None:
                del self.shapes[number]
        self.open.set(tuple(each for each in self.open.get() if each != number))
        now = self.heights.height()
        self.jobs[number] = replace(job, left=0, deposit=0, status=status, ended=now)

    def _write_state(self, number: int, state: bytes) -> None:
        for place, at in enumerate(range(0, len(state), CHUNK_BYTES)):
            self.chunks[number, place] = state[at : at + CHUNK_BYTES]

    def _remove_state(self, number: int) -> None:
        place = 0
        while (number, place) in self.chunks:
            del self.chunks[number, place]
            place += 1

    def _job(self, number: int) -> Job:
        found = self.jobs.find(number)
        if found is None:
            raise errors.UnknownJob(f"number {number}")
        return found
