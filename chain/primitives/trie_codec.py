"""Nodes of the state trie as bytes: the radix-16 layouts of Substrate's state versions 0 and 1."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from chain.primitives.codec import DecodeError

KEY_BYTES_MAX: Final = 256
"""Longest key of a trie; it bounds the depth, and so the recursion, of every walk."""

NO_CHILD: Final = b""
"""What stands where a branch has no child."""

HASHED: Final = 0x80
"""First byte of a child reference that holds a hash: the compact length 32."""

_REFERENCE_BYTES: Final = 33
_NIBBLES_MAX: Final = 2 * KEY_BYTES_MAX
_INLINE_NODE_MAX: Final = 31


class Node(NamedTuple):
    """One node of the trie: a leaf if `children` is None, otherwise a branch.

    A tuple rather than a dataclass because a block makes thousands of them.
    """

    partial: str
    """Nibbles between the branch above and this node, one lower-case hexadecimal digit each."""
    inline: bytes | None
    """The value, if it lies in the node itself."""
    value_hash: bytes | None
    """Hash of the value, if it lies beside the node."""
    children: Sequence[bytes] | None
    """Sixteen references with their length before them; `NO_CHILD` where there is none."""


def _heads(prefix: int, length_bits: int) -> tuple[bytes, ...]:
    """Write the node header for every possible count of nibbles."""
    most = (1 << length_bits) - 1
    heads = [bytes((prefix | count,)) for count in range(most)]
    for count in range(most, _NIBBLES_MAX + 1):
        full, rest = divmod(count - most, 255)
        heads.append(bytes((prefix | most,)) + b"\xff" * full + bytes((rest,)))
    return tuple(heads)


LEAF_INLINE: Final = _heads(0b0100_0000, 6)
"""Headers of leaves whose value lies in them, by the count of nibbles of the partial key."""

LEAF_HASHED: Final = _heads(0b0010_0000, 5)
"""Headers of leaves that hold the hash of their value."""

_BRANCH_BARE: Final = _heads(0b1000_0000, 6)
_BRANCH_INLINE: Final = _heads(0b1100_0000, 6)
_BRANCH_HASHED: Final = _heads(0b0001_0000, 4)

BITS: Final = tuple((1 << index, index) for index in range(16))
"""Each child's bit of a branch's bitmap, with its index."""


def compact(number: int) -> bytes:
    """Encode a length below 2**30 as SCALE compact."""
    if number < 64:
        return bytes((number << 2,))
    if number < 16_384:
        return (number << 2 | 1).to_bytes(2, "little")
    return (number << 2 | 2).to_bytes(4, "little")


def encode_node(node: Node) -> bytes:
    """Write a node.  Its hash is blake2_256 of this; below 32 bytes it lies in its parent."""
    partial, inline, value_hash, children = node
    count = len(partial)
    path = bytes.fromhex("0" + partial if count & 1 else partial)
    if children is None:
        if value_hash is not None:
            return b"".join((LEAF_HASHED[count], path, value_hash))
        assert inline is not None
        return b"".join((LEAF_INLINE[count], path, compact(len(inline)), inline))
    bitmap = 0
    for bit, index in BITS:
        if children[index]:
            bitmap |= bit
    mask = bitmap.to_bytes(2, "little")
    if value_hash is not None:
        return b"".join((_BRANCH_HASHED[count], path, mask, value_hash, *children))
    if inline is None:
        return b"".join((_BRANCH_BARE[count], path, mask, *children))
    length = compact(len(inline))
    return b"".join((_BRANCH_INLINE[count], path, mask, length, inline, *children))


def decode_node(encoded: bytes) -> Node:
    """Read a node that `encode_node` wrote; anything else raises DecodeError."""
    kind, count, offset = _read_head(encoded)
    end = offset + (count + 1 >> 1)
    partial = encoded[offset:end].hex()
    if count & 1:
        if partial[:1] != "0":
            raise DecodeError("padding of an odd partial key is not zero")
        partial = partial[1:]
    if len(partial) != count:
        raise DecodeError("partial key of a trie node is cut off")
    if kind is LEAF_INLINE:
        inline, end = _read_inline(encoded, end)
        node = Node(partial, inline, None, None)
    elif kind is LEAF_HASHED:
        node = Node(partial, None, _read_hash(encoded, end), None)
        end += 32
    else:
        node, end = _read_branch(encoded, end, kind, partial)
    if end != len(encoded):
        raise DecodeError("bytes follow a trie node")
    return node


def _read_branch(
    encoded: bytes, offset: int, kind: tuple[bytes, ...], partial: str
) -> tuple[Node, int]:
    if offset + 2 > len(encoded):
        raise DecodeError("bitmap of a branch is cut off")
    bitmap = encoded[offset] | encoded[offset + 1] << 8
    if not bitmap:
        raise DecodeError("a branch has no children")
    offset += 2
    inline = value_hash = None
    if kind is _BRANCH_INLINE:
        inline, offset = _read_inline(encoded, offset)
    elif kind is _BRANCH_HASHED:
        value_hash = _read_hash(encoded, offset)
        offset += 32
    children = [NO_CHILD] * 16
    for bit, index in BITS:
        if bitmap & bit:
            end = offset + _reference_length(encoded, offset)
            children[index] = encoded[offset:end]
            offset = end
    return Node(partial, inline, value_hash, children), offset


def _reference_length(encoded: bytes, offset: int) -> int:
    """Return how many bytes the child reference at the offset takes, its length included."""
    if offset >= len(encoded):
        raise DecodeError("child of a branch is cut off")
    first = encoded[offset]
    length = _REFERENCE_BYTES if first == HASHED else (first >> 2) + 1
    if first & 3 or not 1 < length <= _REFERENCE_BYTES or offset + length > len(encoded):
        raise DecodeError("child of a branch is neither a hash nor a short node")
    return length


def _read_head(encoded: bytes) -> tuple[tuple[bytes, ...], int, int]:
    """Return the kind of node, its count of nibbles, and where its partial key begins."""
    if not encoded:
        raise DecodeError("a trie node is empty")
    first = encoded[0]
    if first & 0xC0:
        kind = (LEAF_INLINE, _BRANCH_BARE, _BRANCH_INLINE)[(first >> 6) - 1]
        most = 0x3F
    elif first & 0x20:
        kind, most = LEAF_HASHED, 0x1F
    elif first & 0x10:
        kind, most = _BRANCH_HASHED, 0x0F
    else:
        raise DecodeError("unknown kind of trie node")
    count = first & most
    if count < most:
        return kind, count, 1
    offset = 1
    while offset < len(encoded):
        more = encoded[offset]
        count += more
        offset += 1
        if count > _NIBBLES_MAX:
            raise DecodeError("partial key of a trie node is too long")
        if more != 255:
            return kind, count, offset
    raise DecodeError("partial key of a trie node is cut off")


def _read_hash(encoded: bytes, offset: int) -> bytes:
    value_hash = encoded[offset : offset + 32]
    if len(value_hash) != 32:
        raise DecodeError("hash of a value is cut off")
    return value_hash


def _read_inline(encoded: bytes, offset: int) -> tuple[bytes, int]:
    """Return the value at the offset and where it ends."""
    if offset >= len(encoded):
        raise DecodeError("value of a trie node is cut off")
    mode = encoded[offset] & 3
    width = (1, 2, 4, 0)[mode]
    length = int.from_bytes(encoded[offset : offset + width], "little") >> 2
    if not width or compact(length) != encoded[offset : offset + width]:
        raise DecodeError("length of a value in a trie node is not canonical")
    start = offset + width
    end = start + length
    if end > len(encoded):
        raise DecodeError("value of a trie node is cut off")
    return encoded[start:end], end


def inline_reference(encoded: bytes) -> bytes:
    """Return the reference that holds a short node itself, or `NO_CHILD` if it is too long."""
    length = len(encoded)
    return bytes((length << 2,)) + encoded if length <= _INLINE_NODE_MAX else NO_CHILD
