"""Where a chain stands on disk, and how it begins there."""

from collections.abc import Mapping
from dataclasses import dataclass

from chain.primitives.block import Block, Header
from chain.primitives.trie import EMPTY_ROOT
from chain.storage.block_store import BlockStore
from chain.storage.database import DatabaseCorrupted
from chain.storage.state_trie import StateTrie
from consensus.core.validators import ValidatorSet


class WrongGenesis(Exception):
    """The data folder belongs to another chain.  Choose another folder or the right genesis."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last final block."""

    header: Header
    hash: bytes
    validators: ValidatorSet
    """Who decides the block after it."""

    @property
    def height(self) -> int:
        """Its height; genesis has 0."""
        return self.header.number


def open_head(
    blocks: BlockStore, trie: StateTrie, genesis: Header, genesis_state: Mapping[bytes, bytes]
) -> Header:
    """Return the header of a database's head, writing genesis into an empty one.

    Raises WrongGenesis, or DatabaseCorrupted where blocks and state do not belong together.
    """
    genesis_hash = genesis.hash()
    found = blocks.hash_at(0)
    if found is None:
        patch = trie.prepare(EMPTY_ROOT, genesis_state)
        assert patch.root == genesis.state_root, "genesis header and state belong together"
        trie.commit(patch, blocks.writes_for(Block(genesis, (), ()), None))
        return genesis
    if found != genesis_hash:
        raise WrongGenesis(
            f"the folder holds chain 0x{found.hex()}, the genesis is 0x{genesis_hash.hex()}"
        )
    head_hash = blocks.head_hash()
    header = None if head_hash is None else blocks.header(head_hash)
    if header is None or header.state_root != trie.root:
        raise DatabaseCorrupted("the newest block and the newest state do not belong together")
    return header
