"""Data: datasets, and records of who contributed which rows to them.

A record is promised by the root of its rows before anybody has seen them.  When its bytes are
available the chain checks them and its rows count, except those that an earlier record has: the
order of the promises decides, not that of the bytes.

Invariant: a dataset's rows are the rows of its counted records, and so are the units that earn; no
row counts twice in a dataset.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from chain.primitives.codec import U32, U64, U128, record, sequence
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import Address
from runtime.frame import (
    TWOX_64_CONCAT,
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
from runtime.frame.ports import BlobRegistry, Content, Currency, FeeSink, Heights
from runtime.frame.rows import row_bytes
from runtime.frame.snapshots import (
    PARTS_MAX,
    ROWS_PER_RECORD_MAX,
    Part,
    RowForm,
)
from runtime.pallets.data import errors, events, weights
from runtime.pallets.data.checking import Unfit, check_rows
from runtime.pallets.data.stored import (
    Count,
    Dataset,
    DatasetStatus,
    Distance,
    Element,
    Licence,
    Queued,
    Record,
    RecordNumber,
    RowPlace,
    Shape,
    Standing,
)

ROWS_KIND: Final = 1
"""The kind under which a record's blob must be announced."""

READY_MAX: Final = 1024
"""Records whose bytes are there and whose turn to be checked comes: the queue is written whole."""

SAME_BLOB_MAX: Final = 16
"""Records of different datasets that wait for the same bytes."""

DUE_MAX: Final = 64
"""Records whose time is up in one block; who comes later waits a block longer."""

DUE_SEARCH_MAX: Final = 32
"""Blocks that are searched for such a place."""

SHOWN_MAX: Final = 64
"""Records that one query shows."""

QUEUE = sequence(record(Queued), READY_MAX)


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

    rows_per_block: int
    """Rows that are checked in one block; no fewer than a record may have."""

    row_fee: int
    """Paid for each row of a record, in the smallest unit: its entry stays in the state."""


