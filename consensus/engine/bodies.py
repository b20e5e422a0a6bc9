"""Blocks of the height that is being decided: those at hand, and whom to ask for the others."""

from collections.abc import Sequence
from typing import Final

from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from consensus.engine.ports import Peer

BODIES_MAX: Final = 16
"""Blocks kept in one height, 1 MiB each; beyond them the oldest that nobody needs goes."""


class Bodies:
    """Blocks by hash, and questions for blocks."""

    def __init__(self) -> None:
        self._blocks: dict[Hash32, Block] = {}
        self._asked: dict[Hash32, list[Peer]] = {}
        self._sources: dict[Hash32, Peer] = {}

    def get(self, block_hash: Hash32) -> Block | None:
        """Give a block if it is at hand."""
        return self._blocks.get(block_hash)

    def keep(self, block: Block, needed: Sequence[Hash32]) -> None:
        """Keep a block; what is needed is never given up for it."""
        block_hash = block.hash()
        self._asked.pop(block_hash, None)
        self._blocks[block_hash] = block
        for old in list(self._blocks):
            if len(self._blocks) <= BODIES_MAX:
                break
            if old not in needed and old != block_hash:
                del self._blocks[old]

    def note_source(self, block_hash: Hash32, peer: Peer) -> None:
        """Note who named a block first: the first to be asked for it."""
        if len(self._sources) < 4 * BODIES_MAX:
            self._sources.setdefault(block_hash, peer)

    def is_asked_for(self, block_hash: Hash32) -> bool:
        """Tell whether the block is on its way."""
        return block_hash in self._asked

    def forget_question(self, block_hash: Hash32) -> None:
        """Stop asking for a block."""
        self._asked.pop(block_hash, None)

    def next_to_ask(self, block_hash: Hash32, peers: Sequence[Peer]) -> Peer | None:
        """Choose whom to ask now: who named the block, then the others in turn, then again."""
        asked = self._asked.setdefault(block_hash, [])
        source = self._sources.get(block_hash)
        candidates = [*([source] if source in peers and source is not None else []), *peers]
        fresh = [peer for peer in candidates if peer not in asked]
        if not fresh:
            asked.clear()
            fresh = candidates
        if not fresh:
            return None
        asked.append(fresh[0])
        return fresh[0]
