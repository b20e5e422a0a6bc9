"""What the registry of models keeps."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import U8, U32, U64, enumeration, record, sequence, text, union
from chain.primitives.hashing import Hash32
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame.evaluations import EvaluationNumber, Score
from runtime.frame.names import NAME, Name
from runtime.frame.ports import REASONS, TENSOR_TYPES, Bounds, TensorType
from runtime.frame.runs import ROYALTIES_MAX, FeePolicy, Royalty
from runtime.frame.snapshots import SnapshotNumber
from runtime.frame.trainings import JobNumber

DATASETS_MAX: Final = 8
"""Of one version: each is paid at every run."""

PARENTS_MAX: Final = 8
"""Of one version."""

VERSIONS_ACTIVE_MAX: Final = 16
"""Of one model at a time: retire old ones."""

DATASETS = sequence(NAME, DATASETS_MAX)
Datasets = Annotated[tuple[str, ...], DATASETS]
Licence = Annotated[str, text(64)]
"""SPDX identifier, or the address of a text."""

VersionNumber = Annotated[int, U32]
"""Counts a model's versions from 1."""

ModelNumber = Annotated[int, U32]
"""Counts all models that were registered, from 0."""


QUEUE_MAX: Final = 64
"""Versions that wait for their bytes, and as many for their turn: both queues are written whole,
and the first is walked in every block."""

READY_MAX: Final = 2 * QUEUE_MAX
"""Places for a turn with those that only waiting versions take, oldest first: however many are
published with their bytes at hand, nobody who waited is kept out."""

SCORING_MAX: Final = 64
"""Moves that wait for the score of a version: all are looked at in every block."""

DUE_MAX: Final = 32
"""Moves that happen in one block; one that finds no place happens in the next."""

CHANNELS_MAX: Final = 8
"""Of one model: more names than people keep apart."""

SIGNATORIES_MAX: Final = 16
"""Of one model."""

STABLE: Final = "stable"
"""The channel that a call without a version runs."""

FIRST_CHANNELS: Final = (STABLE, "next")
"""What every model has from its beginning; they point nowhere."""


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
class Owner:
    """The owner's key moves channels and retires versions."""


@dataclass(frozen=True, slots=True)
class Multisig:
    """Some of several keys move channels and retire versions."""

    threshold: Annotated[int, U8]
    """How many must say the same; at least two."""

    signatories: Annotated[tuple[Address, ...], sequence(ADDRESS, SIGNATORIES_MAX)]
    """Ascending."""


@dataclass(frozen=True, slots=True)
class Referendum:
    """A vote moves channels and retires versions; no key does."""


Authority = Annotated[
    Owner | Multisig | Referendum, union("Authority", {0: Owner, 1: Multisig, 2: Referendum})
]


@dataclass(frozen=True, slots=True)
class Control:
    """Who may change what a model's channels point at, and how; fixed when it is registered."""

    authority: Authority = Owner()
    gate: SnapshotNumber | None = None
    """Snapshot on which a new version must not score below the channel's current one."""

    time_lock: BlockNumber = 0
    """Blocks between a decision to move and the move: time to object."""

    @property
    def guards(self) -> bool:
        """Tell whether anything but the owner's will stands before a move."""
        return self != Control()


@dataclass(frozen=True, slots=True)
class Parent:
    """A version that another was made from."""

    model: Name
    version: VersionNumber


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from."""

    parents: Annotated[tuple[Parent, ...], sequence(record(Parent), PARENTS_MAX)] = ()
    job: JobNumber | None = None
    """The training job that made its bytes on the chain; it says what it was trained on."""

    datasets: Datasets = ()
    """What it was trained on elsewhere."""


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What the chain trained a version on."""

    dataset: Name
    snapshot: SnapshotNumber


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model from which a version descends, and how near: 1 for a parent."""

    model: Name
    generation: Annotated[int, U8]


@dataclass(frozen=True, slots=True)
class Channel:
    """A name that points at a version of a model."""

    name: Name
    version: VersionNumber | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A name under which versions are published."""

    owner: Address
    licence: Licence
    policy: FeePolicy
    control: Control
    number: ModelNumber
    registered: BlockNumber
    deposit: Amount
    """Set aside for the name; nothing once the name was given up."""

    versions: VersionNumber = 0
    """Published so far; the newest has this number."""

    unretired: VersionNumber = 0
    """Versions that still bind a deposit."""

    active: Annotated[tuple[int, ...], sequence(U32, VERSIONS_ACTIVE_MAX)] = ()
    """Versions that can be run, ascending."""

    channels: Annotated[tuple[Channel, ...], sequence(record(Channel), CHANNELS_MAX)] = tuple(
        Channel(name) for name in FIRST_CHANNELS
    )

    def channel(self, name: str) -> Channel | None:
        """Give a channel, None where there is none of this name."""
        return next((each for each in self.channels if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable content of a model, and what admission found about it."""

    blob: Hash32
    length: Annotated[int, U64]
    """Of the content, in bytes."""

    lineage: Lineage
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

    activated: BlockNumber | None = None
    """Block from which it could be run, None if it never could."""

    trained: TrainedOn | None = None
    """What its training job says."""

    ancestors: Annotated[tuple[Ancestor, ...], sequence(record(Ancestor), ROYALTIES_MAX)] = ()
    """Models that ask a royalty, up to three generations back, each at its nearest."""

    royalties: Annotated[tuple[Royalty, ...], sequence(record(Royalty), ROYALTIES_MAX)] = ()
    """What each run owes their owners."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A version that waits."""

    model: Name
    version: VersionNumber
    since: BlockNumber
    """Block in which it began to wait."""


@dataclass(frozen=True, slots=True)
class Held:
    """A version that a channel pointed at."""

    version: VersionNumber
    score: Score | None = None
    """On the gate's snapshot, where the chain computed it."""


@dataclass(frozen=True, slots=True)
class History:
    """What a channel pointed at: moving back to it needs no gate."""

    bar: Score | None = None
    """What the next version must reach; stays when the channel points nowhere."""

    held: Annotated[tuple[Held, ...], sequence(record(Held), VERSIONS_ACTIVE_MAX)] = ()
    """Versions that can still be run, each once, the latest last."""


@dataclass(frozen=True, slots=True)
class Move:
    """A channel on its way to another version."""

    channel: Name
    version: VersionNumber | None
    """None: it will point nowhere."""

    begun: BlockNumber
    due: BlockNumber | None
    """Block in which it happens; None while it is being scored."""

    evaluation: EvaluationNumber | None = None
    """Of the new version."""

    current: EvaluationNumber | None = None
    """Of the version that the channel points at, until its score is known."""

    score: Score | None = None
    """Of the new version."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a model, in a queue or on the agenda."""

    model: Name
    channel: Name


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Let a channel point at a version."""

    channel: Name
    version: VersionNumber | None


@dataclass(frozen=True, slots=True)
class Retire:
    """Let no new calls run a version."""

    version: VersionNumber


@dataclass(frozen=True, slots=True)
class Cancel:
    """Let a move not happen."""

    channel: Name


Action = Annotated[MoveTo | Retire | Cancel, union("Action", {0: MoveTo, 1: Retire, 2: Cancel})]
"""What a multisig decides on."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a signatory wants; a newer one takes the place of an older."""

    signatory: Address
    action: Action


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What there is to know about a model."""

    model: Model
    versions: tuple[tuple[int, Version], ...]
    """By number, the newest last; at most the newest 64."""

    default: VersionNumber | None = None
    """What a call without a version runs."""

    moves: tuple[Move, ...] = ()
    approvals: tuple[Approval, ...] = ()
