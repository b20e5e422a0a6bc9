"""What happens to valuations."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import enumeration, text
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import Event
from runtime.frame.names import Name
from runtime.frame.snapshots import SnapshotNumber
from runtime.pallets.attribution.stored import (
    REASON_BYTES_MAX,
    Count,
    Flag,
    OptionalMeasure,
    Shares,
    Stage,
    ValuationNumber,
)


@dataclass(frozen=True)
class Declared(Event, index=0):
    """How later snapshots of a dataset pay is fixed."""

    dataset: Name
    measure: OptionalMeasure
    shares: Shares


@dataclass(frozen=True)
class Started(Event, index=1):
    """The worth of a snapshot's records is measured."""

    valuation: ValuationNumber
    snapshot: SnapshotNumber
    owner: Address
    price: Amount
    counts: Flag
    """Whether it decides how the snapshot pays."""


@dataclass(frozen=True)
class Progressed(Event, index=2):
    """A valuation has come so far."""

    valuation: ValuationNumber
    stage: Annotated[Stage, enumeration(Stage)]
    done: Count
    """Rows that the stage is through with."""


@dataclass(frozen=True)
class Valued(Event, index=3):
    """The worth of every record of a snapshot is known."""

    valuation: ValuationNumber
    snapshot: SnapshotNumber
    counts: Flag


@dataclass(frozen=True)
class Failed(Event, index=4):
    """A valuation broke off; what was left of its price is free again."""

    valuation: ValuationNumber
    reason: Annotated[str, text(REASON_BYTES_MAX)]
