"""What the engine needs from outside: a ledger, a transport, a disk, somebody to tell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from consensus.core.evidence import Evidence
from consensus.core.messages import Certificate, ConsensusMessage
from consensus.core.validators import ValidatorSet

Peer = str
"""Name of a connection's other end, chosen by the transport."""


class CannotNow(Exception):
    """This node cannot say now: it says nothing and is asked again.  Never a verdict on a block."""


class CannotPersist(Exception):
    """What was said could not be kept on disk.  Free some space, then restart."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last final block."""

    height: int
    block_hash: Hash32


class Ledger(Protocol):
    """Builds, checks and keeps blocks; slow calls run beside the engine, never two of a kind."""

    def head(self) -> Head:
        """Give the last block that is final and on disk."""
        ...

    def is_body_of_header(self, block: Block) -> bool:
        """Tell quickly whether the transactions are those that the header commits to.

        A body that is not is its sender's fault and no verdict on the header.
        """
        ...

    async def validators(self, height: int) -> ValidatorSet:
        """Give the set that decides a height; asked for the head's successor only."""
        ...

    async def propose(self, height: int, round_number: int) -> Block:
        """Build a block on the head and keep its outcome; raises CannotNow."""
        ...

    async def check(self, block: Block) -> bool:
        """Execute a block on the head and keep its outcome; raises CannotNow, never a guess."""
        ...

    async def commit(self, block: Block, certificate: Certificate) -> None:
        """Make a checked block the head, on disk when this returns; raises CannotNow.

        A block that is already final is left alone.
        """
        ...

    async def certificate(self, height: int) -> Certificate | None:
        """Give the commit certificate of a final block, if it is kept."""
        ...

    async def block(self, block_hash: Hash32) -> Block | None:
        """Give a final block, if it is kept."""
        ...


class Transport(Protocol):
    """Sends without waiting; what does not fit into its queues is dropped."""

    def broadcast(self, message: ConsensusMessage) -> None:
        """Send to every connected peer."""
        ...

    def send(self, peer: Peer, message: ConsensusMessage) -> None:
        """Send to one peer, if it is connected."""
        ...

    def peers(self) -> Sequence[Peer]:
        """Give the connected peers."""
        ...

    def penalise(self, peer: Peer, points: int, reason: str) -> None:
        """Hold a broken rule against a peer; at 100 points it should be dropped for a while."""
        ...


class Disk(Protocol):
    """One folder of files.  Every failure is an OSError.

    What was written survives a power cut only after `sync`; names only after `sync_names`.
    """

    def names(self) -> Sequence[str]:
        """Give the names of all files."""
        ...

    def read(self, name: str) -> bytes:
        """Give a file's bytes; an absent file has none."""
        ...

    def append(self, name: str, content: bytes) -> None:
        """Write behind a file's end, creating it."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file anew."""
        ...

    def truncate(self, name: str, length: int) -> None:
        """Cut a file off."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of the one that had it."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        ...

    def sync(self, name: str) -> None:
        """Return when the file's content is on the disk."""
        ...

    def sync_names(self) -> None:
        """Return when creations, renames and removals are on the disk."""
        ...


@dataclass(frozen=True, slots=True)
class Accused:
    """A validator signed two different things for one step."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Decided:
    """A block became final and is in the ledger."""

    height: int
    round: int
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """A round began."""

    height: int
    round: int
    proposer: Address


@dataclass(frozen=True, slots=True)
class CouldNot:
    """The ledger could not build, check or commit a block now; it is asked again."""

    height: int
    work: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diverged:
    """The others made a block final that this node finds invalid; it votes no more."""

    height: int
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class Withheld:
    """The signer refused: this key has already said something later or different."""

    height: int
    round: int
    reason: str


Report = Accused | Decided | RoundStarted | CouldNot | Diverged | Withheld
"""What the node may want to log, count or put on the chain."""

Reporter = Callable[[Report], None]
"""Takes reports; must return at once."""
