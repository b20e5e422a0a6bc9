"""Attribution: what the rows of a snapshot were worth, and so how it pays.

How a dataset pays is declared before its snapshots are taken, so that nobody can choose the
evaluation that suits him when the rows are known.  Anybody may have any snapshot valued by any
measure; what is found pays only where it is what was declared.  A valuation is a job that every
block goes on with: it leaves out rows that repeat earlier ones, then takes evaluation rows and
adds up exact Shapley values.  Embeddings of a snapshot's rows are kept in the state until the end:
running the model on all of them anew in each block would cost more than all the rest.

Invariant: what an open valuation has yet to pay is set aside in its owner's account, its snapshots
are held, and nothing but its result is left of one that ended.
"""

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chain.primitives.codec import U32, U64, U128, blob, record, sequence
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    Overlay,
    Pallet,
    Root,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.batches import draws
from runtime.frame.names import NAME, Name
from runtime.frame.ports import (
    BlobRegistry,
    Currency,
    Executor,
    Heights,
    RandomSource,
    WorkSink,
)
from runtime.frame.runs import Runnable
from runtime.frame.snapshots import PARTS_MAX, Snapshot, SnapshotNumber, SnapshotRows
from runtime.pallets.attribution import engine, errors, events, plan, weights
from runtime.pallets.attribution.checking import (
    EMBEDDED_BYTES_MAX,
    check_shares,
    embedder_for,
    rows_of,
)
from runtime.pallets.attribution.config import AttributionConfig
from runtime.pallets.attribution.neighbours import ROWS_MAX, whole_features
from runtime.pallets.attribution.ports import DatasetRules, Earnings, ModelSource, SnapshotKeeper
from runtime.pallets.attribution.results import by_account, source_of, units_of, worth_of
from runtime.pallets.attribution.shapley import fold_of
from runtime.pallets.attribution.stored import (
    OPEN,
    REASON_BYTES_MAX,
    Measure,
    OptionalMeasure,
    Shares,
    Stage,
    Valuation,
    ValuationStatus,
    Worth,
    Yardstick,
)

Array = npt.NDArray[Any]

JOBS_MAX: Final = 16
"""Open valuations: they take turns block by block.  When as many are open, none is started."""

NUMERATOR_BYTES_MAX: Final = 4096
"""The common denominator of 16,384 rows has 2,960."""


