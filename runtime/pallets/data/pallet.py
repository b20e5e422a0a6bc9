"""Data: datasets, and records of who contributed which rows to them.

A record's rows count from the block in which its bytes are available.

Invariant: a dataset's rows are the rows of its counted records, and so are the units that earn.
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from chain.primitives.codec import U32, U64, U128, record, sequence
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import Address
from runtime.frame import (
    Constant,
    Overlay,
    Pallet,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.elements import ELEMENT_BYTES
from runtime.frame.names import NAME, Name, is_name
from runtime.frame.ports import BlobRegistry, Currency, Heights
from runtime.frame.rows import row_bytes
from runtime.pallets.data import errors, events, weights
from runtime.pallets.data.stored import (
    Count,
    Dataset,
    DatasetStatus,
    Element,
    Licence,
    Queued,
    Record,
    RecordNumber,
    Shape,
    Standing,
)

ROWS_KIND: Final = 1
"""The kind under which a record's blob must be announced."""

WAITING_MAX: Final = 256
"""Records that wait for their bytes: all are looked at in every block."""

SHOWN_MAX: Final = 64
"""Records that one query shows."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What a chain decides about data."""

    dataset_deposit: int
    """Set aside for a dataset, in the smallest unit: names are scarce."""

    record_deposit: int
    """Set aside for each record until it is withdrawn: pays for its entry in the state."""

    row_bytes_max: int
    """Greatest row: a megabyte is a picture."""

    waiting_blocks: int
    """Blocks that a record waits for its bytes before it expires and frees its place."""


class Earnings(Protocol):
    """Pays contributors by the rows that count."""

    def enrol(self, dataset: Name, contributor: Address) -> None:
        """Open a contributor's share in a dataset for one more record."""
        ...

    def add_units(self, dataset: Name, contributor: Address, units: int) -> None:
        """Let more rows of a contributor earn."""
        ...

    def leave(self, dataset: Name, contributor: Address, units: int) -> None:
        """End one record, whose `units` rows earned."""
        ...

    def units(self, dataset: Name) -> int:
        """Say how many rows earn in a dataset."""
        ...


