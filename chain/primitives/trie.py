"""The state trie as arithmetic: change a trie, read it, walk it, and the roots of whole mappings.

Nothing here knows where nodes are kept: a trie is a root hash and a callable that finds encoded
nodes and large values by their hash.  Nodes stay encoded; a change to a child is spliced in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chain.primitives.hashing import blake2_256
from chain.primitives.trie_codec import (
    BITS,
    HASHED,
    KEY_BYTES_MAX,
    LEAF_HASHED,
    LEAF_INLINE,
    NO_CHILD,
    Node,
    compact,
    decode_node,
    encode_node,
    inline_reference,
)

EMPTY_ROOT: Final = blake2_256(b"\x00")
"""Root of the trie without keys."""

Load = Callable[[bytes], bytes]
"""Finds an encoded node or a hashed value by its hash; raises what its author likes if missing."""

_GONE: Final = b""
_NIBBLES: Final = {digit: index for index, digit in enumerate("0123456789abcdef")}
_DIGITS: Final = "0123456789abcdef"


class StateVersion(IntEnum):
    """Which values lie in their nodes and which only by their hash."""

    V0 = 0
    """Every value lies in its node.  Roots of extrinsics use this."""
    V1 = 1
    """Values of 33 bytes or more are hashed.  The state uses this."""


_INLINE_BYTES_MAX: Final = {StateVersion.V0: 1 << 30, StateVersion.V1: 32}


class KeyTooLong(ValueError):
    """A trie key is longer than 256 bytes.  Hash the variable part of the key."""


@dataclass(frozen=True, slots=True)
class TrieChange:
    """What a set of changes does to a trie."""

    root: bytes
    """Root hash after the changes."""
    encoded: Mapping[bytes, bytes]
    """New nodes and new hashed values by their hash: what has to be kept."""


def no_nodes(node_hash: bytes) -> bytes:
    """Load from a trie that has no nodes: for building one from nothing."""
    raise KeyError(node_hash)


def change_trie(
    root: bytes,
    changes: Mapping[bytes, bytes | None],
    load: Load,
    version: StateVersion = StateVersion.V1,
) -> TrieChange:
    """Set and delete (None) keys of a trie in one pass; every touched node is made once."""
    ordered = sorted(changes.items())
    if any(len(key) > KEY_BYTES_MAX for key, _ in ordered):
        raise KeyTooLong
    if not ordered:
        return TrieChange(root, {})
    writer = _Writer(ordered, load, _INLINE_BYTES_MAX[version])
    old = _GONE if root == EMPTY_ROOT else load(root)
    new = writer.merge(old, 0, 0, len(ordered))
    if not new:
        return TrieChange(EMPTY_ROOT, {})
    return TrieChange(writer.keep(new), writer.encoded)


class _Writer:
    """One pass of sorted changes over a trie; depths and lengths are counted in nibbles.

    Methods take and return encoded nodes; `_GONE` stands for no node.
    """

    __slots__ = ("_inline_bytes_max", "_keys", "_load", "_values", "encoded")

    def __init__(
        self, ordered: Sequence[tuple[bytes, bytes | None]], load: Load, inline_bytes_max: int
    ) -> None:
        self._keys = [key.hex() for key, _ in ordered]
        self._values = [value for _, value in ordered]
        self._load = load
        self._inline_bytes_max = inline_bytes_max
        self.encoded: dict[bytes, bytes] = {}

    def merge(self, encoded: bytes, depth: int, low: int, high: int) -> bytes:
        """Bring the changes low..high, whose keys are alike up to depth, under a node."""
        if not encoded:
            return self._grow(depth, low, high)
        first = encoded[0]
        if 0x80 <= first < 0xBF:
            return self._merge_branch(encoded, depth, low, high)
        if first < 0x80 and high - low == 1 and first & 0x60:
            partial = self._keys[low][depth:]
            count = len(partial)
            path = bytes.fromhex("0" + partial if count & 1 else partial)
            head = (LEAF_INLINE if first & 0x40 else LEAF_HASHED)[count]
            if encoded.startswith(head + path):
                return self._leaf(count, path, low)
        return self._merge_any(decode_node(encoded), depth, low, high)

    def keep(self, encoded: bytes) -> bytes:
        """Keep an encoded node or a value under its hash, and return the hash."""
        node_hash = blake2_256(encoded)
        self.encoded[node_hash] = encoded
        return node_hash

    def _merge_branch(self, encoded: bytes, depth: int, low: int, high: int) -> bytes:
        """Splice new child hashes into a branch without a value, as long as its form stays."""
        keys = self._keys
        count = encoded[0] & 0x3F
        start = 3
        if count:
            start += (count + 1) >> 1
            partial = encoded[1 : start - 2].hex()[-count:]
            if not (
                keys[low].startswith(partial, depth) and keys[high - 1].startswith(partial, depth)
            ):
                return self._merge_any(decode_node(encoded), depth, low, high)
            depth += count
        bitmap = encoded[start - 2] | encoded[start - 1] << 8
        if len(encoded) != start + 33 * bitmap.bit_count() or len(keys[low]) == depth:
            return self._merge_at(decode_node(encoded), depth, low, high, {})
        spliced = bytearray(encoded)
        while low < high:
            digit = keys[low][depth]
            end = low + 1
            while end < high and keys[end][depth] == digit:
                end += 1
            bit = 1 << _NIBBLES[digit]
            if not bitmap & bit:
                return self._merge_at(decode_node(bytes(spliced)), depth, low, high, {})
            at = start + 1 + 33 * (bitmap & (bit - 1)).bit_count()
            below = self.merge(self._load(encoded[at : at + 32]), depth + 1, low, end)
            low = end
            if len(below) < 32:
                fresh = {_NIBBLES[digit]: below}
                return self._merge_at(decode_node(bytes(spliced)), depth, low, high, fresh)
            spliced[at : at + 32] = self.keep(below)
        return bytes(spliced)

    def _merge_any(self, node: Node, depth: int, low: int, high: int) -> bytes:
        """Bring changes under a node of any form, splitting it where keys leave its path."""
        partial = node.partial
        first, last = self._keys[low], self._keys[high - 1]
        if first.startswith(partial, depth) and last.startswith(partial, depth):
            return self._merge_at(node, depth + len(partial), low, high, {})
        shared = min(_shared(partial, first, depth), _shared(partial, last, depth))
        below = encode_node(node._replace(partial=partial[shared + 1 :]))
        top = Node(partial[:shared], None, None, None)
        return self._merge_at(top, depth + shared, low, high, {_NIBBLES[partial[shared]]: below})

    def _grow(self, depth: int, low: int, high: int) -> bytes:
        """Make a new node of changes where there was none."""
        partial = self._keys[low][depth:]
        if high - low == 1:
            count = len(partial)
            return self._leaf(count, bytes.fromhex("0" + partial if count & 1 else partial), low)
        shared = _shared(partial, self._keys[high - 1], depth)
        top = Node(partial[:shared], None, None, None)
        return self._merge_at(top, depth + shared, low, high, {})

    def _merge_at(
        self, node: Node, depth: int, low: int, high: int, fresh: dict[int, bytes]
    ) -> bytes:
        """Bring changes whose keys all reach the node into its value and its children.

        `fresh` holds children that are made already; they are referred to at the end.
        """
        keys = self._keys
        partial, inline, value_hash, children = node
        references = [NO_CHILD] * 16 if children is None else [*children]
        if low < high and len(keys[low]) == depth:
            inline, value_hash = self._value(low)
            low += 1
        while low < high:
            digit = keys[low][depth]
            end = low + 1
            while end < high and keys[end][depth] == digit:
                end += 1
            index = _NIBBLES[digit]
            old = fresh[index] if index in fresh else self._open(references[index])
            fresh[index] = self.merge(old, depth + 1, low, end)
            low = end
        return self._settle(Node(partial, inline, value_hash, references), fresh)

    def _settle(self, node: Node, fresh: Mapping[int, bytes]) -> bytes:
        """Give a changed branch its one lawful form: branch, leaf, its only child, or nothing."""
        partial, inline, value_hash, children = node
        assert children is not None
        references = [fresh.get(index, child) for index, child in enumerate(children)]
        left = 16 - references.count(NO_CHILD)
        bare = inline is None and value_hash is None
        if not left:
            return _GONE if bare else encode_node(Node(partial, inline, value_hash, None))
        if left == 1 and bare:
            index = next(index for index, child in enumerate(references) if child)
            only = decode_node(fresh[index] if index in fresh else self._open(references[index]))
            return encode_node(only._replace(partial=partial + _DIGITS[index] + only.partial))
        for index, child in fresh.items():
            if child:
                references[index] = inline_reference(child) or b"\x80" + self.keep(child)
        return encode_node(Node(partial, inline, value_hash, references))

    def _open(self, reference: bytes) -> bytes:
        """Return the encoded node behind a child reference."""
        if reference[:1] != b"\x80":
            return reference[1:]
        node_hash = reference[1:]
        return self.encoded[node_hash] if node_hash in self.encoded else self._load(node_hash)

    def _leaf(self, count: int, path: bytes, position: int) -> bytes:
        """Make the leaf of a change from its partial key, of `count` nibbles and as bytes."""
        value = self._values[position]
        if value is None:
            return _GONE
        if len(value) > self._inline_bytes_max:
            return LEAF_HASHED[count] + path + self.keep(value)
        return LEAF_INLINE[count] + path + compact(len(value)) + value

    def _value(self, position: int) -> tuple[bytes | None, bytes | None]:
        """Return the value of a change as (inline, hash)."""
        value = self._values[position]
        if value is None or len(value) <= self._inline_bytes_max:
            return value, None
        return None, self.keep(value)


def _shared(partial: str, key: str, depth: int) -> int:
    """Count the nibbles at the start of a partial key that the key has from depth on."""
    count = 0
    for mine, other in zip(partial, key[depth : depth + len(partial)], strict=False):
        if mine != other:
            break
        count += 1
    return count


def read_trie(root: bytes, key: bytes, load: Load) -> bytes | None:
    """Return the value of a key, or None if the trie does not hold it."""
    if root == EMPTY_ROOT:
        return None
    nibbles = key.hex()
    node = decode_node(load(root))
    depth = 0
    while nibbles.startswith(node.partial, depth):
        depth += len(node.partial)
        if depth == len(nibbles):
            return _value_at(node, load)
        child = NO_CHILD if node.children is None else node.children[_NIBBLES[nibbles[depth]]]
        if not child:
            return None
        node = _child_at(child, load)
        depth += 1
    return None


def walk_trie(
    root: bytes, load: Load, prefix: bytes = b"", after: bytes | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values under a prefix in ascending order, from the first key above `after`."""
    if root == EMPTY_ROOT:
        return
    wanted = prefix.hex()
    floor = None if after is None else after.hex()
    pending = [("", decode_node(load(root)))]
    while pending:
        above, node = pending.pop()
        path = above + node.partial
        if not _leads(path, wanted, floor):
            continue
        if path.startswith(wanted) and (floor is None or path > floor):
            value = _value_at(node, load)
            if value is not None:
                yield bytes.fromhex(path), value
        for _, index in reversed(BITS) if node.children is not None else ():
            child = node.children[index] if node.children is not None else NO_CHILD
            if child and _leads(path + _DIGITS[index], wanted, floor):
                pending.append((path + _DIGITS[index], _child_at(child, load)))


def _leads(path: str, wanted: str, floor: str | None) -> bool:
    """Say whether keys at or below a path can lie under the wanted prefix and above the floor."""
    if not (path.startswith(wanted) or wanted.startswith(path)):
        return False
    return floor is None or path > floor or floor.startswith(path)


def _value_at(node: Node, load: Load) -> bytes | None:
    return node.inline if node.value_hash is None else load(node.value_hash)


def _child_at(child: bytes, load: Load) -> Node:
    return decode_node(load(child[1:]) if child[0] == HASHED else child[1:])


def trie_root(entries: Mapping[bytes, bytes], version: StateVersion = StateVersion.V1) -> bytes:
    """Return the root of a whole mapping."""
    return change_trie(EMPTY_ROOT, entries, no_nodes, version).root


def ordered_root(values: Sequence[bytes], version: StateVersion = StateVersion.V0) -> bytes:
    """Return the root of a list: the keys are the compact-encoded positions."""
    return trie_root({compact(index): value for index, value in enumerate(values)}, version)
