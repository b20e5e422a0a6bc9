"""Evaluation: the chain measures models on snapshots.

Every validator runs the model over all rows and counts the labels that are right, some runs in each
block.  All runs are paid in advance; what a broken-off evaluation has not used comes back.

Invariant: model content and snapshot are held, and what is left is set aside, exactly while an
evaluation is open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from chain.primitives.codec import U32, U64, U128, record, sequence
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    Signed,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.evaluations import EvaluationNumber, Failed, Score
from runtime.frame.names import Name
from runtime.frame.ports import (
    BlobRegistry,
    Bounds,
    Currency,
    Executor,
    TensorType,
    Trapped,
    WorkSink,
)
from runtime.frame.predictions import UnfitModel, input_of, labels_of, rows_at_once
from runtime.frame.runs import RunnableSource
from runtime.frame.snapshots import SnapshotNumber, SnapshotRows, SnapshotSource
from runtime.pallets.evaluation import weights

OPEN_MAX: Final = 64
"""Evaluations at a time; when as many are open, none is ordered."""

KEPT_MAX: Final = 4096
"""Ended evaluations that are kept; the oldest go."""

REASON_LENGTH_MAX: Final = 60

Count = Annotated[int, U32]
VersionNumber = Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class Ordered:
    """An evaluation that is open, or has ended with a result."""

    payer: Address
    model: Hash32
    bounds: Bounds
    taken: TensorType
    """The model's input."""

    gas: Annotated[int, U64]
    snapshot: SnapshotNumber
    rows: Count
    left: Amount
    """Set aside for the runs that are to come."""

    done: Count = 0
    """Rows judged."""

    correct: Count = 0
    """Of them right."""

    failure: Failed | None = None


