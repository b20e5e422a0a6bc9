"""The state after one block, for the RPC server."""

from collections.abc import Sequence

from chain.ledger import BlockUnknown, ChainQueries
from chain.primitives.hashing import Hash32
from chain.rpc.ports import StateUnavailable
from chain.storage.state_trie import StateMissing

_GONE = (BlockUnknown, StateMissing)


class LedgerState:
    """Reads one state; stays right while newer blocks are committed."""

    def __init__(self, queries: ChainQueries, block_hash: Hash32) -> None:
        self._queries = queries
        self._block_hash = block_hash

    def get(self, key: bytes) -> bytes | None:
        """Give the value of a raw key; raises StateUnavailable."""
        try:
            return self._queries.storage(self._block_hash, key)
        except _GONE as error:
            raise StateUnavailable(str(error)) from error

    def keys(self, prefix: bytes, after: bytes | None, count: int) -> Sequence[bytes]:
        """Give at most `count` raw keys with a prefix above `after`; raises StateUnavailable."""
        try:
            return self._queries.keys(self._block_hash, prefix, after, count)
        except _GONE as error:
            raise StateUnavailable(str(error)) from error

    def proof(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give the trie nodes that prove what the keys hold; raises StateUnavailable."""
        try:
            return self._queries.proof(self._block_hash, keys)
        except _GONE as error:
            raise StateUnavailable(str(error)) from error
