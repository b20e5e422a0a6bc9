"""What the registry of models keeps."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import U32, U64, enumeration, sequence, text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame.names import NAME, Name
from runtime.frame.ports import REASONS, TENSOR_TYPES, Bounds, TensorType
from runtime.frame.runs import FeePolicy

DATASETS_MAX: Final = 8
"""Of one version: each is paid at every run."""

VERSIONS_ACTIVE_MAX: Final = 16
"""Of one model at a time: retire old ones."""

DATASETS = sequence(NAME, DATASETS_MAX)
Datasets = Annotated[tuple[str, ...], DATASETS]
Licence = Annotated[str, text(64)]
"""SPDX identifier, or the address of a text."""

VersionNumber = Annotated[int, U32]
"""Counts a model's versions from 1."""


class Status(IntEnum):
    """Where a version stands."""

    PENDING = 0
    """Waits for its bytes, or for its turn to be examined."""

    ACTIVE = 1
    """Can be run."""

    REJECTED = 2
    """Was examined and refused, for reasons."""

    RETIRED = 3
    """Cannot be run any more."""


@dataclass(frozen=True, slots=True)
class Model:
    """A name under which versions are published."""

    owner: Address
    licence: Licence
    policy: FeePolicy
    registered: BlockNumber

    versions: VersionNumber = 0
    """Published so far; the newest has this number."""

    active: Annotated[tuple[int, ...], sequence(U32, VERSIONS_ACTIVE_MAX)] = ()
    """Versions that can be run, ascending; the last one is the default."""


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable content of a model, and what admission found about it."""

    blob: Hash32
    length: Annotated[int, U64]
    """Of the content, in bytes."""

    datasets: Datasets
    """Lineage: what it was trained on, and who is paid for it."""

    published: BlockNumber
    deposit: Amount
    """Set aside until the version is retired."""

    status: Annotated[Status, enumeration(Status)] = Status.PENDING
    reasons: Annotated[tuple[str, ...], REASONS] = ()
    """Why it was rejected."""

    inputs: Annotated[tuple[TensorType, ...], TENSOR_TYPES] = ()
    outputs: Annotated[tuple[TensorType, ...], TENSOR_TYPES] = ()
    gas: Annotated[int, U64] = 0
    """Cost of one run; one gas is a nanosecond of a reference core."""

    peak_bytes: Annotated[int, U64] = 0
    """Most memory that a run holds."""

    bounds: Bounds = ()
    """How long its open axes may be; it was examined at them, and runs cost what they cost."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A version that waits."""

    model: Name
    version: VersionNumber
    since: BlockNumber
    """Block in which it began to wait."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What there is to know about a model."""

    model: Model
    versions: tuple[tuple[int, Version], ...]
    """By number, the newest last; at most the newest 64."""
