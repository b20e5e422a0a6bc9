"""What happens to models."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import U8, U64, text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import BlockNumber
from runtime.frame import Event
from runtime.frame.names import Name
from runtime.frame.ports import REASONS
from runtime.pallets.models.stored import Action, VersionNumber


@dataclass(frozen=True)
class Registered(Event, index=0):
    """A model has a name and an owner."""

    model: Name
    owner: Address


@dataclass(frozen=True)
class Published(Event, index=1):
    """A version of a model waits for admission."""

    model: Name
    version: VersionNumber
    blob: Hash32


@dataclass(frozen=True)
class Activated(Event, index=2):
    """A version can be run."""

    model: Name
    version: VersionNumber
    gas: Annotated[int, U64]
    peak_bytes: Annotated[int, U64]


@dataclass(frozen=True)
class Rejected(Event, index=3):
    """A version cannot be run, for these reasons."""

    model: Name
    version: VersionNumber
    reasons: Annotated[tuple[str, ...], REASONS]


@dataclass(frozen=True)
class Retired(Event, index=4):
    """A version takes no new calls."""

    model: Name
    version: VersionNumber


@dataclass(frozen=True)
class Approved(Event, index=5):
    """A signatory of a model wants something done."""

    model: Name
    signatory: Address
    action: Action
    approvals: Annotated[int, U8]
    """How many want it by now."""


@dataclass(frozen=True)
class MoveBegun(Event, index=6):
    """A channel will point at another version, unless the gate or an objection stops it."""

    model: Name
    channel: Name
    version: VersionNumber | None
    due: BlockNumber | None
    """Block in which it happens; None while the chain scores the version."""


@dataclass(frozen=True)
class MoveDue(Event, index=7):
    """A version passed the gate; the move waits for its block."""

    model: Name
    channel: Name
    version: VersionNumber | None
    due: BlockNumber


@dataclass(frozen=True)
class MoveRefused(Event, index=8):
    """The gate stopped a move."""

    model: Name
    channel: Name
    version: VersionNumber | None
    reason: Annotated[str, text(512)]


@dataclass(frozen=True)
class MoveCancelled(Event, index=9):
    """A move will not happen."""

    model: Name
    channel: Name
    version: VersionNumber | None


@dataclass(frozen=True)
class Moved(Event, index=10):
    """A channel points at another version."""

    model: Name
    channel: Name
    version: VersionNumber | None
    before: VersionNumber | None


@dataclass(frozen=True)
class NameReleased(Event, index=11):
    """A model was given up; its name stays empty."""

    model: Name
