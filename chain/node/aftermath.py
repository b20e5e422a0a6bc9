"""What follows once a block is on disk: the pool lets go, readers are told, metrics count."""

import logging
from collections.abc import Sequence

from chain.ledger import Ledger
from chain.node.availability import Availability
from chain.node.metrics import Metrics
from chain.pool import Pool
from chain.primitives.block import Block
from chain.rpc.feed import Head, HeadFeed
from runtime.frame import Event

REVALIDATED_MAX = 64
"""Waiting transactions that are judged again after each block."""

_log = logging.getLogger("noema.blocks")


class Aftermath:
    """Two halves: `settle` in the thread that committed, `tell` in the trio thread."""

    def __init__(
        self,
        ledger: Ledger,
        pool: Pool,
        availability: Availability,
        feed: HeadFeed,
        metrics: Metrics,
    ) -> None:
        self._ledger = ledger
        self._pool = pool
        self._availability = availability
        self._feed = feed
        self._metrics = metrics

    def settle(self, block: Block) -> Sequence[Event]:
        """Let the pool go of what was included, and give what happened in the block."""
        number, block_hash = block.header.number, block.hash()
        self._pool.prune(block.extrinsics, number)
        self._pool.revalidate(REVALIDATED_MAX)
        return [record.event for record in self._ledger.queries.state(block_hash).events()]

    def tell(self, block: Block, events: Sequence[Event]) -> None:
        """Tell everybody who waits for a new head."""
        number, block_hash = block.header.number, block.hash()
        self._metrics.height.set(number)
        self._metrics.blocks.inc()
        self._metrics.extrinsics.inc(len(block.extrinsics))
        self._availability.note_block(events)
        self._feed.publish(Head(number, block_hash))
        _log.info(
            "block final",
            extra={
                "height": number,
                "block": block_hash.hex(),
                "transactions": len(block.extrinsics),
                "inferences": len(block.results),
            },
        )
