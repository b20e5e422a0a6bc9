"""Serves final blocks, and fetches those this node lacks: certificate first, execution after."""

import logging
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Final

import trio

from chain.network import HELLO, PeerId, RequestFailed, RequestRefused
from chain.network.budget import Budget
from chain.primitives.block import BLOCK, Block
from chain.primitives.codec import DecodeError
from chain.primitives.hashing import ZERO_HASH, Hash32
from chain.sync.messages import (
    ANSWER_BYTES_MAX,
    BLOCKS_ANSWER,
    HEAD_ANSWER,
    PROTOCOL,
    QUESTION,
    RANGE_MAX,
    BlocksAnswer,
    BlocksRequest,
    HeadAnswer,
    HeadRequest,
    StoredBlock,
)
from chain.sync.planner import Ask, Delivered, SyncPlan
from chain.sync.ports import SyncLedger, SyncNetwork
from consensus.core.certificate import InvalidCertificate, check_certificate
from consensus.core.messages import CERTIFICATE, Certificate
from consensus.engine.ports import CannotNow

RANGE_TIMEOUT_S: Final = 15.0
HEAD_TIMEOUT_S: Final = 5.0

HEADS_EVERY_S: Final = 2.0
HEADS_AT_ONCE: Final = 8
"""Peers whose head is asked for in one turn."""

LOOK_AGAIN_S: Final = 0.5
"""How often the plan is looked at when nothing happens."""

CANNOT_NOW_S: Final = 1.0
"""Before a block is tried again that the ledger could not take."""

SERVED_PER_S: Final = 16
SERVED_BURST: Final = 64
"""Answers of up to 2 MiB that one peer gets."""

POINTS_MALFORMED: Final = 100
POINTS_FALSE_BLOCK: Final = 100
POINTS_EMPTY_CLAIM: Final = 20
"""For a head that the peer then did not prove."""

_NO_CLAIM: Final = HeadAnswer(0, ZERO_HASH)

CertifiedBlock = tuple[Block, Certificate]
ImportBlock = Callable[[Block, Certificate], Awaitable[None]]

_log = logging.getLogger("noema.sync")


class ChainsDiverged(Exception):
    """Two thirds of the validators signed a block that does not follow this node's head.

    Keep the data folder for examination, and start again from an empty one.
    """


class _FalseBlock(Exception):
    """What a peer delivered does not check out.  Ask another one."""


