"""What happens to datasets."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import Event
from runtime.frame.names import Name
from runtime.pallets.data.stored import Count, RecordNumber


@dataclass(frozen=True)
class DatasetCreated(Event, index=0):
    """A dataset takes records."""

    dataset: Name
    owner: Address


@dataclass(frozen=True)
class Contributed(Event, index=1):
    """An account gave rows; they count as soon as their bytes are available."""

    dataset: Name
    record: RecordNumber
    contributor: Address
    blob: Hash32
    rows: Count


@dataclass(frozen=True)
class Counted(Event, index=2):
    """The rows of a record earn from now on."""

    dataset: Name
    record: RecordNumber
    contributor: Address
    rows: Count


@dataclass(frozen=True)
class ConsentWithdrawn(Event, index=3):
    """The rows of a record earn no more, and no later training may use them."""

    dataset: Name
    record: RecordNumber


@dataclass(frozen=True)
class Expired(Event, index=4):
    """The bytes of a record did not come in time; its deposit is free again."""

    dataset: Name
    record: RecordNumber


@dataclass(frozen=True)
class Rejected(Event, index=5):
    """The bytes of a record are not what was promised; its deposit is free again."""

    dataset: Name
    record: RecordNumber
    reason: Annotated[str, text(120)]


@dataclass(frozen=True)
class RowsMoved(Event, index=6):
    """Rows of a record count no more: an earlier record has them, whose bytes came later."""

    dataset: Name
    record: RecordNumber
    rows: Count
