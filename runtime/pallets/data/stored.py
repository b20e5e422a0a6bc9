"""What the registry of data keeps."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from chain.primitives.codec import U8, U32, U64, enumeration, sequence, text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame.names import Name
from runtime.frame.ports import DIMENSIONS_MAX
from runtime.frame.snapshots import ROWS_PER_RECORD_MAX

Shape = Annotated[tuple[int, ...], sequence(U32, DIMENSIONS_MAX)]
"""Dimensions of the feature tensor of one row; none for a single number."""

Element = Annotated[int, U8]
"""ONNX's number of an element type: 1 is float32, 2 is uint8."""

Count = Annotated[int, U32]
Distance = Annotated[int, U64]
"""Sum of squared differences of features: a row as near as that to an earlier one is worth
nothing where worth is measured; 0 for rows that are the same only."""

RecordNumber = Annotated[int, U32]
"""Counts a dataset's records from 0."""

Licence = Annotated[str, text(64)]
"""SPDX identifier, or the address of a text."""


class Standing(IntEnum):
    """Where a record stands."""

    WAITING = 0
    """Its bytes are awaited."""

    COUNTED = 1
    """Its rows earn."""

    WITHDRAWN = 2
    """Its contributor took consent back."""

    EXPIRED = 3
    """Its bytes did not come in time."""

    REJECTED = 4
    """Its bytes are not what was promised."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What rows must look like to be taken, and how many were."""

    owner: Address
    element: Element
    shape: Shape
    classes: Count
    """Different labels; 0 for rows without one."""

    licence: Licence
    distance: Distance
    neighbours: Count
    """Of measured worth: how many of the nearest rows decide; 0 pays every row the same."""

    created: BlockNumber
    deposit: Amount
    """Set aside for the name."""

    records: Count = 0
    """Contributed so far, whatever became of them; their order decides whose row one is."""

    rows: Annotated[int, U64] = 0
    """That count now."""


@dataclass(frozen=True, slots=True)
class Record:
    """Rows that one account gave, and their provenance."""

    contributor: Address
    blob: Hash32
    rows: Count
    rows_root: Hash32
    """Root of the sorted row hashes; the chain compares it with the bytes when they come."""

    contributed: BlockNumber
    deposit: Amount
    """Set aside until consent is withdrawn."""

    standing: Annotated[Standing, enumeration(Standing)] = Standing.WAITING
    left_out: Annotated[tuple[int, ...], sequence(U32, ROWS_PER_RECORD_MAX)] = ()
    """Places of rows that do not count, ascending: an earlier record has them, or itself before."""

    reason: Annotated[str, text(120)] = ""
    """Why it was rejected."""

    @property
    def counted(self) -> int:
        """Give how many rows count."""
        return self.rows - len(self.left_out) if self.standing == Standing.COUNTED else 0


@dataclass(frozen=True, slots=True)
class Queued:
    """A record that waits."""

    dataset: Name
    record: RecordNumber


@dataclass(frozen=True, slots=True)
class RowPlace:
    """Where a row was given first."""

    record: RecordNumber
    place: Count


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """What there is to know about a dataset."""

    dataset: Dataset
    records: tuple[tuple[int, Record], ...]
    """By number, from the first one asked for."""