class Data(
    Pallet,
    events=(
        events.DatasetCreated,
        events.Contributed,
        events.Counted,
        events.ConsentWithdrawn,
        events.Expired,
    ),
    errors=(
        errors.BadName,
        errors.NameTaken,
        errors.BadLicence,
        errors.UnknownElement,
        errors.BadShape,
        errors.UnknownDataset,
        errors.NoRows,
        errors.RowsDoNotFit,
        errors.DuplicateRecord,
        errors.QueueFull,
        errors.UnknownRecord,
        errors.NotContributor,
        errors.NothingToWithdraw,
    ),
):
    """Datasets, their records and provenance."""

    datasets = StorageMap(NAME, record(Dataset), docs="Datasets by name.")
    records = StorageDoubleMap(NAME, U32, record(Record), docs="Records of a dataset by number.")
    contents = StorageDoubleMap(
        NAME, HASH_32, U32, docs="Which record of a dataset has this content; none twice."
    )
    waiting = StorageValue(
        sequence(record(Queued), WAITING_MAX), default=(), docs="Records whose bytes are awaited."
    )

    dataset_deposit = Constant(
        U128, lambda self: self.config.dataset_deposit, "Deposit of a dataset."
    )
    record_deposit = Constant(U128, lambda self: self.config.record_deposit, "Deposit of a record.")
    row_bytes_max = Constant(U64, lambda self: self.config.row_bytes_max, "Bytes of a row at most.")

    def __init__(
        self,
        state: Overlay,
        config: DataConfig,
        currency: Currency,
        blobs: BlobRegistry,
        earnings: Earnings,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.earnings = earnings
        self.heights = heights

    @call(index=0, weight=weights.CREATE_DATASET)
    def create_dataset(
        self,
        origin: Signed,
        name: Name,
        element: Element,
        shape: Shape,
        classes: Count,
        licence: Licence,
    ) -> None:
        """Open a dataset to which anyone may contribute rows of this form."""
        if not is_name(name):
            raise errors.BadName(repr(name))
        if name in self.datasets:
            raise errors.NameTaken(name)
        if not licence:
            raise errors.BadLicence()
        self._check_form(element, shape, classes)
        deposit = self.config.dataset_deposit
        self.currency.reserve(origin.address, deposit)
        self.datasets[name] = Dataset(
            origin.address, element, shape, classes, licence, self.heights.height(), deposit
        )
        self.emit(events.DatasetCreated(name, origin.address))

    @call(index=1, weight=weights.CONTRIBUTE)
    def contribute(
        self, origin: Signed, dataset: Name, blob: Hash32, rows: Count, rows_root: Hash32
    ) -> None:
        """Give the rows in a blob that the signer has announced."""
        found = self._known(dataset)
        if (dataset, blob) in self.contents:
            raise errors.DuplicateRecord(f"record {self.contents[dataset, blob]}")
        length = self.blobs.use(blob, origin.address, ROWS_KIND)
        _check_rows(found, rows, length)
        self.earnings.enrol(dataset, origin.address)
        deposit, number = self.config.record_deposit, found.records
        self.currency.reserve(origin.address, deposit)
        self.datasets[dataset] = replace(found, records=number + 1)
        self.records[dataset, number] = Record(
            origin.address, blob, rows, rows_root, self.heights.height(), deposit
        )
        self.contents[dataset, blob] = number
        self.emit(events.Contributed(dataset, number, origin.address, blob, rows))
        if self.blobs.is_available(blob):
            self._count(dataset, number)
        else:
            self._wait(Queued(dataset, number))

    @call(index=2, weight=weights.WITHDRAW_CONSENT)
    def withdraw_consent(self, origin: Signed, dataset: Name, record: RecordNumber) -> None:
        """Take a record of the signer out: it earns no more and frees blob and deposit."""
        self._known(dataset)
        found = self.records.find((dataset, record))
        if found is None:
            raise errors.UnknownRecord(f"{dataset} record {record}")
        if found.contributor != origin.address:
            raise errors.NotContributor()
        if found.standing not in (Standing.WAITING, Standing.COUNTED):
            raise errors.NothingToWithdraw(found.standing.name.lower())
        if found.standing == Standing.WAITING:
            queued = Queued(dataset, record)
            self.waiting.set(tuple(each for each in self.waiting.get() if each != queued))
        self._end(dataset, record, Standing.WITHDRAWN)
        self.emit(events.ConsentWithdrawn(dataset, record))

    def exists(self, dataset: Name) -> bool:
        """Tell whether a dataset has this name."""
        return is_name(dataset) and dataset in self.datasets

    def status(self, name: Name, first: int = 0) -> DatasetStatus | None:
        """Give a dataset and up to 64 of its records, None for an unknown one."""
        if not self.exists(name):
            return None
        found = self.datasets[name]
        numbers = range(first, min(found.records, first + SHOWN_MAX))
        return DatasetStatus(found, tuple((each, self.records[name, each]) for each in numbers))

    def on_finalize(self, number: int) -> None:
        """Count records whose bytes have come, and give up those that waited too long."""
        waiting = self.waiting.get()
        still = []
        for each in waiting:
            found = self.records[each.dataset, each.record]
            if self.blobs.is_available(found.blob):
                self._count(each.dataset, each.record)
            elif number - found.contributed >= self.config.waiting_blocks:
                self._end(each.dataset, each.record, Standing.EXPIRED)
                self.emit(events.Expired(each.dataset, each.record))
            else:
                still.append(each)
        if len(still) < len(waiting):
            self.waiting.set(tuple(still))

    def check_invariants(self) -> None:
        """Assert that rows, queue, contents and deposits agree with the records."""
        waiting = [(each.dataset, each.record) for each in self.waiting.get()]
        contents: dict[tuple[str, bytes], int] = {}
        deposits: dict[bytes, int] = {}
        for name, dataset in self.datasets.items():
            deposits[dataset.owner] = deposits.get(dataset.owner, 0) + dataset.deposit
            records = {number: each for (_, number), each in self.records.under(name)}
            assert sorted(records) == list(range(dataset.records))
            rows = [each.rows for each in records.values() if each.standing == Standing.COUNTED]
            assert sum(rows) == dataset.rows == self.earnings.units(name)
            for number, each in records.items():
                assert ((name, number) in waiting) == (each.standing == Standing.WAITING)
                if each.standing in (Standing.WAITING, Standing.COUNTED):
                    contents[name, each.blob] = number
                owned = deposits.get(each.contributor, 0)
                deposits[each.contributor] = owned + each.deposit
        assert dict(self.contents.items()) == contents
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _check_form(self, element: int, shape: Shape, classes: int) -> None:
        if element not in ELEMENT_BYTES:
            raise errors.UnknownElement(f"number {element}")
        if 0 in shape:
            raise errors.BadShape("a dimension is zero")
        width = row_bytes(element, shape, classes)
        if width > self.config.row_bytes_max:
            raise errors.BadShape(f"{width} bytes a row, at most {self.config.row_bytes_max}")

    def _known(self, dataset: Name) -> Dataset:
        found = self.datasets.find(dataset)
        if found is None:
            raise errors.UnknownDataset(repr(dataset))
        return found

    def _wait(self, queued: Queued) -> None:
        waiting = self.waiting.get()
        if len(waiting) >= WAITING_MAX:
            raise errors.QueueFull(f"{WAITING_MAX} records")
        self.waiting.set((*waiting, queued))

    def _count(self, dataset: Name, number: int) -> None:
        found, each = self.datasets[dataset], self.records[dataset, number]
        self.records[dataset, number] = replace(each, standing=Standing.COUNTED)
        self.datasets[dataset] = replace(found, rows=found.rows + each.rows)
        self.earnings.add_units(dataset, each.contributor, each.rows)
        self.emit(events.Counted(dataset, number, each.contributor, each.rows))

    def _end(self, dataset: Name, number: int, standing: Standing) -> None:
        found, each = self.datasets[dataset], self.records[dataset, number]
        earning = each.rows if each.standing == Standing.COUNTED else 0
        self.earnings.leave(dataset, each.contributor, earning)
        self.datasets[dataset] = replace(found, rows=found.rows - earning)
        self.currency.unreserve(each.contributor, each.deposit)
        self.blobs.unuse(each.blob, each.contributor)
        self.records[dataset, number] = replace(each, standing=standing, deposit=0)
        del self.contents[dataset, each.blob]


def _check_rows(dataset: Dataset, rows: int, length: int) -> None:
    if rows == 0:
        raise errors.NoRows()
    width = row_bytes(dataset.element, dataset.shape, dataset.classes)
    if rows * width != length:
        raise errors.RowsDoNotFit(f"{rows} rows of {width} bytes are not {length} bytes")
