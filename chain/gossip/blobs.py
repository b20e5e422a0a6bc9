"""Blobs between nodes: chunks by root, each with its proof, from whoever has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

import trio

from chain.gossip.chunk_plan import Ask, ChunkPlan
from chain.gossip.ports import RequestPort
from chain.network import PeerId, RequestFailed, RequestRefused
from chain.network.budget import Budget
from chain.primitives.codec import U32, U64, DecodeError, blob, record, sequence
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.merkle import CHUNK_BYTES, chunk_count, verify_chunk

PROTOCOL: Final = "blobs"

CHUNK_TIMEOUT_S: Final = 10.0
PAUSE_S: Final = 0.5
"""Between two rounds of asking, when nobody had what is missing."""

FETCHED_AT_ONCE: Final = 4
"""Blobs under way; others wait their turn."""

SERVED_BYTES_PER_S: Final = 32 * 1024 * 1024
SERVED_BURST_BYTES: Final = 64 * 1024 * 1024
"""What one peer may take; a model of 64 MiB at once, then at the rate."""

READ_AT_ONCE: Final = 8
"""Threads that read chunks for peers."""

POINTS_FALSE_CHUNK: Final = 50
POINTS_MALFORMED: Final = 100


class BlobUnavailable(Exception):
    """Nobody connected gave the blob in time.  Try again when more peers are connected."""


class BlobSource(Protocol):
    """Where chunks come from; called in threads."""

    def length(self, root: bytes) -> int | None:
        """Give the length in bytes of a blob."""
        ...

    def chunk(self, root: bytes, index: int) -> bytes | None:
        """Give a chunk that is here."""
        ...

    def proof(self, root: bytes, index: int) -> Sequence[bytes] | None:
        """Give the proof of a chunk of a complete blob."""
        ...


class BlobSink(Protocol):
    """Where chunks go; called in threads, may raise its own errors."""

    def begin(self, root: bytes, length: int) -> None:
        """Reserve room."""
        ...

    def held(self, root: bytes) -> Sequence[int]:
        """Give the indices of the chunks that are here."""
        ...

    def put_chunk(
        self, root: bytes, length: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> bool:
        """Keep a chunk that belongs; tell whether the blob is whole."""
        ...


@dataclass(frozen=True, slots=True)
class ChunkRequest:
    """Asks for one chunk."""

    root: Hash32
    length: Annotated[int, U64]
    index: Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class ChunkResponse:
    """One chunk and the way from it to the root."""

    chunk: Annotated[bytes, blob(CHUNK_BYTES)]
    proof: Annotated[tuple[bytes, ...], sequence(HASH_32, 64)]


REQUEST: Final = record(ChunkRequest)
RESPONSE: Final = record(ChunkResponse)


class BlobSender:
    """Serves chunks of complete blobs, not faster than each peer's share."""

    def __init__(
        self,
        network: RequestPort,
        source: BlobSource,
        now: Callable[[], float] = trio.current_time,
    ) -> None:
        self._network = network
        self._source = source
        self._now = now
        self._budgets = Budget(SERVED_BYTES_PER_S, SERVED_BURST_BYTES)
        self._threads = trio.CapacityLimiter(READ_AT_ONCE)
        network.serve(PROTOCOL, self._serve)

    async def _serve(self, peer: PeerId, payload: bytes) -> bytes:
        try:
            request = REQUEST.decode(payload)
        except DecodeError as error:
            self._network.penalise(peer, POINTS_MALFORMED, f"blob request: {error}")
            raise RequestRefused("malformed") from error
        if not self._budgets.take(peer, CHUNK_BYTES, self._now()):
            raise RequestRefused("too fast")
        answer = await trio.to_thread.run_sync(self._read, request, limiter=self._threads)
        if answer is None:
            raise RequestRefused("not here")
        return RESPONSE.encode(answer)

    def _read(self, request: ChunkRequest) -> ChunkResponse | None:
        if self._source.length(request.root) != request.length:
            return None
        chunk = self._source.chunk(request.root, request.index)
        proof = self._source.proof(request.root, request.index)
        if chunk is None or proof is None:
            return None
        return ChunkResponse(chunk, tuple(proof))


class BlobFetcher:
    """Fetches blobs chunk by chunk; what an earlier attempt brought is not asked for again."""

    def __init__(self, network: RequestPort, sink: BlobSink) -> None:
        self._network = network
        self._sink = sink
        self._turns = trio.CapacityLimiter(FETCHED_AT_ONCE)
        self._locks: dict[bytes, tuple[trio.Lock, int]] = {}

    async def fetch(self, root: Hash32, length: int, timeout_s: float = 60.0) -> None:
        """Have a blob complete in the sink; raises BlobUnavailable and what the sink raises."""
        lock, users = self._locks.get(root, (trio.Lock(), 0))
        self._locks[root] = (lock, users + 1)
        try:
            with trio.fail_after(timeout_s):
                async with lock, self._turns:
                    await self._fetch(root, length)
        except trio.TooSlowError as error:
            reason = f"0x{root.hex()}: not complete after {timeout_s:g} s"
            raise BlobUnavailable(reason) from error
        finally:
            lock, users = self._locks.pop(root)
            if users > 1:
                self._locks[root] = (lock, users - 1)

    async def _fetch(self, root: Hash32, length: int) -> None:
        await trio.to_thread.run_sync(self._sink.begin, root, length)
        held = await trio.to_thread.run_sync(self._sink.held, root)
        missing = sorted(set(range(chunk_count(length))) - set(held))
        plan = ChunkPlan(missing)
        while not plan.is_done:
            await self._ask_round(plan, root, length)
            if not plan.is_done:
                await trio.sleep(PAUSE_S)
                plan.give_second_chances()
            if plan.is_hopeless:
                raise BlobUnavailable(f"0x{root.hex()}: nobody here has it")

    async def _ask_round(self, plan: ChunkPlan, root: Hash32, length: int) -> None:
        """Ask until everything is here or nobody is left to ask."""
        answered = trio.Event()
        failures: list[Exception] = []

        async def ask_one(ask: Ask) -> None:
            try:
                await self._ask(ask, plan, root, length)
            except Exception as error:  # of the sink: told to the caller once all asks ended
                failures.append(error)
            answered.set()

        async with trio.open_nursery() as nursery:
            while not failures:
                for ask in plan.next_asks(self._network.peers()):
                    nursery.start_soon(ask_one, ask)
                if not plan.is_busy:
                    break
                await answered.wait()
                answered = trio.Event()
        if failures:
            raise failures[0]

    async def _ask(self, ask: Ask, plan: ChunkPlan, root: Hash32, length: int) -> None:
        request = REQUEST.encode(ChunkRequest(root, length, ask.index))
        try:
            payload = await self._network.request(ask.peer, PROTOCOL, request, CHUNK_TIMEOUT_S)
        except RequestFailed:
            plan.failed(ask)
            return
        try:
            response = RESPONSE.decode(payload)
        except DecodeError as error:
            self._network.penalise(ask.peer, POINTS_MALFORMED, f"blob chunk: {error}")
            plan.failed(ask)
            return
        if not verify_chunk(root, length, ask.index, response.chunk, response.proof):
            reason = f"chunk {ask.index} of 0x{root.hex()} does not belong"
            self._network.penalise(ask.peer, POINTS_FALSE_CHUNK, reason)
            plan.failed(ask)
            return
        await trio.to_thread.run_sync(
            self._sink.put_chunk, root, length, ask.index, response.chunk, response.proof
        )
        plan.arrived(ask)
