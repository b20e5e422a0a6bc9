"""What happens to the engine, and what it wants done: the two sides of its machine."""

from dataclasses import dataclass

from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from consensus.core.inputs import Step
from consensus.core.messages import Certificate, ConsensusMessage
from consensus.core.validators import ValidatorSet
from consensus.engine.ports import Head, Peer, Report


@dataclass(frozen=True, slots=True)
class BeginAlarm:
    """The interval between two heights is over."""

    height: int


@dataclass(frozen=True, slots=True)
class StepAlarm:
    """A step of a round has waited long enough."""

    height: int
    round: int
    step: Step


@dataclass(frozen=True, slots=True)
class FetchAlarm:
    """A peer that was asked for a block has had its time."""

    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class RebroadcastAlarm:
    """It is time to say again where this node stands."""


Alarm = BeginAlarm | StepAlarm | FetchAlarm | RebroadcastAlarm
"""What a timer wakes the engine for; one that is no longer wanted does no harm."""


@dataclass(frozen=True, slots=True)
class Received:
    """A peer sent a message; nothing in it is verified."""

    peer: Peer
    message: ConsensusMessage


@dataclass(frozen=True, slots=True)
class HeadMoved:
    """The ledger has a new head, on disk, and this set decides the next height."""

    head: Head
    validators: ValidatorSet


@dataclass(frozen=True, slots=True)
class Built:
    """The ledger built a block, or could not."""

    height: int
    round: int
    block: Block | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The ledger executed a block; `valid` is None if it could not."""

    height: int
    block_hash: Hash32
    valid: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """The ledger could not make a block the head now."""

    height: int
    reason: str


@dataclass(frozen=True, slots=True)
class BlockLoaded:
    """The ledger looked a block up for a peer."""

    peer: Peer
    block: Block | None


@dataclass(frozen=True, slots=True)
class CertificateLoaded:
    """The ledger looked a commit certificate up for a peer."""

    peer: Peer
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Rang:
    """A timer ran out."""

    alarm: Alarm


Event = (
    Received | HeadMoved | Built | Checked | CommitFailed | BlockLoaded | CertificateLoaded | Rang
)
"""Everything that the machine learns."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send to all peers."""

    message: ConsensusMessage


@dataclass(frozen=True, slots=True)
class Send:
    """Send to one peer."""

    peer: Peer
    message: ConsensusMessage


@dataclass(frozen=True, slots=True)
class Penalise:
    """Hold a broken rule against a peer."""

    peer: Peer
    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Answer Rang after a while."""

    alarm: Alarm
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Build:
    """Have the ledger build a block; the answer is Built.  One at a time."""

    height: int
    round: int


@dataclass(frozen=True, slots=True)
class Check:
    """Have the ledger execute a block; the answer is Checked.  One at a time."""

    height: int
    block: Block


@dataclass(frozen=True, slots=True)
class Commit:
    """Have the ledger make a block the head; the answer is HeadMoved or CommitFailed."""

    block: Block
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class LoadBlock:
    """Look a final block up for a peer; the answer is BlockLoaded."""

    peer: Peer
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class LoadCertificate:
    """Look a commit certificate up for a peer; the answer is CertificateLoaded."""

    peer: Peer
    height: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Report to the node."""

    report: Report


Action = (
    Broadcast
    | Send
    | Penalise
    | SetTimer
    | Build
    | Check
    | Commit
    | LoadBlock
    | LoadCertificate
    | Tell
)
"""Everything that the machine wants done, in the order given."""
