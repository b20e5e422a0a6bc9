"""The engine's and the synchroniser's ledger: slow work in threads, failures in their words."""

import logging
from collections.abc import Callable
from importlib.metadata import version
from platform import python_version
from time import perf_counter
from typing import Final, Generic, TypeVar

import trio

from chain.ledger import Author, BlockRefused, Ledger, OutOfOrder
from chain.ledger.refusals import Reason
from chain.node.metrics import Metrics
from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from consensus.core.messages import Certificate
from consensus.core.validators import ValidatorSet
from consensus.engine.ports import CannotNow, Head
from runtime.frame.ports import LocalFailure

Done = TypeVar("Done")
Settled = TypeVar("Settled")

AT_ONCE: Final = 3
"""Threads for blocks: one builds, one checks, one commits."""

_log = logging.getLogger("noema.blocks")


class LedgerPort(Generic[Settled]):
    """Builds, checks and commits blocks for the engine and for catching up."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        author: Author | None,
        candidates: Callable[[], tuple[bytes, ...]],
        now_ms: Callable[[], int],
        metrics: Metrics,
        settle: Callable[[Block], Settled],
        tell: Callable[[Block, Settled], None],
    ) -> None:
        """Without an author nothing is proposed.

        Once a block is on disk, `settle` runs in a thread and `tell` in the trio thread.
        """
        self._ledger = ledger
        self._author = author
        self._candidates = candidates
        self._now_ms = now_ms
        self._metrics = metrics
        self._settle = settle
        self._tell = tell
        self._threads = trio.CapacityLimiter(AT_ONCE)
        self._committing = trio.Lock()
        self._disputed: Hash32 | None = None

    def head(self) -> Head:
        """Give the last block that is final and on disk."""
        head = self._ledger.head
        return Head(head.height, head.hash)

    def is_body_of_header(self, block: Block) -> bool:
        """Tell quickly whether the transactions are those that the header commits to."""
        return self._ledger.is_body_of_header(block)

    async def validators(self, height: int) -> ValidatorSet:
        """Give the set that decides the head's successor."""
        head = self._ledger.head
        assert height == head.height + 1, f"asked for height {height} on top of {head.height}"
        return head.validators

    async def propose(self, height: int, round_number: int) -> Block:
        """Build a block on the head; raises CannotNow."""

        author = self._author
        assert author is not None, "a node without a key was asked to propose"

        def build() -> Block:
            return self._ledger.build(self._now_ms(), author, None, self._candidates())

        return await self._work("propose", build)

    async def check(self, block: Block) -> bool:
        """Execute a block on the head; raises CannotNow."""
        try:
            await self._work("check", lambda: self._ledger.check(block))
        except BlockRefused as error:
            if error.reason is Reason.TIMESTAMP:
                # A clock decides only when this node votes, never what is valid.
                raise CannotNow(f"{error}; check this machine's clock") from error
            _log.warning(
                "block refused",
                extra={
                    "height": block.header.number,
                    "block": block.hash().hex(),
                    "reason": str(error),
                },
            )
            self._metrics.faults.labels("block_refused").inc()
            return False
        return True

    async def commit(self, block: Block, certificate: Certificate) -> None:
        """Make a block the head, its certificate having been checked; raises CannotNow."""

        def commit() -> None:
            self._ledger.commit(block, certificate, certificate_checked=True)

        async with self._committing:
            if block.header.number <= self._ledger.head.height:
                return
            if block.hash() == self._disputed:
                raise CannotNow("this node finds the final block invalid")
            try:
                await self._work("commit", commit)
            except BlockRefused as error:
                self._dispute(block, error)
                raise CannotNow(f"this node finds the final block invalid: {error}") from error
            settled = await trio.to_thread.run_sync(self._settle, block, limiter=self._threads)
            self._tell(block, settled)

    async def certificate(self, height: int) -> Certificate | None:
        """Give the commit certificate of a final block."""
        block_hash = self._ledger.queries.hash_at(height)
        return None if block_hash is None else self._ledger.queries.certificate(block_hash)

    async def block(self, block_hash: Hash32) -> Block | None:
        """Give a final block."""
        return self._ledger.queries.block(block_hash)

    def stored(self, height: int) -> tuple[bytes, bytes] | None:
        """Give a final block above genesis and its certificate, encoded."""
        queries = self._ledger.queries
        block_hash = queries.hash_at(height)
        if block_hash is None:
            return None
        block, certificate = (
            queries.encoded_block(block_hash),
            queries.encoded_certificate(block_hash),
        )
        return None if block is None or certificate is None else (block, certificate)

    def _dispute(self, block: Block, error: BlockRefused) -> None:
        """Report that two thirds agreed on what this node computes otherwise; nothing is mended.

        The head stays where it is, for this node would only guess; what is below it is served.
        """
        self._disputed = block.hash()
        self._metrics.faults.labels("diverged").inc()
        fields = {
            "height": block.header.number,
            "block": block.hash().hex(),
            "reason": error.reason.value,
            "detail": error.detail,
            "transaction": error.place,
            "python": python_version(),
            **{name: version(name) for name in ("noema", "numpy", "onnxruntime")},
        }
        _log.error("this node disagrees with two thirds and stays at its head", extra=fields)

    async def _work(self, name: str, work: Callable[[], Done]) -> Done:
        started = perf_counter()
        try:
            return await trio.to_thread.run_sync(work, limiter=self._threads)
        except (LocalFailure, OutOfOrder) as error:
            raise CannotNow(str(error)) from error
        finally:
            self._metrics.work.labels(name).observe(perf_counter() - started)
