"""What happens to trainings."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import U64
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import Event
from runtime.frame.ports import REASONS
from runtime.frame.snapshots import SnapshotNumber
from runtime.frame.trainings import JobNumber
from runtime.pallets.training.stored import Count, LossBits, Reason


@dataclass(frozen=True)
class Started(Event, index=0):
    """A training waits for its programs to be examined and for its seed."""

    job: JobNumber
    owner: Address
    snapshot: SnapshotNumber
    steps: Count


@dataclass(frozen=True)
class Admitted(Event, index=1):
    """The programs of a training can be run; it steps as soon as its seed is known."""

    job: JobNumber
    weight: Annotated[int, U64]
    """Of one step, in picoseconds."""

    price: Amount
    """Of one step."""


@dataclass(frozen=True)
class Refused(Event, index=2):
    """A training cannot be run, for these reasons; its budget is free again."""

    job: JobNumber
    reasons: Annotated[tuple[str, ...], REASONS]


@dataclass(frozen=True)
class Seeded(Event, index=3):
    """Which rows a training takes at which step is fixed."""

    job: JobNumber
    seed: Hash32


@dataclass(frozen=True)
class Progressed(Event, index=4):
    """A training has come so far."""

    job: JobNumber
    step: Count
    """Steps done."""

    loss: LossBits
    """Of the last step."""


@dataclass(frozen=True)
class Finished(Event, index=5):
    """A training has made a model; it can be published."""

    job: JobNumber
    model: Hash32
    """Its root."""

    paid: Amount


@dataclass(frozen=True)
class Failed(Event, index=6):
    """A training broke off; what was left of its budget is free again."""

    job: JobNumber
    step: Count
    """Steps done."""

    reason: Reason


@dataclass(frozen=True)
class Cancelled(Event, index=7):
    """The owner ended a training; what was left of its budget is free again."""

    job: JobNumber
    step: Count
