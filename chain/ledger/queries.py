"""Questions about final blocks and the states behind them.  Never waits for the writer."""

from collections.abc import Callable, Iterable, Sequence

from chain.primitives.block import Block, Header
from chain.primitives.keys import Address
from chain.storage.block_store import BlockStore
from chain.storage.state_trie import StateTrie
from consensus.core.messages import CERTIFICATE, Certificate
from consensus.core.validators import ValidatorSet
from runtime.assembly import RuntimeConfig
from runtime.queries import Queries


class BlockUnknown(Exception):
    """No final block has this hash here.  Ask for one at or below the head."""


class ChainQueries:
    """Reads blocks by hash or height, and the state after any of them."""

    def __init__(self, blocks: BlockStore, trie: StateTrie, config: RuntimeConfig) -> None:
        self._blocks = blocks
        self._trie = trie
        self._config = config

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of the block at a height, None above the head."""
        return self._blocks.hash_at(height)

    def header(self, block_hash: bytes) -> Header | None:
        """Return a header, None if the block is unknown."""
        return self._blocks.header(block_hash)

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block with its body, None if it is unknown."""
        return self._blocks.block(block_hash)

    def encoded_block(self, block_hash: bytes) -> bytes | None:
        """Return a block's bytes as they travel, None if it is unknown."""
        return self._blocks.encoded_block(block_hash)

    def encoded_certificate(self, block_hash: bytes) -> bytes | None:
        """Return the certificate that made a block final, None if unknown or genesis."""
        return self._blocks.certificate(block_hash)

    def certificate(self, block_hash: bytes) -> Certificate | None:
        """Return the certificate that made a block final, decoded."""
        encoded = self._blocks.certificate(block_hash)
        return None if encoded is None else CERTIFICATE.decode(encoded)

    def place_of(self, extrinsic_hash: bytes) -> tuple[bytes, int] | None:
        """Return block hash and index of an included transaction, None if none is known."""
        place = self._blocks.place_of(extrinsic_hash)
        block_hash = None if place is None else self._blocks.hash_at(place[0])
        return None if place is None or block_hash is None else (block_hash, place[1])

    def reader(self, block_hash: bytes) -> Callable[[bytes], bytes | None]:
        """Return what reads the state after a block by key; raises BlockUnknown.

        What it is asked later raises StateMissing where the state is not kept.
        """
        return self._trie.reader(self._root(block_hash))

    def iterator(self, block_hash: bytes) -> Callable[[bytes], Iterable[tuple[bytes, bytes]]]:
        """Return what lists the state after a block under a prefix; raises BlockUnknown."""
        root = self._root(block_hash)

        def iterate(prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
            return self._trie.walk(root, prefix)

        return iterate

    def storage(self, block_hash: bytes, key: bytes) -> bytes | None:
        """Return a value in the state after a block; raises BlockUnknown or StateMissing."""
        return self._trie.read(self._root(block_hash), key)

    def keys(
        self, block_hash: bytes, prefix: bytes, after: bytes | None, count: int
    ) -> Sequence[bytes]:
        """Return at most `count` keys under a prefix above `after`; raises as `storage`."""
        return self._trie.keys(self._root(block_hash), prefix, after, count)

    def proof(self, block_hash: bytes, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return trie nodes and values that prove what keys hold; raises as `storage`."""
        return self._trie.proof(self._root(block_hash), keys)

    def state(self, block_hash: bytes) -> Queries:
        """Return typed reads of the state after a block: accounts, events; raises as `storage`."""
        return Queries(self.reader(block_hash), self.iterator(block_hash), self._config)

    def nonce(self, block_hash: bytes, address: Address) -> int:
        """Return how many transactions an account has sent; raises as `storage`."""
        return self.state(block_hash).account(address).nonce

    def validators_after(self, block_hash: bytes) -> ValidatorSet:
        """Return the set that decides a block's successor; raises as `storage`."""
        return self.state(block_hash).validators()

    def _root(self, block_hash: bytes) -> bytes:
        header = self._blocks.header(block_hash)
        if header is None:
            raise BlockUnknown(f"0x{block_hash.hex()}")
        return header.state_root
