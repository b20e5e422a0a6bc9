"""What the chain keeps of valuations."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import (
    BOOL,
    I64,
    U32,
    U64,
    enumeration,
    option,
    record,
    sequence,
    text,
)
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber, Parts
from runtime.frame.names import Name
from runtime.frame.ports import NAME_BYTES_MAX, Bounds, TensorType
from runtime.frame.snapshots import SnapshotNumber

ValuationNumber = Annotated[int, U64]
"""Counts all valuations of the chain from 0."""

Count = Annotated[int, U32]
Picoseconds = Annotated[int, U64]
Flag = Annotated[bool, BOOL]

REASON_BYTES_MAX: Final = 240
SHARES_MAX: Final = 64
"""Accounts among which a dataset is divided by fixed shares."""

WHOLE_WORTH: Final = 10**12
"""Worth is told in parts of this; rows that tell every label right are worth it together."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """The version of a model whose first float output is compared instead of the features."""

    model: Name
    version: Count


@dataclass(frozen=True, slots=True)
class Measure:
    """How worth is measured: which rows have to be told, and by how many neighbours."""

    evaluation: SnapshotNumber
    neighbours: Count
    rows: Annotated[int | None, option(U32)]
    """How many rows of the evaluation snapshot, drawn by the seed of a later epoch; None for
    all."""

    embedding: Annotated[Embedding | None, option(record(Embedding))]
    """None compares features."""


OPTIONAL_MEASURE = option(record(Measure))
OptionalMeasure = Annotated[Measure | None, OPTIONAL_MEASURE]


@dataclass(frozen=True, slots=True)
class Share:
    """A fixed part of what a dataset earns."""

    account: Address
    parts: Parts


Shares = Annotated[tuple[Share, ...], sequence(record(Share), SHARES_MAX)]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What was declared to decide how snapshots of a dataset pay."""

    measure: OptionalMeasure
    """None pays all rows the same that repeat no other, or by shares."""

    shares: Shares
    since: Annotated[int | None, option(U32)]
    """Snapshots taken in later blocks are paid so; None for all, by decision of the chain."""


class Stage(IntEnum):
    """How far a valuation is."""

    WAITING = 0
    """For the seed that draws evaluation rows."""

    REPEATS = 1
    """Looks for rows that repeat others."""

    EMBEDDING = 2
    """Runs the model on rows."""

    MEASURING = 3
    """Takes evaluation rows."""

    FINISHED = 4
    """The worth of every record is known."""

    FAILED = 5
    """It broke off."""


OPEN: Final = (Stage.WAITING, Stage.REPEATS, Stage.EMBEDDING, Stage.MEASURING)


@dataclass(frozen=True, slots=True)
class Embedder:
    """What runs of an embedding need; fixed at the start."""

    root: Hash32
    bounds: Bounds
    taken: TensorType
    """Its input."""

    given: Annotated[str, text(NAME_BYTES_MAX)]
    """Its output that is compared."""

    width: Count
    """Numbers for each row."""

    gas: Annotated[int, U64]
    """Of one run."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """One valuation of a snapshot."""

    owner: Address
    snapshot: SnapshotNumber
    dataset: Name
    measure: OptionalMeasure
    """None counts rows."""

    distance: Annotated[int, U64]
    """Rows as near as that repeat each other."""

    counts: Flag
    """Whether it decides how the snapshot pays."""

    rows: Count
    """Of the snapshot."""

    groups: Count
    """Records of the snapshot."""

    wanted: Count
    """Evaluation rows that are taken."""

    embedder: Annotated[Embedder | None, option(record(Embedder))]
    started: BlockNumber
    epoch: Annotated[int, U64]
    """In which it was started; its seed is of a later one."""

    left: Amount
    """Of its price, set aside in the owner's account."""

    paid: Amount
    stage: Annotated[Stage, enumeration(Stage)]
    done: Count = 0
    """Rows that the stage is through with."""

    seed: Annotated[bytes | None, option(HASH_32)] = None
    counted: Count = 0
    """Rows that repeat no other."""

    ended: Annotated[int | None, option(U32)] = None
    """Block."""

    exact: Annotated[bytes | None, option(HASH_32)] = None
    """Hash of the exact fractions that the records are worth."""

    reason: Annotated[str, text(REASON_BYTES_MAX)] = ""
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a record was worth."""

    record: Count
    contributor: Address
    rows: Count
    repeated: Count
    """Rows that repeat earlier ones; they are worth nothing."""

    worth: Annotated[int, I64]
    """In parts of 10^12, rounded down; below zero where its rows did harm, which pays as zero."""


@dataclass(frozen=True, slots=True)
class ValuationStatus:
    """What there is to know about a valuation."""

    number: int
    valuation: Valuation
    records: tuple[Worth, ...]
    """In the order of the snapshot; none until it is finished."""
