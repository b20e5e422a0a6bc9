"""The way of a transaction into the pool: judged in a thread, told to peers, run ahead of time."""

from collections.abc import Sequence
from typing import Final

import trio

from chain.gossip.transactions import Verdict
from chain.pool import Pool
from chain.pool.refusals import BAD_FORMAT, PoolRefused
from chain.primitives.hashing import Hash32
from runtime.validation import BadProof

JUDGED_AT_ONCE: Final = 2
"""Threads that judge transactions; more would only compete with blocks for the interpreter."""


class Submission:
    """Hands transactions to the pool off the event loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._threads = trio.CapacityLimiter(JUDGED_AT_ONCE)

    async def submit(self, encoded: bytes) -> Hash32:
        """Offer one transaction; raises PoolRefused."""
        return await trio.to_thread.run_sync(self._pool.submit, encoded, limiter=self._threads)

    async def submit_many(self, offered: Sequence[bytes]) -> Sequence[Verdict]:
        """Offer transactions of a peer and say what became of each."""
        return await trio.to_thread.run_sync(self._judge, offered, limiter=self._threads)

    def _judge(self, offered: Sequence[bytes]) -> Sequence[Verdict]:
        return [self._judge_one(encoded) for encoded in offered]

    def _judge_one(self, encoded: bytes) -> Verdict:
        try:
            self._pool.submit(encoded)
        except PoolRefused as error:
            never = error.code == BAD_FORMAT or isinstance(error.__cause__, BadProof)
            return Verdict.NEVER_VALID if never else Verdict.NOT_TAKEN
        return Verdict.TAKEN