class Attribution(
    Pallet,
    events=(events.Declared, events.Started, events.Progressed, events.Valued, events.Failed),
    errors=errors.ALL,
):
    """Declared ways to pay, open valuations and what was found."""

    yardsticks = StorageMap(NAME, record(Yardstick), docs="How later snapshots of a dataset pay.")
    valuations = StorageMap(
        U64, record(Valuation), hasher=TWOX_64_CONCAT, docs="Valuations by number."
    )
    next_valuation = StorageValue(U64, default=0, docs="Number of the next valuation.")
    open = StorageValue(
        sequence(U64, JOBS_MAX), default=(), docs="Open valuations; the first is next."
    )
    counting = StorageMap(
        U64, U64, hasher=TWOX_64_CONCAT, docs="Which valuation decides how a snapshot pays."
    )
    counted = StorageMap(
        U64,
        blob(ROWS_MAX // 8),
        hasher=TWOX_64_CONCAT,
        docs="Of an open valuation, a bit for each row that repeats no other.",
    )
    embedded = StorageDoubleMap(
        U64,
        U32,
        blob(EMBEDDED_BYTES_MAX),
        hashers=(TWOX_64_CONCAT, TWOX_64_CONCAT),
        docs="Of an open valuation, numbers for rows by the first row, 16 bits each.",
    )
    numerators = StorageDoubleMap(
        U64,
        U32,
        blob(NUMERATOR_BYTES_MAX),
        hashers=(TWOX_64_CONCAT, TWOX_64_CONCAT),
        docs="Of an open valuation, the sum of each record's worth over a common denominator.",
    )
    results = StorageMap(
        U64,
        sequence(record(Worth), PARTS_MAX),
        hasher=TWOX_64_CONCAT,
        docs="What the records of a snapshot were worth.",
    )

    base_fee = Constant(U128, lambda self: self.config.base_fee, "Fee of any valuation.")
    record_fee = Constant(U128, lambda self: self.config.record_fee, "Fee of each record.")
    price_per_weight = Constant(
        U128, lambda self: self.config.price_per_weight, "Price of a picosecond."
    )

    def __init__(
        self,
        state: Overlay,
        config: AttributionConfig,
        currency: Currency,
        blobs: BlobRegistry,
        datasets: DatasetRules,
        snapshots: SnapshotKeeper,
        models: ModelSource,
        earnings: Earnings,
        sink: WorkSink,
        executor: Executor,
        randomness: RandomSource,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.datasets = datasets
        self.snapshots = snapshots
        self.models = models
        self.earnings = earnings
        self.sink = sink
        self.executor = executor
        self.randomness = randomness
        self.heights = heights

    @call(index=0, weight=weights.DECLARE)
    def declare(
        self, origin: Signed | Root, dataset: Name, measure: OptionalMeasure, shares: Shares
    ) -> None:
        """Fix how snapshots pay that are taken in later blocks: by measure or by shares.

        The dataset's owner does it, or a referendum, which decides for earlier snapshots too.
        Without either, rows that repeat no other are paid the same.
        """
        found = self.yardsticks.find(dataset)
        if isinstance(origin, Signed):
            if self.datasets.owner(dataset) != origin.address:
                raise errors.NotDatasetOwner()
            if found is not None and found.since is None:
                raise errors.DeclaredByChain()
        _, neighbours = self.datasets.valuation(dataset)
        if shares:
            check_shares(measure, shares)
        elif (measure.neighbours if measure else 0) != neighbours:
            raise errors.OtherNeighbours(f"{neighbours} for {dataset}")
        if measure is not None:
            rows_of(measure, self.snapshots)
            self.snapshots.use_snapshot(measure.evaluation)
        if found is not None and found.measure is not None:
            self.snapshots.unuse_snapshot(found.measure.evaluation)
        since = self.heights.height() if isinstance(origin, Signed) else None
        self.yardsticks[dataset] = Yardstick(measure, shares, since)
        self.emit(events.Declared(dataset, measure, shares))

    @call(index=1, weight=weights.VALUE)
    def value(
        self, origin: Signed, snapshot: SnapshotNumber, measure: OptionalMeasure, max_price: Amount
    ) -> None:
        """Have the worth of a snapshot's records found, by a measure or, without, by their rows.

        The price is known now and paid as the work goes on.  What is found decides how the
        snapshot pays if the measure is the declared one and nothing has decided yet.
        """
        if len(self.open.get()) >= JOBS_MAX:
            raise errors.QueueFull(f"{JOBS_MAX} valuations")
        job = self._draft(origin.address, self.snapshots.snapshot(snapshot), measure)
        entry = self.config.base_fee + job.groups * self.config.record_fee
        work, runs = self._work_of(job)
        run, royalty = self._embedding_price(measure, runs)
        price = entry + work * self.config.price_per_weight + royalty
        if price > max_price:
            raise errors.PriceAboveLimit(f"{price}")
        self.currency.reserve(origin.address, price - entry - royalty)
        self.currency.withdraw(origin.address, entry)
        self.sink.receive_fee(entry, 0)
        if run is not None:
            self.earnings.pay(origin.address, royalty, run)
        number = self.next_valuation.get()
        self._hold(job)
        if job.counts:
            self.counting[snapshot] = number
        job = replace(job, left=price - entry - royalty, paid=entry + royalty)
        self.valuations[number] = job
        self.next_valuation.set(number + 1)
        self.open.set((*self.open.get(), number))
        self.emit(events.Started(number, snapshot, origin.address, price, job.counts))

    @call(index=2, weight=weights.SHARE)
    def share(self, origin: Signed, snapshot: SnapshotNumber) -> None:
        """Let a snapshot pay by the fixed shares that were declared before it was taken."""
        found = self.snapshots.snapshot(snapshot)
        yardstick = self._yardstick_of(found)
        if yardstick is None or not yardstick.shares:
            raise errors.NoShares(found.dataset)
        source = source_of(found)
        if self.earnings.exists(source) or snapshot in self.counting:
            raise errors.AlreadyOpen(source)
        self.earnings.open_pool(source, [(each.account, each.parts) for each in yardstick.shares])

    def status(self, number: int) -> ValuationStatus | None:
        """Give a valuation with what it found, None for an unknown one."""
        found = self.valuations.find(number)
        records = self.results.find(number) or ()
        return None if found is None else ValuationStatus(number, found, records)

    def on_initialize(self, number: int) -> None:
        """Go on with the valuation whose turn it is."""
        queue = self.open.get()
        ready = (each for each in queue if self._is_ready(self.valuations[each]))
        turn = next(ready, None)
        if turn is None:
            return
        others = tuple(each for each in queue if each != turn)
        self.open.set((*others, turn))
        job = self.valuations[turn]
        if job.stage == Stage.WAITING:
            seed = blake2_256(b"valuation" + U64.encode(turn) + self.randomness.seed())
            job = replace(job, seed=seed, stage=Stage.REPEATS)
        try:
            self._advance(turn, job)
        except engine.Broken as broken:
            reason = str(broken).encode()[:REASON_BYTES_MAX].decode(errors="ignore")
            self._end(turn, replace(self.valuations[turn], stage=Stage.FAILED, reason=reason))
            self.emit(events.Failed(turn, reason))

    def check_invariants(self) -> None:
        """Assert that prices are set aside and that only open valuations have state of work."""
        open_now = self.open.get()
        left: dict[bytes, int] = {}
        for number, job in self.valuations.items():
            assert (number in open_now) == (job.stage in OPEN)
            assert (number in self.results) == (job.stage == Stage.FINISHED)
            left[job.owner] = left.get(job.owner, 0) + job.left
            if job.stage not in OPEN:
                assert job.left == 0, "a price is set aside for nothing"
                assert number not in self.counted
        for owner, amount in left.items():
            assert self.currency.reserved(owner) >= amount, "a price is not set aside"
        working = {first for first, _ in (*self.numerators.keys(), *self.embedded.keys())}
        assert working <= set(open_now), "work was left behind"
        for snapshot, number in self.counting.items():
            assert self.valuations[number].snapshot == snapshot

    def _draft(self, owner: Address, found: Snapshot, measure: Measure | None) -> Valuation:
        """Give a valuation as it begins; raises DispatchError."""
        distance, _ = self.datasets.valuation(found.dataset)
        if found.rows > ROWS_MAX:
            raise errors.TooLarge(f"{found.rows} rows, at most {ROWS_MAX}")
        wanted, embedder = 0, None
        if measure is not None:
            wanted = rows_of(measure, self.snapshots, found)
            if measure.embedding is not None:
                embedder = embedder_for(measure.embedding, self.models, found)
        waits = measure is not None and measure.rows is not None
        return Valuation(
            owner,
            found.number,
            found.dataset,
            measure,
            distance,
            counts=self._counts(found, measure),
            rows=found.rows,
            groups=len(found.parts),
            wanted=wanted,
            embedder=embedder,
            started=self.heights.height(),
            epoch=self.randomness.epoch(),
            left=0,
            paid=0,
            stage=Stage.WAITING if waits else Stage.REPEATS,
        )

    def _embedding_price(
        self, measure: Measure | None, runs: int
    ) -> tuple[Runnable | None, Amount]:
        """Give whose runs are paid, and what all cost that a valuation needs."""
        if measure is None or measure.embedding is None:
            return None, 0
        run = self.models.runnable(measure.embedding.model, measure.embedding.version)
        return run, runs * run.policy.price

    def _work_of(self, job: Valuation) -> tuple[int, int]:
        """Give weight and runs of a whole valuation; raises DispatchError."""
        width, weight_max = self._width_of(job), self.config.weight_per_block
        try:
            work = plan.total_weight(job, width, weight_max)
            return work, plan.runs_of(job, width, weight_max)
        except plan.TooHeavy as heavy:
            raise errors.TooLarge(str(heavy)) from heavy

    def _width_of(self, job: Valuation) -> int:
        return prod(self.snapshots.snapshot(job.snapshot).form.shape)

    def _yardstick_of(self, found: Snapshot) -> Yardstick | None:
        """Give what was declared for a snapshot, None if nothing was before it was taken."""
        yardstick = self.yardsticks.find(found.dataset)
        if yardstick is None:
            _, neighbours = self.datasets.valuation(found.dataset)
            return None if neighbours else Yardstick(None, (), None)
        taken = self.snapshots.taken(found.number)
        assert taken is not None, "a snapshot was given that is not there"
        in_time = yardstick.since is None or yardstick.since < taken.taken
        return yardstick if in_time else None

    def _counts(self, found: Snapshot, measure: Measure | None) -> bool:
        """Tell whether a valuation by this measure decides how a snapshot pays."""
        yardstick = self._yardstick_of(found)
        if yardstick is None or yardstick.shares or yardstick.measure != measure:
            return False
        return found.number not in self.counting and not self.earnings.exists(source_of(found))

    def _hold(self, job: Valuation) -> None:
        self.snapshots.use_snapshot(job.snapshot)
        if job.measure is not None:
            self.snapshots.use_snapshot(job.measure.evaluation)
        if job.embedder is not None:
            self.blobs.hold(job.embedder.root)

    def _is_ready(self, job: Valuation) -> bool:
        return job.stage != Stage.WAITING or self.randomness.epoch() > job.epoch

    def _advance(self, number: int, job: Valuation) -> None:
        """Do one block's work of a stage."""
        snapshot = self.snapshots.snapshot(job.snapshot)
        width, weight_max = self._width_of(job), self.config.weight_per_block
        steps = plan.steps_of(job, job.stage, width, weight_max)
        stages = dict(plan.stages_of(job))
        rows = min(steps.rows, stages[job.stage] - job.done)
        if job.stage == Stage.REPEATS:
            job = self._find_repeats(number, job, snapshot, rows)
        elif job.stage == Stage.EMBEDDING:
            self._embed(number, job, snapshot, rows)
        else:
            self._measure(number, job, snapshot, rows)
        job = self._pay(replace(job, done=job.done + rows), steps.weight(rows))
        self.emit(events.Progressed(number, job.stage, job.done))
        if job.done == stages[job.stage]:
            later = [each for each in stages if each > job.stage]
            if not later:
                self._finish(number, job, snapshot)
                return
            job = replace(job, stage=later[0], done=0)
        self.valuations[number] = job

    def _find_repeats(
        self, number: int, job: Valuation, snapshot: Snapshot, rows: int
    ) -> Valuation:
        before = self._counted_rows(number, job.done)
        counted = engine.find_repeats(snapshot, self.executor, before, rows, job.distance)
        self.counted[number] = np.packbits(counted).tobytes()
        return replace(job, counted=int(counted.sum()))

    def _counted_rows(self, number: int, rows: int) -> Array:
        """Tell for the first rows whether they count."""
        bits = np.frombuffer(self.counted.find(number) or b"", np.uint8)
        return np.unpackbits(bits, count=rows).astype(bool)

    def _embed(self, number: int, job: Valuation, snapshot: Snapshot, rows: int) -> None:
        assert job.embedder is not None
        places = range(job.done, job.done + rows)
        features, _ = SnapshotRows(snapshot, self.executor).take(places)
        numbers = engine.embed(job.embedder, features, self.executor)
        self.embedded[number, job.done] = numbers.astype("<i2").tobytes()

    def _measure(self, number: int, job: Valuation, snapshot: Snapshot, rows: int) -> None:
        assert job.measure is not None
        counted = self._counted_rows(number, job.rows)
        features, labels = SnapshotRows(snapshot, self.executor).all()
        compared = self._embedding_of(number, job) if job.embedder else whole_features(features)
        found = engine.measure(
            compared[counted],
            labels[counted],
            engine.groups_of(snapshot)[counted],
            self._evaluation_rows(job, job.measure, rows),
            job.measure.neighbours,
            job.groups,
        )
        for place, added in enumerate(found):
            self.numerators[number, place] = _whole_bytes(self._numerator(number, place) + added)

    def _evaluation_rows(self, job: Valuation, measure: Measure, rows: int) -> tuple[Array, Array]:
        """Give the numbers that are compared, and the labels, of the next evaluation rows."""
        evaluation = self.snapshots.snapshot(measure.evaluation)
        places = np.arange(evaluation.rows)
        if job.seed is not None:
            places = draws(job.seed, evaluation.rows, 0, job.wanted)
        taken = places[job.done : job.done + rows].tolist()
        features, labels = SnapshotRows(evaluation, self.executor).take(taken)
        if job.embedder is not None:
            return engine.embed(job.embedder, features, self.executor), labels
        return whole_features(features), labels

    def _embedding_of(self, number: int, job: Valuation) -> Array:
        """Give the numbers [rows, width] that the model gave for all rows."""
        assert job.embedder is not None
        width, chunks, rows = job.embedder.width, list[bytes](), 0
        while rows < job.rows:
            chunks.append(self.embedded[number, rows])
            rows += len(chunks[-1]) // (2 * width)
        numbers = np.frombuffer(b"".join(chunks), "<i2").reshape(rows, width)
        return numbers.astype(np.float64)

    def _numerator(self, number: int, place: int) -> int:
        return int.from_bytes(self.numerators.find((number, place)) or b"", "little", signed=True)

    def _pay(self, job: Valuation, weight: int) -> Valuation:
        cost = weight * self.config.price_per_weight
        self.currency.unreserve(job.owner, cost)
        self.sink.charge(job.owner, cost)
        return replace(job, left=job.left - cost, paid=job.paid + cost)

    def _finish(self, number: int, job: Valuation, snapshot: Snapshot) -> None:
        """Keep what was found, and let the snapshot pay by it where it counts."""
        counted = self._counted_rows(number, job.rows)
        own = np.bincount(engine.groups_of(snapshot)[counted], minlength=job.groups).tolist()
        if job.measure is None:
            exact = [Fraction(rows, job.counted) for rows in own]
            units = own
        else:
            whole = fold_of(job.measure.neighbours, job.counted).denominator * job.wanted
            exact = [Fraction(self._numerator(number, each), whole) for each in range(job.groups)]
            units = units_of(exact)
        job = self._pay(job, weights.end(job.rows, job.groups))
        assert job.left == 0, "the plan was not kept"
        self.results[number] = worth_of(snapshot.parts, own, exact)
        self._end(number, replace(job, stage=Stage.FINISHED, exact=engine.hash_of(exact)))
        if job.counts:
            self.earnings.open_pool(source_of(snapshot), by_account(snapshot.parts, units))
        self.emit(events.Valued(number, job.snapshot, job.counts))

    def _end(self, number: int, job: Valuation) -> None:
        """Forget the work, give back what is left, let go what was held."""
        self.currency.unreserve(job.owner, job.left)
        self.snapshots.unuse_snapshot(job.snapshot)
        if job.measure is not None:
            self.snapshots.unuse_snapshot(job.measure.evaluation)
        if job.embedder is not None:
            self.blobs.unhold(job.embedder.root)
            self._forget_embedding(number, job.embedder.width)
        for place in range(job.groups):
            if (number, place) in self.numerators:
                del self.numerators[number, place]
        if number in self.counted:
            del self.counted[number]
        if job.counts and job.stage == Stage.FAILED:
            del self.counting[job.snapshot]
        self.open.set(tuple(each for each in self.open.get() if each != number))
        self.valuations[number] = replace(job, left=0, ended=self.heights.height())

    def _forget_embedding(self, number: int, width: int) -> None:
        first = 0
        while (chunk := self.embedded.find((number, first))) is not None:
            del self.embedded[number, first]
            first += len(chunk) // (2 * width)


def _whole_bytes(number: int) -> bytes:
    """Give the shortest bytes, little-endian and signed, of a whole number."""
    return number.to_bytes((number.bit_length() + 8) // 8, "little", signed=True)