class BlockSync:
    """Both directions of final blocks between this node's ledger and its peers."""

    def __init__(
        self,
        network: SyncNetwork,
        ledger: SyncLedger,
        genesis: Hash32,
        import_block: ImportBlock,
        on_imported: Callable[[int, Hash32], None],
    ) -> None:
        """`import_block` executes and commits, leaves alone what is final, raises CannotNow.

        `on_imported` tells the engine; it must return at once.
        """
        self._network = network
        self._ledger = ledger
        self._genesis = genesis
        self._import_block = import_block
        self._on_imported = on_imported
        self._budget = Budget(SERVED_PER_S, SERVED_BURST)
        self._plan: SyncPlan[CertifiedBlock] | None = None
        self._claims: dict[PeerId, HeadAnswer] = {}
        self._wake = trio.Event()
        network.serve(PROTOCOL, self._serve)
        network.on_connected(self._meet)
        network.on_disconnected(self._part)

    @property
    def target(self) -> int:
        """Give the height that peers have reached, as far as is known; 0 at first."""
        return 0 if self._plan is None else self._plan.target

    def head_of(self, peer: PeerId) -> HeadAnswer:
        """Give what a peer last said of its head; genesis if it has not said anything."""
        return self._claims.get(peer, _NO_CLAIM)

    async def run(self) -> None:
        """Keep up with peers until cancelled.

        Raises ChainsDiverged and what `import_block` raises: the node must then stop.
        """
        plan = SyncPlan[CertifiedBlock](self._ledger.head().height, trio.current_time())
        for peer, head in self._claims.items():
            plan.note_head(peer, head.height)
        self._plan = plan
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_heads)
            while True:
                plan.head_moved(self._ledger.head().height, trio.current_time())
                for ask in plan.asks(trio.current_time()):
                    nursery.start_soon(self._fetch, plan, ask)
                delivered = plan.next_delivered()
                if delivered is not None:
                    await self._take(plan, delivered)
                    continue
                with trio.move_on_after(LOOK_AGAIN_S):
                    await self._wake.wait()
                self._wake = trio.Event()

    # Fetching.

    async def _fetch(self, plan: SyncPlan[CertifiedBlock], ask: Ask) -> None:
        question = QUESTION.encode(BlocksRequest(ask.start, ask.count))
        try:
            payload = await self._network.request(ask.peer, PROTOCOL, question, RANGE_TIMEOUT_S)
            blocks = _read_blocks(ask, payload)
        except RequestFailed as error:
            _log.debug("%s: %s", ask, error)
            plan.failed(ask, trio.current_time())
        except _FalseBlock as error:
            self._network.penalise(ask.peer, POINTS_MALFORMED, str(error))
            plan.failed(ask, trio.current_time())
            plan.reject(ask.peer, trio.current_time())
        else:
            if blocks:
                plan.received(ask, blocks)
            else:
                reason = f"claims block {ask.start} and has not got it"
                self._network.penalise(ask.peer, POINTS_EMPTY_CLAIM, reason)
                plan.failed(ask, trio.current_time())
        self._wake.set()

    async def _take(
        self, plan: SyncPlan[CertifiedBlock], delivered: Delivered[CertifiedBlock]
    ) -> None:
        """Check the block above the head and import it."""
        block, certificate = delivered.item
        height = block.header.number
        try:
            await self._check(block, certificate)
            await self._import_block(block, certificate)
        except _FalseBlock as error:
            self._network.penalise(delivered.peer, POINTS_FALSE_BLOCK, str(error))
            plan.reject(delivered.peer, trio.current_time())
        except CannotNow as error:
            _log.info("block waits", extra={"height": height, "reason": str(error)})
            await trio.sleep(CANNOT_NOW_S)
        else:
            plan.head_moved(self._ledger.head().height, trio.current_time())
            assert plan.head >= height, f"block {height} was imported and is not final"
            self._on_imported(height, block.hash())

    async def _check(self, block: Block, certificate: Certificate) -> None:
        head = self._ledger.head()
        if block.header.number <= head.height:
            return
        assert block.header.number == head.height + 1, "blocks are taken in order"
        validators = await self._ledger.validators(head.height + 1)
        try:
            await trio.to_thread.run_sync(check_certificate, certificate, self._genesis, validators)
        except InvalidCertificate as error:
            raise _FalseBlock(f"certificate of block {block.header.number}: {error}") from error
        if not self._ledger.is_body_of_header(block):
            raise _FalseBlock(f"body of block {block.header.number} is another one's")
        if block.header.parent_hash != head.block_hash:
            raise ChainsDiverged(f"block {block.header.number} 0x{block.hash().hex()}")

    # Serving.

    async def _serve(self, peer: PeerId, payload: bytes) -> bytes:
        try:
            question = QUESTION.decode(payload)
        except DecodeError as error:
            self._network.penalise(peer, POINTS_MALFORMED, f"sync question: {error}")
            raise RequestRefused("malformed") from error
        if not self._budget.take(peer, 1, trio.current_time()):
            raise RequestRefused("too fast")
        if isinstance(question, HeadRequest):
            head = self._ledger.head()
            return HEAD_ANSWER.encode(HeadAnswer(head.height, head.block_hash))
        return await trio.to_thread.run_sync(self._read, question)

    def _read(self, question: BlocksRequest) -> bytes:
        blocks: list[StoredBlock] = []
        left = ANSWER_BYTES_MAX
        for height in range(question.start, question.start + min(question.count, RANGE_MAX)):
            stored = self._ledger.stored(height)
            if stored is None:
                break
            left -= len(stored[0]) + len(stored[1]) + 8
            if left < 0:
                break
            blocks.append(StoredBlock(*stored))
        return BLOCKS_ANSWER.encode(BlocksAnswer(tuple(blocks)))

    # Heads of peers.

    def _meet(self, peer: PeerId, hello: bytes) -> None:
        self._claims[peer] = _NO_CLAIM
        try:
            told = HELLO.decode(hello)
        except DecodeError:
            self._network.penalise(peer, POINTS_MALFORMED, "unreadable hello")
        else:
            self._note_head(peer, HeadAnswer(told.head_height, told.head_hash))

    def _part(self, peer: PeerId) -> None:
        self._claims.pop(peer, None)
        if self._plan is not None:
            self._plan.forget(peer)

    def _note_head(self, peer: PeerId, head: HeadAnswer) -> None:
        if peer in self._claims:
            self._claims[peer] = head
            if self._plan is not None:
                self._plan.note_head(peer, head.height)
                self._wake.set()

    async def _follow_heads(self) -> None:
        """Ask peers in turn how far they are."""
        turn = 0
        while True:
            await trio.sleep(HEADS_EVERY_S)
            peers = self._network.peers()
            async with trio.open_nursery() as nursery:
                for offset in range(min(HEADS_AT_ONCE, len(peers))):
                    nursery.start_soon(self._ask_head, peers[(turn + offset) % len(peers)])
            turn += HEADS_AT_ONCE

    async def _ask_head(self, peer: PeerId) -> None:
        question = QUESTION.encode(HeadRequest())
        try:
            payload = await self._network.request(peer, PROTOCOL, question, HEAD_TIMEOUT_S)
            self._note_head(peer, HEAD_ANSWER.decode(payload))
        except RequestFailed as error:
            _log.debug("head of %s: %s", peer, error)
        except DecodeError as error:
            self._network.penalise(peer, POINTS_MALFORMED, f"head: {error}")


def _read_blocks(ask: Ask, payload: bytes) -> list[tuple[CertifiedBlock, int]]:
    """Decode an answer; raises _FalseBlock unless it is what was asked for, as far as bytes go."""
    blocks: list[tuple[CertifiedBlock, int]] = []
    try:
        stored = BLOCKS_ANSWER.decode(payload).blocks
        for height, each in enumerate(islice(stored, ask.count), ask.start):
            block, certificate = BLOCK.decode(each.block), CERTIFICATE.decode(each.certificate)
            if (block.header.number, certificate.height) != (height, height):
                raise _FalseBlock(f"block {height} is one of another height")
            if not certificate.is_commit or certificate.block_hash != block.hash():
                raise _FalseBlock(f"certificate of block {height} is for something else")
            blocks.append(((block, certificate), len(each.block) + len(each.certificate)))
    except DecodeError as error:
        raise _FalseBlock(f"blocks from {ask.start}: {error}") from error
    return blocks
