"""Merkle tree over the 256 KiB chunks of a blob; its root and the length name the content.

Leaf = H(00 ++ chunk), node = H(01 ++ left ++ right), an odd node moves up as it is, and the name is
H(02 ++ u64 length ++ top), H = BLAKE2b-256.  The first byte keeps the three apart.
"""

from collections.abc import Sequence
from typing import Final

from chain.primitives.hashing import Hash32, blake2_256

CHUNK_BYTES: Final = 256 * 1024
"""Large enough that a proof is small beside it, small enough for one network frame."""


def chunk_count(length: int) -> int:
    """Give how many chunks a blob of `length` bytes has."""
    return -(-length // CHUNK_BYTES)


def split(content: bytes) -> tuple[bytes, ...]:
    """Cut content into its chunks."""
    return tuple(content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))


def leaf_hash(chunk: bytes) -> Hash32:
    """Give the hash of one chunk."""
    return blake2_256(b"\0" + chunk)


def root_of(content: bytes) -> Hash32:
    """Give the name of content, which must not be empty."""
    return root_of_leaves([leaf_hash(chunk) for chunk in split(content)], len(content))


def root_of_leaves(leaves: Sequence[Hash32], length: int) -> Hash32:
    """Give the name of content from its leaf hashes and its length in bytes."""
    return root_over(_top(leaves), length)


def top_of(content: bytes) -> Hash32:
    """Give the top of the tree over content, which must not be empty."""
    return _top([leaf_hash(chunk) for chunk in split(content)])


def root_over(top: Hash32, length: int) -> Hash32:
    """Give the name of content from the top of its tree and its length in bytes below 2^64.

    Who knows a top that gives a root knows the only length that goes with it.
    """
    return blake2_256(b"\2" + length.to_bytes(8, "little") + top)


def proof_of(leaves: Sequence[Hash32], index: int) -> tuple[Hash32, ...]:
    """Give the siblings on the way from a leaf to the top, lowest first."""
    siblings, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            siblings.append(level[index ^ 1])
        level, index = _next_level(level), index >> 1
    return tuple(siblings)


def verify_chunk(
    root: Hash32, length: int, index: int, chunk: bytes, proof: Sequence[Hash32]
) -> bool:
    """Tell whether the chunk stands at `index` of the content that root and length name."""
    width = chunk_count(length)
    if not 0 <= index < width or len(chunk) != _chunk_length(length, index):
        return False
    node, rest = leaf_hash(chunk), list(proof)
    while width > 1:
        if index ^ 1 < width:
            if not rest:
                return False
            sibling = rest.pop(0)
            node = _node(sibling, node) if index & 1 else _node(node, sibling)
        index, width = index >> 1, (width + 1) >> 1
    return not rest and root_over(node, length) == root


def _chunk_length(length: int, index: int) -> int:
    return min(CHUNK_BYTES, length - index * CHUNK_BYTES)


def _node(left: Hash32, right: Hash32) -> Hash32:
    return blake2_256(b"\1" + left + right)


def _top(leaves: Sequence[Hash32]) -> Hash32:
    assert leaves, "a blob has at least one byte"
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def _next_level(level: list[Hash32]) -> list[Hash32]:
    paired = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return paired + level[len(level) - len(level) % 2 :]
