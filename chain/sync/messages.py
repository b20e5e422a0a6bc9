"""Questions and answers between a node that lacks blocks and one that has them."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.block import BLOCK_BYTES_MAX
from chain.primitives.codec import U16, Codec, blob, record, sequence, union
from chain.primitives.hashing import Hash32
from chain.primitives.numbers import BlockNumber

PROTOCOL: Final = "sync"

RANGE_MAX: Final = 64
"""Blocks in one answer."""

ANSWER_BYTES_MAX: Final = 2 * 1024 * 1024 - 4096
"""Of one answer, with room for lengths."""

CERTIFICATE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class HeadRequest:
    """Asks how far a node is."""


@dataclass(frozen=True, slots=True)
class BlocksRequest:
    """Asks for final blocks from a height upwards."""

    start: BlockNumber
    count: Annotated[int, U16]
    """At most; fewer come when they are large."""


Question = HeadRequest | BlocksRequest

QUESTION: Final[Codec[Question]] = union("SyncQuestion", {0: HeadRequest, 1: BlocksRequest})


@dataclass(frozen=True, slots=True)
class HeadAnswer:
    """The last final block."""

    height: BlockNumber
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A final block and its certificate, as they lie on disk."""

    block: Annotated[bytes, blob(BLOCK_BYTES_MAX)]
    certificate: Annotated[bytes, blob(CERTIFICATE_BYTES_MAX)]


@dataclass(frozen=True, slots=True)
class BlocksAnswer:
    """Blocks of ascending height, the first of the height that was asked for."""

    blocks: Annotated[tuple[StoredBlock, ...], sequence(record(StoredBlock), RANGE_MAX)]


HEAD_ANSWER: Final = record(HeadAnswer)
BLOCKS_ANSWER: Final = record(BlocksAnswer)
