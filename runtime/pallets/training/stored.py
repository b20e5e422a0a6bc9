"""What the chain keeps of trainings."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import U32, U64, enumeration, option, record, sequence, text
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame.ports import (
    NAME_BYTES_MAX,
    REASONS,
    TENSOR_TYPES,
    TENSORS_MAX,
    Bounds,
    TensorType,
)
from runtime.frame.snapshots import SnapshotNumber

Count = Annotated[int, U32]
LossBits = Annotated[int, U32]
"""A float32 as its 32 bits: the chain compares no floats."""

REASON_BYTES_MAX: Final = 512
Reason = Annotated[str, text(REASON_BYTES_MAX)]

POINTS_MAX: Final = 256
"""Of a curve; fuller ones are thinned to half."""


class Status(IntEnum):
    """How far a training is."""

    WAITING = 0
    """For its programs to be examined."""

    ADMITTED = 1
    """Steps as soon as its seed is known."""

    FINISHED = 2
    """It has made its model."""

    FAILED = 3
    """A step broke off."""

    CANCELLED = 4
    """Its owner ended it."""

    REFUSED = 5
    """Its programs cannot be run."""


OPEN: Final = (Status.WAITING, Status.ADMITTED)


@dataclass(frozen=True, slots=True)
class Job:
    """One training."""

    owner: Address
    step: Hash32
    """Root of the step graph."""

    predict: Hash32
    """Root of the predict graph."""

    bounds: Bounds
    """Of the predict graph's open axes."""

    parameters: Hash32
    """Root of the state before the first step."""

    snapshot: SnapshotNumber
    evaluation: Annotated[int | None, option(U64)]
    """Snapshot on which the model is to be measured."""

    steps: Count
    started: BlockNumber
    epoch: Annotated[int, U64]
    """In which it was started; the seed is of the next one."""

    left: Amount
    """Of its budget, set aside in the owner's account."""

    paid: Amount = 0
    status: Annotated[Status, enumeration(Status)] = Status.WAITING
    seed: Annotated[bytes | None, option(HASH_32)] = None
    """Fixes which rows which step takes."""

    weight: Annotated[int, U64] = 0
    """Of one step, in picoseconds."""

    load: Annotated[int, U64] = 0
    """Of reading rows and state and of writing it, once a block, in picoseconds."""

    price: Amount = 0
    """Of one step."""

    done: Count = 0
    """Steps."""

    loss: LossBits = 0
    """Of the last step."""

    deposit: Amount = 0
    """Set aside for the model that it will make."""

    ended: Annotated[int | None, option(U32)] = None
    """Block."""

    model: Annotated[bytes | None, option(HASH_32)] = None
    """Root of what it made."""

    reasons: Annotated[tuple[str, ...], REASONS] = ()
    """Why it was refused or failed."""

    score: Annotated[int | None, option(U64)] = None
    """Number of the evaluation of its model, if one was asked for and could be paid."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the programs of an admitted training take; fixed with them."""

    features: TensorType
    state: Annotated[tuple[TensorType, ...], TENSOR_TYPES]
    """Tensors that steps carry on, names ascending."""

    learnt: Annotated[tuple[str, ...], sequence(text(NAME_BYTES_MAX), TENSORS_MAX)]
    """Those of them that the predict graph takes, in the same order."""

    rows: TensorType
    """What else the predict graph takes: rows to judge."""

    gas: Annotated[int, U64]
    """Of one run of the predict graph."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve."""

    step: Count
    loss: LossBits


@dataclass(frozen=True, slots=True)
class Curve:
    """How the loss went: the points of every `stride`-th block."""

    stride: Count = 1
    seen: Count = 0
    """Points offered so far."""

    points: Annotated[tuple[Point, ...], sequence(record(Point), POINTS_MAX)] = ()


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What there is to know about a training."""

    number: int
    job: Job
    curve: tuple[Point, ...]


def with_point(curve: Curve, point: Point) -> Curve:
    """Offer a point to a curve; a full one is thinned to every second point."""
    stride, points = curve.stride, curve.points
    if curve.seen % stride == 0:
        if len(points) == POINTS_MAX:
            stride, points = 2 * stride, points[::2]
        if curve.seen % stride == 0:
            points = (*points, point)
    return Curve(stride, curve.seen + 1, points)
