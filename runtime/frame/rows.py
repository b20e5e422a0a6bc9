"""How the rows of a record lie in its blob, and the root that names them.  Pure.

A row is its feature tensor (little-endian, row-major) with the label behind it; rows follow one
another without a gap.  So the length of a blob fixes how many rows it holds, and nobody can claim
more rows than there are bytes.
"""

from collections.abc import Iterator, Sequence
from math import prod

from chain.primitives.hashing import Hash32
from chain.primitives.merkle import leaf_hash, root_of_leaves
from runtime.frame.elements import ELEMENT_BYTES


def label_bytes(classes: int) -> int:
    """Give the bytes of one label: none without classes, else 1, 2 or 4."""
    if classes == 0:
        return 0
    return 1 if classes <= 1 << 8 else 2 if classes <= 1 << 16 else 4


def row_bytes(dtype: int, dims: Sequence[int], classes: int) -> int:
    """Give the bytes of one row."""
    return prod(dims) * ELEMENT_BYTES[dtype] + label_bytes(classes)


def split_rows(content: bytes, width: int) -> Iterator[bytes]:
    """Give the rows of a blob whose length is a multiple of `width` bytes."""
    return (content[at : at + width] for at in range(0, len(content), width))


def hashes_of(content: bytes, width: int) -> tuple[Hash32, ...]:
    """Give the hash of every row, in the order of the rows."""
    return tuple(leaf_hash(row) for row in split_rows(content, width))


def root_of_hashes(hashes: Sequence[Hash32]) -> Hash32:
    """Give the root over row hashes, sorted first, with their number in it.

    Sorted, so that the same rows in another order have the same root, and so that a proof of two
    neighbours shows that a row is not among them.
    """
    return root_of_leaves(sorted(hashes), len(hashes))


def rows_root(content: bytes, width: int) -> Hash32:
    """Give the root over the sorted hashes of the rows."""
    return root_of_hashes(hashes_of(content, width))
