"""Blocks: the header with its digest, the body, and the hash that names a block."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import (
    COMPACT_U32,
    Codec,
    DecodeError,
    EncodeError,
    blob,
    fixed,
    record,
    sequence,
)
from chain.primitives.codec.shapes import Named, Primitive
from chain.primitives.codec.shapes import Sequence as SequenceShape
from chain.primitives.extrinsic import OPAQUE_EXTRINSIC
from chain.primitives.hashing import HASH_32, Hash32, blake2_256
from chain.primitives.keys import Address

BLOCK_BYTES_MAX: Final = 1024 * 1024
"""Of a whole encoded block: travels in one frame of the block channel."""

EXTRINSICS_MAX: Final = 8192
"""In one block; twice what fits into a second of execution."""

ENGINE: Final = b"noem"
"""Four bytes that mark our own digest items."""

OTHER, CONSENSUS, SEAL, PRE_RUNTIME, RUNTIME_UPDATED = 0, 4, 5, 6, 8
"""Kinds of digest items, as Substrate numbers them."""

_DIGEST_ITEMS_MAX = 8
_DIGEST_BYTES = blob(4096)
_ENGINE = fixed(4)


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A remark in the header, by kind; `engine` is empty for kinds that have none."""

    kind: int
    engine: bytes = b""
    content: bytes = b""


def _write_digest_item(item: DigestItem, out: bytearray) -> None:
    out.append(item.kind)
    if item.kind in (CONSENSUS, SEAL, PRE_RUNTIME):
        _ENGINE.write(item.engine, out)
    elif item.engine:
        raise EncodeError(f"a digest item of kind {item.kind} has no engine")
    if item.kind != RUNTIME_UPDATED:
        _DIGEST_BYTES.write(item.content, out)


def _read_digest_item(data: bytes, offset: int) -> tuple[DigestItem, int]:
    kind = data[offset] if offset < len(data) else -1
    engine, content, offset = b"", b"", offset + 1
    if kind in (CONSENSUS, SEAL, PRE_RUNTIME):
        engine, offset = _ENGINE.read(data, offset)
    elif kind not in (OTHER, RUNTIME_UPDATED):
        raise DecodeError(f"digest item of kind {kind}")
    if kind != RUNTIME_UPDATED:
        content, offset = _DIGEST_BYTES.read(data, offset)
    return DigestItem(kind, engine, content), offset


DIGEST_ITEM: Final = Codec(
    _write_digest_item, _read_digest_item, Named("DigestItem", SequenceShape(Primitive("u8"), 4096))
)
DIGEST: Final = sequence(DIGEST_ITEM, _DIGEST_ITEMS_MAX)


@dataclass(frozen=True, slots=True)
class Header:
    """What a block promises, in Substrate's layout."""

    parent_hash: Hash32
    number: Annotated[int, COMPACT_U32]
    state_root: Hash32
    """After the block's own transactions."""
    extrinsics_root: Hash32
    digest: Annotated[tuple[DigestItem, ...], DIGEST]

    def hash(self) -> Hash32:
        """Give the hash that names the block."""
        return blake2_256(HEADER.encode(self))


@dataclass(frozen=True, slots=True)
class PreDigest:
    """What the proposer says before execution; in a PreRuntime item."""

    proposer: Address
    parent_certificate: Hash32
    """Hash of the certificate that made the parent final; zeros on top of genesis."""


@dataclass(frozen=True, slots=True)
class PostDigest:
    """What execution found; in a Consensus item."""

    results_root: Hash32
    """BLAKE2b-256 of the encoded list of inference result hashes."""
    validators: Hash32
    """Hash of the validator set that signs this block."""
    next_validators: Hash32
    """Hash of the validator set that signs the next block."""


@dataclass(frozen=True, slots=True)
class Block:
    """A header, its transactions, and the hash of every inference result in their order."""

    header: Header
    extrinsics: Annotated[tuple[bytes, ...], sequence(OPAQUE_EXTRINSIC, EXTRINSICS_MAX)]
    results: Annotated[tuple[bytes, ...], sequence(HASH_32, EXTRINSICS_MAX)]

    def hash(self) -> Hash32:
        """Give the hash that names the block: its header's."""
        return self.header.hash()


HEADER: Final = record(Header)
BLOCK: Final = record(Block)
_PRE_DIGEST: Final = record(PreDigest)
_POST_DIGEST: Final = record(PostDigest)
_RESULTS: Final = sequence(HASH_32, EXTRINSICS_MAX)


def results_root(results: tuple[Hash32, ...]) -> Hash32:
    """Give the hash of a block's list of inference results."""
    return blake2_256(_RESULTS.encode(results))


def pre_digest_item(digest: PreDigest) -> DigestItem:
    """Give the header item that carries the proposer's words."""
    return DigestItem(PRE_RUNTIME, ENGINE, _PRE_DIGEST.encode(digest))


def post_digest_item(digest: PostDigest) -> DigestItem:
    """Give the header item that carries what execution found."""
    return DigestItem(CONSENSUS, ENGINE, _POST_DIGEST.encode(digest))


def digests_of(header: Header) -> tuple[PreDigest, PostDigest]:
    """Give both digests of a header above genesis; raises DecodeError unless exactly these two."""
    if [(item.kind, item.engine) for item in header.digest] != [
        (PRE_RUNTIME, ENGINE),
        (CONSENSUS, ENGINE),
    ]:
        raise DecodeError("the header does not carry exactly a pre-runtime and a consensus item")
    before, after = header.digest
    return _PRE_DIGEST.decode(before.content), _POST_DIGEST.decode(after.content)