@dataclass(frozen=True, slots=True)
class EvaluationStatus:
    """What there is to know about an evaluation."""

    number: int
    evaluation: Ordered
    is_open: bool


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What a chain decides about evaluation."""

    weight_per_block: int
    """Picoseconds of all runs in one block, beside the weight of its transactions."""

    price_per_weight: int
    """Of a picosecond, in the smallest unit."""


@dataclass(frozen=True)
class EvaluationOrdered(Event, index=0):
    """A model is measured from now on."""

    evaluation: EvaluationNumber
    model: Hash32
    snapshot: SnapshotNumber
    payer: Address


@dataclass(frozen=True)
class Evaluated(Event, index=1):
    """A model gave so many of the labels."""

    evaluation: EvaluationNumber
    correct: Count
    rows: Count


@dataclass(frozen=True)
class EvaluationFailed(Event, index=2):
    """An evaluation ended without a result."""

    evaluation: EvaluationNumber
    failure: Failed


class CannotJudge(DispatchError, index=0):
    """The model takes no rows of this form, or the snapshot has no labels.  Name others."""


class TooManyOpen(DispatchError, index=1):
    """As many evaluations are open as may be.  Try again in some blocks."""


class Evaluation(
    Pallet,
    events=(EvaluationOrdered, Evaluated, EvaluationFailed),
    errors=(CannotJudge, TooManyOpen),
):
    """Evaluations and their results."""

    evaluations = StorageMap(
        U64, record(Ordered), hasher=TWOX_64_CONCAT, docs="Evaluations by number, open or ended."
    )
    open = StorageValue(
        sequence(U64, OPEN_MAX), default=(), docs="Evaluations that run, oldest first."
    )
    next_evaluation = StorageValue(U64, default=0, docs="Number of the next evaluation.")
    first_kept = StorageValue(U64, default=0, docs="Number of the oldest that may be kept.")

    weight_per_block = Constant(
        U64, lambda self: self.config.weight_per_block, "Picoseconds of runs in one block."
    )
    price_per_weight = Constant(
        U128, lambda self: self.config.price_per_weight, "Price of a picosecond."
    )

    def __init__(
        self,
        state: Overlay,
        config: EvaluationConfig,
        currency: Currency,
        blobs: BlobRegistry,
        snapshots: SnapshotSource,
        models: Callable[[], RunnableSource],
        sink: WorkSink,
        executor: Executor,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.snapshots = snapshots
        self.models = models
        self.sink = sink
        self.executor = executor

    @call(index=0, weight=weights.EVALUATE)
    def evaluate(
        self, origin: Signed, model: Name, version: VersionNumber | None, snapshot: SnapshotNumber
    ) -> None:
        """Measure a version of a model, or its default one, on a snapshot; paid by the signer."""
        found = self.models().runnable(model, version)
        self.request(found.root, found.bounds, found.inputs, found.gas, snapshot, origin.address)

    def request(
        self,
        model_root: Hash32,
        bounds: Bounds,
        inputs: Sequence[TensorType],
        gas: int,
        snapshot: SnapshotNumber,
        payer: Address,
    ) -> EvaluationNumber:
        """Order an evaluation, paid in advance; raises DispatchError."""
        if len(self.open.get()) >= OPEN_MAX:
            raise TooManyOpen(f"{OPEN_MAX} are open")
        taken = self.snapshots.snapshot(snapshot)
        if not taken.form.classes:
            raise CannotJudge("the rows have no labels")
        try:
            at_once = rows_at_once(tuple(inputs), taken.form)
        except UnfitModel as unfit:
            raise CannotJudge(str(unfit)) from unfit
        if at_once == 0:
            raise CannotJudge("it takes no rows at once")
        runs = -(-taken.rows // at_once)
        left = runs * weights.run(gas, at_once) * self.config.price_per_weight
        self.currency.reserve(payer, left)
        self.snapshots.use_snapshot(snapshot)
        self.blobs.hold(model_root)
        number = self.next_evaluation.get()
        self.next_evaluation.set(number + 1)
        self.evaluations[number] = Ordered(
            *(payer, model_root, bounds, inputs[0], gas, snapshot, taken.rows, left)
        )
        self.open.set((*self.open.get(), number))
        self._prune()
        self.emit(EvaluationOrdered(number, model_root, snapshot, payer))
        return number

    def score(self, number: EvaluationNumber) -> Score | Failed | None:
        """Give how an evaluation ended, None while it runs or where it is kept no more."""
        found = self.evaluations.find(number)
        if found is None or number in self.open.get():
            return None
        return found.failure or Score(found.correct, found.rows)

    def status(self, number: int) -> EvaluationStatus | None:
        """Give what there is to know about an evaluation, None for an unknown one."""
        found = self.evaluations.find(number)
        return None if found is None else EvaluationStatus(number, found, number in self.open.get())

    def on_initialize(self, number: int) -> None:
        """Take the runs of this block: the same room for each, beginning with another each time.

        Raises LocalFailure where this node cannot; then nothing of the block may be kept.
        """
        queue = self.open.get()
        if not queue:
            return
        turn = number % len(queue)
        left, first = self.config.weight_per_block, True
        for place, each in enumerate((*queue[turn:], *queue[:turn])):
            share = left // (len(queue) - place)
            spent = self._advance(each, share, at_least_one=first)
            left, first = max(left - spent, 0), first and not spent

    def check_invariants(self) -> None:
        """Assert that open evaluations are set aside for, and ended ones are not."""
        reserved: dict[bytes, int] = {}
        for number, each in self.evaluations.items():
            is_open = number in self.open.get()
            assert each.done <= each.rows
            assert each.correct <= each.done
            assert is_open or each.left == 0
            assert not is_open or self.blobs.is_available(each.model)
            reserved[each.payer] = reserved.get(each.payer, 0) + each.left
        assert all(number in self.evaluations for number in self.open.get())
        for payer, amount in reserved.items():
            assert self.currency.reserved(payer) >= amount, "an evaluation is not set aside for"

    def _advance(self, number: int, weight_max: int, *, at_least_one: bool) -> int:
        """Take the runs that fit; gives their weight."""
        found = self.evaluations[number]
        at_once = found.taken.shape[0]
        weight = weights.run(found.gas, at_once)
        runs = max(weight_max // weight, int(at_least_one))
        if not runs:
            return 0
        rows = SnapshotRows(self.snapshots.snapshot(found.snapshot), self.executor)
        spent = 0
        while spent < runs * weight and found.done < found.rows and found.failure is None:
            last = min(found.done + at_once, found.rows)
            found = self._judge(found, *rows.take(range(found.done, last)))
            spent += weight
        found = self._charge(found, spent * self.config.price_per_weight)
        self.evaluations[number] = found
        if found.done == found.rows or found.failure is not None:
            self._end(number, found)
        return spent

    def _judge(self, found: Ordered, features: Any, labels: Any) -> Ordered:
        outcome = self.executor.run(found.model, input_of(found.taken, features), found.bounds)
        if isinstance(outcome, Trapped):
            return replace(found, failure=Failed(outcome.reason[:REASON_LENGTH_MAX]))
        try:
            given = labels_of(outcome.outputs, len(labels))
        except UnfitModel as unfit:
            return replace(found, failure=Failed(str(unfit)[:REASON_LENGTH_MAX]))
        right = int((given == labels).sum())
        return replace(found, done=found.done + len(labels), correct=found.correct + right)

    def _charge(self, found: Ordered, price: int) -> Ordered:
        self.currency.unreserve(found.payer, price)
        self.sink.charge(found.payer, price)
        return replace(found, left=found.left - price)

    def _end(self, number: int, found: Ordered) -> None:
        self.open.set(tuple(each for each in self.open.get() if each != number))
        self.currency.unreserve(found.payer, found.left)
        self.snapshots.unuse_snapshot(found.snapshot)
        self.blobs.unhold(found.model)
        self.evaluations[number] = replace(found, left=0)
        if found.failure is None:
            self.emit(Evaluated(number, found.correct, found.rows))
        else:
            self.emit(EvaluationFailed(number, found.failure))

    def _prune(self) -> None:
        """Forget the oldest ended one beyond those that are kept."""
        first = self.first_kept.get()
        if self.next_evaluation.get() - first > KEPT_MAX and first not in self.open.get():
            del self.evaluations[first]
            self.first_kept.set(first + 1)
