"""The state on disk: a trie whose nodes lie by hash, and a flat table of the newest state."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chain.primitives.trie import EMPTY_ROOT, change_trie, read_trie, walk_trie
from chain.primitives.trie_proof import make_proof
from chain.storage.columns import FLAT_STATE, SINGLES, TRIE_NODES
from chain.storage.database import Database, Write
from chain.storage.node_cache import NodeCache

NODE_CACHE_BYTES: Final = 64 * 1024 * 1024
"""Holds the upper levels of a trie of a million accounts and what recent blocks touched."""

_ROOT_KEY: Final = SINGLES + b"state root"


class StateMissing(Exception):
    """The state of this root is not on this node.  Ask for a newer block."""


@dataclass(frozen=True, slots=True)
class TriePatch:
    """What a block does to the state, not yet on disk.  Several may exist for one parent."""

    parent: bytes
    """Root before."""
    root: bytes
    """Root after."""
    nodes: Mapping[bytes, bytes]
    """New trie nodes and hashed values, by hash."""
    changes: Mapping[bytes, bytes | None]
    """New values by storage key; None where the key is gone."""


class StateTrie:
    """Reads states by their root, prepares changes to them, and moves the newest one.

    Reads and `prepare` may run in any thread at any time; `commit` in one at a time.
    """

    def __init__(self, database: Database, cache_bytes: int = NODE_CACHE_BYTES) -> None:
        self._database = database
        self._cache = NodeCache(cache_bytes)
        self.root = database.get(_ROOT_KEY) or EMPTY_ROOT
        # Root that the flat table shows; None while it may be moving.
        self._flat_root: bytes | None = self.root

    def read(self, root: bytes, key: bytes) -> bytes | None:
        """Return the value of a storage key in the state of a root; raises StateMissing."""
        if root == self._flat_root:
            value = self._database.get(FLAT_STATE + key)
            if root == self._flat_root:
                return value
        return read_trie(root, key, self._load)

    def reader(self, root: bytes) -> Callable[[bytes], bytes | None]:
        """Return `read` for one root.  It stays right when newer states are committed."""

        def read_key(key: bytes) -> bytes | None:
            return self.read(root, key)

        return read_key

    def keys(
        self, root: bytes, prefix: bytes, after: bytes | None = None, count: int = 1000
    ) -> list[bytes]:
        """Return at most `count` keys under a prefix above `after`; raises StateMissing."""
        return [key for key, _ in islice(self.walk(root, prefix, after), count)]

    def walk(
        self, root: bytes, prefix: bytes = b"", after: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys under a prefix above `after` with their values; raises StateMissing."""
        seen = after
        if root == self._flat_root:
            floor = None if after is None else FLAT_STATE + after
            for key, value in self._database.iterate(FLAT_STATE + prefix, floor):
                if root != self._flat_root:
                    break
                seen = key[1:]
                yield seen, value
            else:
                if root == self._flat_root:
                    return
        yield from walk_trie(root, self._load, prefix, seen)

    def proof(self, root: bytes, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the trie nodes that show what a state holds under keys; raises StateMissing."""
        return make_proof(root, keys, self._load)

    def prepare(self, root: bytes, changes: Mapping[bytes, bytes | None]) -> TriePatch:
        """Work out the state that changes lead to, in one pass and without writing anything."""
        change = change_trie(root, changes, self._load)
        return TriePatch(root, change.root, change.encoded, changes)

    def commit(self, patch: TriePatch, others: Iterable[Write] = ()) -> None:
        """Make a patch the newest state in one synced batch together with other writes.

        If the disk fails nothing has moved, as far as anyone can read.
        """
        assert patch.parent == self.root, "a patch is committed on the state it was made for"
        writes: list[Write] = [(TRIE_NODES + key, node) for key, node in patch.nodes.items()]
        writes += [(FLAT_STATE + key, value) for key, value in patch.changes.items()]
        writes += others
        writes.append((_ROOT_KEY, patch.root))
        self._flat_root = None
        self._database.write(writes, sync=True)
        self._cache.put_all(patch.nodes)
        self.root = self._flat_root = patch.root

    def _load(self, node_hash: bytes) -> bytes:
        node = self._cache.get(node_hash)
        if node is None:
            node = self._database.get(TRIE_NODES + node_hash)
            if node is None:
                raise StateMissing(f"trie node 0x{node_hash.hex()} is not kept")
            self._cache.put(node_hash, node)
        return node
