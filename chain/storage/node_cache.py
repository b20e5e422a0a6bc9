"""A bounded cache of trie nodes in two generations: what is used again survives."""

from collections.abc import Mapping


class NodeCache:
    """Encoded nodes by hash.  Nodes never change, so nothing here can be out of date.

    When the young generation is full it becomes the old one, and the old one is forgotten.  Reads
    cost one lookup and no bookkeeping, unlike a list ordered by use.  Threads may race: the worst
    they do to each other is to forget a node.
    """

    def __init__(self, bytes_max: int) -> None:
        self._generation_bytes_max = bytes_max // 2
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._young_bytes = 0

    def get(self, node_hash: bytes) -> bytes | None:
        """Return a node, if it is here."""
        node = self._young.get(node_hash)
        if node is None:
            node = self._old.get(node_hash)
            if node is not None:
                self.put(node_hash, node)
        return node

    def put(self, node_hash: bytes, node: bytes) -> None:
        """Keep a node for a while."""
        self._young[node_hash] = node
        self._young_bytes += len(node) + len(node_hash)
        if self._young_bytes > self._generation_bytes_max:
            self._turn()

    def put_all(self, nodes: Mapping[bytes, bytes]) -> None:
        """Keep many nodes for a while."""
        self._young.update(nodes)
        self._young_bytes += sum(map(len, nodes.values())) + 32 * len(nodes)
        if self._young_bytes > self._generation_bytes_max:
            self._turn()

    def _turn(self) -> None:
        self._old, self._young, self._young_bytes = self._young, {}, 0