class Earnings(Protocol):
    """Pays contributors by the rows that count."""

    def enrol(self, dataset: Name, contributor: Address) -> None:
        """Open a contributor's share in a dataset for one more record."""
        ...

    def add_units(self, dataset: Name, contributor: Address, units: int) -> None:
        """Let more rows of a contributor earn, or fewer."""
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
        events.Rejected,
        events.RowsMoved,
    ),
    errors=errors.ALL,
):
    """Datasets, their records and provenance."""

    datasets = StorageMap(NAME, record(Dataset), docs="Datasets by name.")
    records = StorageDoubleMap(NAME, U32, record(Record), docs="Records of a dataset by number.")
    contents = StorageDoubleMap(
        NAME, HASH_32, U32, docs="Which record of a dataset has this content; none twice."
    )
    counting = StorageMap(
        NAME, sequence(U32, PARTS_MAX), default=(), docs="Records of a dataset that count."
    )
    row_owner = StorageDoubleMap(
        NAME, HASH_32, record(RowPlace), docs="Which record gave a row first, and where."
    )
    waiting = StorageMap(
        HASH_32,
        sequence(record(Queued), SAME_BLOB_MAX),
        default=(),
        docs="Records that wait for the bytes of a blob.",
    )
    ready = StorageValue(QUEUE, default=(), docs="Records whose turn to be checked comes.")
    due = StorageMap(
        U32,
        sequence(record(Queued), DUE_MAX),
        default=(),
        hasher=TWOX_64_CONCAT,
        docs="Records whose bytes must have come by a block.",
    )

    dataset_deposit = Constant(
        U128, lambda self: self.config.dataset_deposit, "Deposit of a dataset."
    )
    record_deposit = Constant(U128, lambda self: self.config.record_deposit, "Deposit of a record.")
    row_fee = Constant(U128, lambda self: self.config.row_fee, "Fee for each row of a record.")
    row_bytes_max = Constant(U64, lambda self: self.config.row_bytes_max, "Bytes of a row at most.")
    rows_per_record_max = Constant(
        U32, lambda self: ROWS_PER_RECORD_MAX, "Rows of a record at most."
    )

    def __init__(
        self,
        state: Overlay,
        config: DataConfig,
        currency: Currency,
        blobs: BlobRegistry,
        earnings: Earnings,
        content: Content,
        sink: FeeSink,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.earnings = earnings
        self.content = content
        self.sink = sink
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
        distance: Distance,
        neighbours: Count,
    ) -> None:
        """Open a dataset to which anyone may contribute rows of this form."""
        if not is_name(name):
            raise errors.BadName(repr(name))
        if name in self.datasets:
            raise errors.NameTaken(name)
        if not licence:
            raise errors.BadLicence()
        self._check_form(element, shape, classes)
        deposit, now = self.config.dataset_deposit, self.heights.height()
        self.currency.reserve(origin.address, deposit)
        self.datasets[name] = Dataset(
            *(origin.address, element, shape, classes, licence, distance, neighbours, now, deposit)
        )
        self.emit(events.DatasetCreated(name, origin.address))

    @call(index=1, weight=weights.CONTRIBUTE)
    def contribute(
        self, origin: Signed, dataset: Name, blob: Hash32, rows: Count, rows_root: Hash32
    ) -> None:
        """Promise the rows in a blob that the signer has announced; best before it is uploaded.

        A deposit and a fee for each row are taken from the signer.
        """
        found = self._known(dataset)
        if (dataset, blob) in self.contents:
            raise errors.DuplicateRecord(f"record {self.contents[dataset, blob]}")
        length = self.blobs.use(blob, origin.address, ROWS_KIND)
        _check_length(found, rows, length)
        self.earnings.enrol(dataset, origin.address)
        deposit, number = self.config.record_deposit, found.records
        self.currency.reserve(origin.address, deposit)
        self.currency.withdraw(origin.address, rows * self.config.row_fee)
        self.sink.receive_fee(rows * self.config.row_fee, 0)
        self.datasets[dataset] = replace(found, records=number + 1)
        self.records[dataset, number] = Record(
            origin.address, blob, rows, rows_root, self.heights.height(), deposit
        )
        self.contents[dataset, blob] = number
        self._line_up(Queued(dataset, number), blob)
        self.emit(events.Contributed(dataset, number, origin.address, blob, rows))

    @call(index=2, weight=weights.WITHDRAW_CONSENT)
    def withdraw_consent(self, origin: Signed, dataset: Name, record: RecordNumber) -> None:
        """Take a record of the signer out: it earns no more and frees blob and deposit.

        Snapshots taken before keep its rows and show that consent was withdrawn.
        """
        self._known(dataset)
        found = self.records.find((dataset, record))
        if found is None:
            raise errors.UnknownRecord(f"{dataset} record {record}")
        if found.contributor != origin.address:
            raise errors.NotContributor()
        if found.standing not in (Standing.WAITING, Standing.COUNTED):
            raise errors.NothingToWithdraw(found.standing.name.lower())
        self._end(dataset, record, Standing.WITHDRAWN)
        self.emit(events.ConsentWithdrawn(dataset, record))

    def exists(self, dataset: Name) -> bool:
        """Tell whether a dataset has this name."""
        return is_name(dataset) and dataset in self.datasets

    def form(self, dataset: Name) -> RowForm:
        """Give what rows of a dataset look like; raises DispatchError for an unknown one."""
        return _form(self._known(dataset))

    def parts(self, dataset: Name) -> tuple[Part, ...]:
        """Give the records that count now; raises DispatchError for an unknown dataset."""
        self._known(dataset)
        return tuple(_part(each, self.records[dataset, each]) for each in self.counting[dataset])

    def parts_count(self, dataset: Name) -> int:
        """Say how many records count now."""
        return len(self.counting[dataset])

    def owner(self, dataset: Name) -> Address:
        """Give whose dataset it is; raises DispatchError for an unknown one."""
        return self._known(dataset).owner

    def valuation(self, dataset: Name) -> tuple[int, int]:
        """Give distance and neighbours of a dataset: how the worth of its rows is measured."""
        found = self._known(dataset)
        return found.distance, found.neighbours

    def status(self, name: Name, first: int = 0) -> DatasetStatus | None:
        """Give a dataset and up to 64 of its records, None for an unknown one."""
        if not self.exists(name):
            return None
        found = self.datasets[name]
        numbers = range(first, min(found.records, first + SHOWN_MAX))
        return DatasetStatus(found, tuple((each, self.records[name, each]) for each in numbers))

    def on_initialize(self, number: int) -> None:
        """Let records move up whose bytes came, check those whose turn it is, give up late ones."""
        for root in self.blobs.arrived():
            self._move_up(root)
        if self.ready.get():
            self._check_ready()
        for each in self.due[number]:
            self._give_up(each)
        if number in self.due:
            del self.due[number]

    def check_invariants(self) -> None:
        """Assert that rows, owners, contents and deposits agree with the records."""
        contents: dict[tuple[str, bytes], int] = {}
        deposits: dict[bytes, int] = {}
        owned: dict[tuple[str, int], int] = {}
        for (name, _), place in self.row_owner.items():
            owned[name, place.record] = owned.get((name, place.record), 0) + 1
        for name, dataset in self.datasets.items():
            deposits[dataset.owner] = deposits.get(dataset.owner, 0) + dataset.deposit
            records = {number: each for (_, number), each in self.records.under(name)}
            assert sorted(records) == list(range(dataset.records))
            counted = [each for each in records if records[each].standing == Standing.COUNTED]
            assert sorted(self.counting[name]) == sorted(counted)
            rows = sum(each.counted for each in records.values())
            assert rows == dataset.rows == self.earnings.units(name)
            for number, each in records.items():
                if each.standing == Standing.COUNTED:
                    assert owned.get((name, number), 0) == each.counted, "a row counts twice"
                if each.standing in (Standing.WAITING, Standing.COUNTED):
                    contents[name, each.blob] = number
                total = deposits.get(each.contributor, 0) + each.deposit
                deposits[each.contributor] = total
        assert dict(self.contents.items()) == contents
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _check_form(self, element: int, shape: Shape, classes: int) -> None:
        if element not in ELEMENT_BYTES:
            raise errors.UnknownElement(f"number {element}")
        if 0 in shape:
            raise errors.BadShape("a dimension is zero")
        width = row_bytes(element, shape, classes)
        if not 0 < width <= self.config.row_bytes_max:
            raise errors.BadShape(f"{width} bytes a row, at most {self.config.row_bytes_max}")

    def _known(self, dataset: Name) -> Dataset:
        found = self.datasets.find(dataset)
        if found is None:
            raise errors.UnknownDataset(repr(dataset))
        return found

    def _line_up(self, queued: Queued, blob: Hash32) -> None:
        """Let a record wait for its bytes, or for its turn if they are there."""
        if self.blobs.is_available(blob):
            if len(self.ready.get()) >= READY_MAX:
                raise errors.QueueFull(f"{READY_MAX} records")
            self.ready.set((*self.ready.get(), queued))
            return
        waiting = self.waiting[blob]
        if len(waiting) >= SAME_BLOB_MAX:
            raise errors.QueueFull(f"{SAME_BLOB_MAX} records wait for the same bytes")
        self.waiting[blob] = (*waiting, queued)
        self._set_due(self.heights.height() + self.config.waiting_blocks, queued)

    def _set_due(self, block: int, queued: Queued) -> None:
        for each in range(block, block + DUE_SEARCH_MAX):
            if len(self.due[each]) < DUE_MAX:
                self.due[each] = (*self.due[each], queued)
                return
        raise errors.QueueFull(f"{DUE_SEARCH_MAX * DUE_MAX} records are due at that time")

    def _move_up(self, root: Hash32) -> None:
        """Queue the records whose bytes came; who finds no place is queued when its time is up."""
        arrived = self.waiting[root]
        if arrived:
            room = READY_MAX - len(self.ready.get())
            self.ready.set((*self.ready.get(), *arrived[:room]))
            del self.waiting[root]

    def _check_ready(self) -> None:
        """Check the records at the front whose rows fit into the block."""
        queue, left, done = self.ready.get(), self.config.rows_per_block, 0
        for each in queue:
            found = self.records[each.dataset, each.record]
            if found.standing == Standing.WAITING:
                if found.rows > left:
                    break
                left -= found.rows
                self._check(each, found)
            done += 1
        self.ready.set(queue[done:])

    def _check(self, queued: Queued, found: Record) -> None:
        dataset, number = queued.dataset, queued.record
        try:
            form = _form(self.datasets[dataset])
            hashes = check_rows(self.content.read(found.blob), form, found.rows_root)
            self._count(queued, found, hashes)
        except Unfit as unfit:
            reason = str(unfit)
            self._end(dataset, number, Standing.REJECTED, reason)
            self.emit(events.Rejected(dataset, number, reason))

    def _count(self, queued: Queued, found: Record, hashes: Iterable[Hash32]) -> None:
        """Let the rows of a record count that no earlier one has; raises Unfit for none."""
        dataset, number = queued.dataset, queued.record
        if len(self.counting[dataset]) >= PARTS_MAX:
            raise Unfit(f"{PARTS_MAX} records of the dataset count already")
        own: dict[Hash32, int] = {}
        left_out: list[int] = []
        moved: dict[int, list[int]] = {}
        for place, row in enumerate(hashes):
            owner = self.row_owner.find((dataset, row))
            if row in own or (owner and not self._yields(dataset, owner, queued)):
                left_out.append(place)
                continue
            own[row] = place
            if owner and self.records[dataset, owner.record].standing == Standing.COUNTED:
                moved.setdefault(owner.record, []).append(owner.place)
        if not own:
            raise Unfit("every row was given before")
        for row, place in own.items():
            self.row_owner[dataset, row] = RowPlace(number, place)
        for later, places in moved.items():
            self._lose(dataset, later, places)
        counted = replace(found, standing=Standing.COUNTED, left_out=tuple(left_out))
        self.records[dataset, number] = counted
        self.counting[dataset] = (*self.counting[dataset], number)
        self._add_rows(dataset, found.contributor, counted.counted)
        self.emit(events.Counted(dataset, number, found.contributor, counted.counted))

    def _yields(self, dataset: Name, owner: RowPlace, to: Queued) -> bool:
        """Tell whether a row goes to another record: an earlier one's, or its contributor's."""
        holder = self.records[dataset, owner.record]
        if holder.standing == Standing.WITHDRAWN:
            return holder.contributor == self.records[dataset, to.record].contributor
        return holder.standing != Standing.COUNTED or owner.record > to.record

    def _lose(self, dataset: Name, number: int, places: list[int]) -> None:
        """Let rows of a record count no more."""
        found = self.records[dataset, number]
        left_out = tuple(sorted((*found.left_out, *places)))
        self.records[dataset, number] = replace(found, left_out=left_out)
        self._add_rows(dataset, found.contributor, -len(places))
        self.emit(events.RowsMoved(dataset, number, len(places)))

    def _add_rows(self, dataset: Name, contributor: Address, rows: int) -> None:
        found = self.datasets[dataset]
        self.datasets[dataset] = replace(found, rows=found.rows + rows)
        self.earnings.add_units(dataset, contributor, rows)

    def _give_up(self, queued: Queued) -> None:
        """End a record whose time is up, unless its bytes are there and it only found no place."""
        dataset, number = queued.dataset, queued.record
        found = self.records[dataset, number]
        if found.standing != Standing.WAITING or queued in self.ready.get():
            return
        if self.blobs.is_available(found.blob) and len(self.ready.get()) < READY_MAX:
            self.ready.set((*self.ready.get(), queued))
            return
        self._end(dataset, number, Standing.EXPIRED)
        self.emit(events.Expired(dataset, number))

    def _end(self, dataset: Name, number: int, standing: Standing, reason: str = "") -> None:
        found, each = self.datasets[dataset], self.records[dataset, number]
        if each.standing == Standing.COUNTED:
            rest = tuple(other for other in self.counting[dataset] if other != number)
            self.counting[dataset] = rest
        self.earnings.leave(dataset, each.contributor, each.counted)
        self.datasets[dataset] = replace(found, rows=found.rows - each.counted)
        self.currency.unreserve(each.contributor, each.deposit)
        self.blobs.unuse(each.blob, each.contributor)
        queued = Queued(dataset, number)
        if queued in self.waiting[each.blob]:
            others = tuple(other for other in self.waiting[each.blob] if other != queued)
            self.waiting[each.blob] = others
        self.records[dataset, number] = replace(each, standing=standing, deposit=0, reason=reason)
        del self.contents[dataset, each.blob]


def _form(dataset: Dataset) -> RowForm:
    return RowForm(dataset.element, dataset.shape, dataset.classes)


def _part(number: int, found: Record) -> Part:
    return Part(number, found.contributor, found.blob, found.rows, found.left_out)


def _check_length(dataset: Dataset, rows: int, length: int) -> None:
    if rows == 0:
        raise errors.NoRows()
    if rows > ROWS_PER_RECORD_MAX:
        raise errors.TooManyRows(f"{rows} rows, at most {ROWS_PER_RECORD_MAX}")
    width = _form(dataset).width
    if rows * width != length:
        raise errors.RowsDoNotFit(f"{rows} rows of {width} bytes are not {length} bytes")
