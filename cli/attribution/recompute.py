"""Values of rows and records anew, with the kernel of the chain, from nothing but public content.

The chain keeps the worth of records only, and a hash of the exact fractions.  Here the worth of
single rows is found too: it must add up to the same fractions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chain.primitives.codec import record
from chain.primitives.hashing import Hash32
from chain.rpc.typed_json import from_json
from runtime.frame.batches import draws
from runtime.frame.ports import Executor
from runtime.frame.snapshots import Part, RowForm, Snapshot, SnapshotRows
from runtime.pallets.attribution.engine import embed, find_repeats, groups_of, hash_of, measure
from runtime.pallets.attribution.neighbours import whole_features
from runtime.pallets.attribution.shapley import fold_of
from runtime.pallets.attribution.stored import Valuation

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]
"""Told how many parts of how many are done."""

ROWS_AT_ONCE: Final = 256
"""Rows whose worth is found together: each takes as many numbers as there are rows."""


@dataclass(frozen=True)
class Found:
    """What was found here."""

    records: tuple[Fraction, ...]
    """Worth of each record, in the order of the snapshot."""

    rows: tuple[Fraction, ...]
    """Worth of each row; none if only records were asked for."""

    counted: tuple[bool, ...]
    """Whether each row repeats no earlier one."""

    owners: tuple[int, ...]
    """The place of each row's record in the snapshot."""

    labels: tuple[int, ...]

    @property
    def exact(self) -> Hash32:
        """Give the hash of the records' fractions, as the chain keeps it."""
        return hash_of(list(self.records))


def valuation_of(answer: Mapping[str, Any]) -> Valuation:
    """Read a valuation from the answer of a node."""
    codec = record(Valuation)
    fields = {name: each for name, each in answer.items() if name not in ("number", "records")}
    return codec.decode(from_json(codec.shape, fields))


def snapshot_of(answer: Mapping[str, Any], dataset: Mapping[str, Any]) -> Snapshot:
    """Read a snapshot from the answers of a node."""
    form = RowForm(int(dataset["element"]), tuple(map(int, dataset["shape"])), dataset["classes"])
    parts = tuple(
        Part(
            each["record"],
            b"",
            bytes.fromhex(each["blob"][2:]),
            each["rows"],
            tuple(each["left_out"]),
        )
        for each in answer["parts"]
    )
    return Snapshot(answer["number"], answer["dataset"], form, parts)


def recompute(
    job: Valuation,
    snapshot: Snapshot,
    evaluation: Snapshot | None,
    executor: Executor,
    *,
    by_rows: bool,
    progress: Progress,
) -> Found:
    """Find what records, and with `by_rows` single rows, were worth; raises Broken."""
    nothing = np.zeros(0, bool)
    counted = find_repeats(snapshot, executor, nothing, snapshot.rows, job.distance)
    owners = groups_of(snapshot)
    features, labels = SnapshotRows(snapshot, executor).all()
    rows: list[Fraction] = []
    if job.measure is None or evaluation is None:
        share = Fraction(1, int(counted.sum()))
        rows = [share * bool(each) for each in counted]
        records = _added(rows, owners, job.groups)
    else:
        game = _Game(job, features, labels, counted, evaluation, executor)
        if by_rows:
            rows = game.by_rows(progress)
            records = _added(rows, owners, job.groups)
        else:
            records = game.of_groups(owners, job.groups)
    return Found(
        tuple(records),
        tuple(rows) if by_rows else (),
        tuple(counted.tolist()),
        tuple(owners.tolist()),
        tuple(labels.tolist()),
    )


class _Game:
    """Rows that count against evaluation rows."""

    def __init__(
        self,
        job: Valuation,
        features: Array,
        labels: Array,
        counted: Array,
        evaluation: Snapshot,
        executor: Executor,
    ) -> None:
        assert job.measure is not None
        self._neighbours = job.measure.neighbours
        self._counted = counted
        places = np.arange(evaluation.rows)
        if job.seed is not None:
            places = draws(job.seed, evaluation.rows, 0, job.wanted)
        wanted, self._wanted = SnapshotRows(evaluation, executor).take(places.tolist())

        def compared(taken: Array) -> Array:
            return embed(job.embedder, taken, executor) if job.embedder else whole_features(taken)

        self._rows, self._points = compared(features)[counted], compared(wanted)
        self._labels = labels[counted]
        fold = fold_of(self._neighbours, len(self._rows))
        self._whole = fold.denominator * job.wanted

    def of_groups(self, groups: Array, count: int) -> list[Fraction]:
        """Give the worth [count] of groups of all rows."""
        found = measure(
            self._rows,
            self._labels,
            groups[self._counted],
            (self._points, self._wanted),
            self._neighbours,
            count,
        )
        return [Fraction(each, self._whole) for each in found]

    def by_rows(self, progress: Progress) -> list[Fraction]:
        """Give the worth of every row; of one that repeats another, nothing."""
        total, values = len(self._counted), list[Fraction]()
        for first in range(0, total, ROWS_AT_ONCE):
            count = min(ROWS_AT_ONCE, total - first)
            groups = np.full(total, count)
            groups[first : first + count] = np.arange(count)
            values += self.of_groups(groups, count)
            progress(first + count, total)
        return values


def _added(rows: list[Fraction], owners: Array, count: int) -> list[Fraction]:
    return [
        sum((rows[row] for row in np.flatnonzero(owners == group).tolist()), Fraction(0))
        for group in range(count)
    ]
