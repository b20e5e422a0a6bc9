"""Snapshots: rows of datasets that never change any more.

Training, gates and valuations work on snapshots only.  The bytes of a snapshot's rows are kept as
long as it is, whoever releases them; consent that is withdrawn later shows beside it.

Invariant: the bytes of every snapshot are available, and its deposit is set aside.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from chain.primitives.codec import U32, U64, U128, record, sequence
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber
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
from runtime.frame.names import Name
from runtime.frame.ports import BlobRegistry, Currency, Heights
from runtime.frame.snapshots import PARTS_MAX, Part, RowForm, Snapshot, SnapshotNumber
from runtime.pallets.snapshots import weights

Count = Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """Rows that never change any more."""

    dataset: Name
    taker: Address
    taken: BlockNumber
    deposit: Amount
    """Set aside by the taker for the entry and the bytes that are held."""

    parts: Annotated[tuple[Part, ...], sequence(record(Part), PARTS_MAX)]
    uses: Count = 0
    """Trainings, gates and valuations that need it."""


@dataclass(frozen=True, slots=True)
class SnapshotsConfig:
    """What a chain decides about snapshots."""

    deposit_per_record: int
    """Set aside by the taker for each record, in the smallest unit."""

    deposit_per_byte: int
    """Set aside for each byte that is held, in the smallest unit."""


class DatasetRows(Protocol):
    """The rows of datasets that count now."""

    def form(self, dataset: Name) -> RowForm:
        """Give what rows of a dataset look like; raises DispatchError for an unknown one."""
        ...

    def parts(self, dataset: Name) -> tuple[Part, ...]:
        """Give the records that count now; raises DispatchError for an unknown dataset."""
        ...

    def parts_count(self, dataset: Name) -> int:
        """Say how many records count now."""
        ...


@dataclass(frozen=True)
class Taken(Event, index=0):
    """The rows that counted will never change under this number."""

    snapshot: SnapshotNumber
    dataset: Name
    taker: Address
    rows: Count


@dataclass(frozen=True)
class Dropped(Event, index=1):
    """A snapshot is kept no more."""

    snapshot: SnapshotNumber


class NoRecords(DispatchError, index=0):
    """No record of the dataset counts.  Wait until one does."""


class UnknownSnapshot(DispatchError, index=1):
    """There is no such snapshot.  Take one, or look the numbers up."""


class NotTaker(DispatchError, index=2):
    """The snapshot was taken by another account.  Sign with its taker's key."""


class SnapshotInUse(DispatchError, index=3):
    """A training, gate or valuation needs the snapshot.  Wait until it is done."""


class Snapshots(
    Pallet,
    events=(Taken, Dropped),
    errors=(NoRecords, UnknownSnapshot, NotTaker, SnapshotInUse),
):
    """Immutable lists of records."""

    snapshots = StorageMap(
        U64, record(StoredSnapshot), hasher=TWOX_64_CONCAT, docs="Snapshots by number."
    )
    next_snapshot = StorageValue(U64, default=0, docs="Number of the next snapshot.")

    deposit_per_record = Constant(
        U128, lambda self: self.config.deposit_per_record, "Deposit for each record of a snapshot."
    )
    deposit_per_byte = Constant(
        U128, lambda self: self.config.deposit_per_byte, "Deposit for each byte of its records."
    )

    def __init__(
        self,
        state: Overlay,
        config: SnapshotsConfig,
        currency: Currency,
        blobs: BlobRegistry,
        datasets: DatasetRows,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.datasets = datasets
        self.heights = heights

    @call(
        index=0,
        weight=lambda self, dataset: weights.of_records(self.datasets.parts_count(dataset)),
    )
    def take(self, origin: Signed, dataset: Name) -> None:
        """Fix the rows of a dataset that count now under a number.

        A deposit for each record and for the bytes is taken from the signer.
        """
        parts = self.datasets.parts(dataset)
        if not parts:
            raise NoRecords(dataset)
        held = sum(self.blobs.hold(part.blob) for part in parts)
        deposit = len(parts) * self.config.deposit_per_record + held * self.config.deposit_per_byte
        self.currency.reserve(origin.address, deposit)
        number, now = self.next_snapshot.get(), self.heights.height()
        self.next_snapshot.set(number + 1)
        self.snapshots[number] = StoredSnapshot(dataset, origin.address, now, deposit, parts)
        rows = sum(part.counted for part in parts)
        self.emit(Taken(number, dataset, origin.address, rows))

    @call(index=1, weight=lambda self, snapshot: self.weigh_drop(snapshot))
    def drop(self, origin: Signed, snapshot: SnapshotNumber) -> None:
        """Give a snapshot of the signer up: deposit and bytes are free again."""
        found = self._taken(snapshot)
        if found.taker != origin.address:
            raise NotTaker()
        if found.uses:
            raise SnapshotInUse(f"{found.uses} uses")
        for part in found.parts:
            self.blobs.unhold(part.blob)
        self.currency.unreserve(found.taker, found.deposit)
        del self.snapshots[snapshot]
        self.emit(Dropped(snapshot))

    def snapshot(self, number: int) -> Snapshot:
        """Give a snapshot; raises DispatchError for an unknown one."""
        found = self._taken(number)
        return Snapshot(number, found.dataset, self.datasets.form(found.dataset), found.parts)

    def use_snapshot(self, number: int) -> None:
        """Keep a snapshot and its bytes until `unuse_snapshot`; raises DispatchError."""
        found = self._taken(number)
        self.snapshots[number] = replace(found, uses=found.uses + 1)

    def unuse_snapshot(self, number: int) -> None:
        """Give one `use_snapshot` back."""
        found = self.snapshots[number]
        assert found.uses > 0, "given back more often than used"
        self.snapshots[number] = replace(found, uses=found.uses - 1)

    def taken(self, number: int) -> StoredSnapshot | None:
        """Give what there is to know about a snapshot, None for an unknown one."""
        return self.snapshots.find(number)

    def weigh_drop(self, number: int) -> int:
        """Weigh dropping a snapshot, known or not."""
        found = self.snapshots.find(number)
        return weights.of_records(len(found.parts) if found else 0)

    def check_invariants(self) -> None:
        """Assert that bytes are available and deposits set aside."""
        deposits: dict[bytes, int] = {}
        for number, snapshot in self.snapshots.items():
            assert number < self.next_snapshot.get()
            deposits[snapshot.taker] = deposits.get(snapshot.taker, 0) + snapshot.deposit
            assert all(self.blobs.is_available(part.blob) for part in snapshot.parts)
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _taken(self, number: int) -> StoredSnapshot:
        found = self.snapshots.find(number)
        if found is None:
            raise UnknownSnapshot(f"number {number}")
        return found
