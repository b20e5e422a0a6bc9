"""What happens to models."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import U64
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import Event
from runtime.frame.names import Name
from runtime.frame.ports import REASONS
from runtime.pallets.models.stored import VersionNumber


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
