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

Shape = Annotated[tuple[int, ...], sequence(U32, DIMENSIONS_MAX)]
"""Dimensions of the feature tensor of one row; none for a single number."""

Element = Annotated[int, U8]
"""ONNX's number of an element type: 1 is float32, 2 is uint8."""

Count = Annotated[int, U32]
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


@dataclass(frozen=True, slots=True)
class Dataset:
    """What rows must look like to be taken, and how many were."""

    owner: Address
    element: Element
    shape: Shape
    classes: Count
    """Different labels; 0 for rows without one."""

    licence: Licence
    created: BlockNumber
    deposit: Amount
    """Set aside for the name."""

    records: Count = 0
    """Contributed so far, whatever became of them."""

    rows: Annotated[int, U64] = 0
    """That count now."""


@dataclass(frozen=True, slots=True)
class Record:
    """Rows that one account gave, and their provenance."""

    contributor: Address
    blob: Hash32
    rows: Count
    rows_root: Hash32
    """Root of the sorted row hashes, as the contributor says; who has the bytes can check it."""

    contributed: BlockNumber
    deposit: Amount
    """Set aside until consent is withdrawn."""

    standing: Annotated[Standing, enumeration(Standing)] = Standing.WAITING


@dataclass(frozen=True, slots=True)
class Queued:
    """A record that waits for its bytes."""

    dataset: Name
    record: RecordNumber


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """What there is to know about a dataset."""

    dataset: Dataset
    records: tuple[tuple[int, Record], ...]
    """By number, from the first one asked for."""
