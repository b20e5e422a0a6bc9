from collections.abc import Sequence
from typing import Any

import pytest
import trio

from chain.gossip import blobs
from chain.gossip.blobs import (
    REQUEST,
    RESPONSE,
    BlobFetcher,
    BlobSender,
    BlobUnavailable,
    ChunkRequest,
    ChunkResponse,
)
from chain.network import Network, NetworkConfig, RequestRefused
from chain.primitives.merkle import CHUNK_BYTES, leaf_hash, proof_of, root_of, split
from chain.storage.blob_store import BlobStore

CONTENT = bytes(range(251)) * 7000
ROOT, LENGTH, CHUNKS = root_of(CONTENT), len(CONTENT), len(split(CONTENT))


class MemoryStore:
    """Source and sink of one blob."""

    def __init__(self, content: bytes = b"") -> None:
        self.chunks = dict(enumerate(split(content)))
        self.leaves = [leaf_hash(chunk) for chunk in split(content)]
        self.size = len(content) or None
        self.puts: list[int] = []

    def length(self, root: bytes) -> int | None:
        return self.size if root == ROOT else None

    def chunk(self, root: bytes, index: int) -> bytes | None:
        return self.chunks.get(index)

    def proof(self, root: bytes, index: int) -> Sequence[bytes] | None:
        return proof_of(self.leaves, index) if index < len(self.leaves) else None

    def begin(self, root: bytes, length: int) -> None:
        if length > 10_000_000:
            raise OSError("disk full")

    def held(self, root: bytes) -> Sequence[int]:
        return sorted(self.chunks)

    def put_chunk(
        self, root: bytes, length: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> bool:
        self.puts.append(index)
        self.chunks[index] = chunk
        return len(self.chunks) == CHUNKS

    @property
    def content(self) -> bytes:
        return b"".join(chunk for _, chunk in sorted(self.chunks.items()))


def serving(network: Any, store: MemoryStore, now: Any = lambda: 0.0) -> Any:
    """Give an answer function that behaves like a peer with this store."""
    BlobSender(network, store, now)
    handler = network.handlers["blobs"]
    return lambda payload: handler("us", payload)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: Any) -> None:
    monkeypatch.setattr(blobs, "PAUSE_S", 0.01)


def test_a_blob_comes_from_several_peers(fake_network: Any) -> None:
    async def main() -> None:
        network, sink = fake_network("a", "b", "c"), MemoryStore()
        asked: list[str] = []
        for peer in ("a", "b"):
            answer = serving(fake_network(), MemoryStore(CONTENT))

            async def count(payload: bytes, peer: str = peer, answer: Any = answer) -> bytes:
                asked.append(peer)
                return bytes(await answer(payload))

            network.answers[peer] = count
        await BlobFetcher(network, sink).fetch(ROOT, LENGTH)
        assert sink.content == CONTENT
        assert sorted(sink.puts) == list(range(CHUNKS))
        assert {*asked} == {"a", "b"}
        assert network.faults == []

    trio.run(main)


def test_what_is_here_already_is_not_asked_for(fake_network: Any) -> None:
    async def main() -> None:
        network, sink = fake_network("a"), MemoryStore()
        sink.chunks = {0: split(CONTENT)[0], 2: split(CONTENT)[2]}
        network.answers["a"] = serving(fake_network(), MemoryStore(CONTENT))
        await BlobFetcher(network, sink).fetch(ROOT, LENGTH)
        assert sink.content == CONTENT
        assert 0 not in sink.puts
        assert 2 not in sink.puts
        puts = list(sink.puts)
        await BlobFetcher(network, sink).fetch(ROOT, LENGTH)
        assert sink.puts == puts

    trio.run(main)


def test_a_false_chunk_costs_its_sender_and_comes_from_elsewhere(fake_network: Any) -> None:
    async def lie(payload: bytes) -> bytes:
        request = REQUEST.decode(payload)
        proof = proof_of([leaf_hash(each) for each in split(CONTENT)], request.index)
        return RESPONSE.encode(ChunkResponse(bytes(CHUNK_BYTES), proof))

    async def babble(payload: bytes) -> bytes:
        return b"\xff" * 10

    async def main() -> None:
        network, sink = fake_network("liar", "babbler", "honest"), MemoryStore()
        network.answers = {
            "liar": lie,
            "babbler": babble,
            "honest": serving(fake_network(), MemoryStore(CONTENT)),
        }
        await BlobFetcher(network, sink).fetch(ROOT, LENGTH)
        assert sink.content == CONTENT
        assert {(peer, points) for peer, points, _ in network.faults} == {
            ("liar", 50),
            ("babbler", 100),
        }

    trio.run(main)


def test_a_silent_peer_does_not_hold_up_the_others(fake_network: Any) -> None:
    async def never(payload: bytes) -> bytes:
        await trio.sleep_forever()

    async def main() -> None:
        network, sink = fake_network("silent", "honest"), MemoryStore()
        network.answers = {
            "silent": never,
            "honest": serving(fake_network(), MemoryStore(CONTENT)),
        }
        with pytest.raises(BlobUnavailable, match="not complete after"):
            await BlobFetcher(network, sink).fetch(ROOT, LENGTH, timeout_s=0.3)
        assert len(sink.chunks) == CHUNKS - 2
        network.connected.remove("silent")
        await BlobFetcher(network, sink).fetch(ROOT, LENGTH)
        assert sink.content == CONTENT

    trio.run(main)


def test_a_peer_that_gets_the_blob_later_is_asked_again(fake_network: Any) -> None:
    async def main() -> None:
        network, sink = fake_network("late"), MemoryStore()
        store = MemoryStore()
        network.answers["late"] = serving(fake_network(), store)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(BlobFetcher(network, sink).fetch, ROOT, LENGTH)
            await trio.sleep(0.05)
            assert sink.chunks == {}
            full = MemoryStore(CONTENT)
            store.chunks, store.leaves, store.size = full.chunks, full.leaves, full.size
        assert sink.content == CONTENT

    trio.run(main)


def test_what_nobody_has_is_given_up_soon(fake_network: Any) -> None:
    async def main() -> None:
        network, sink = fake_network("poor"), MemoryStore()
        network.answers["poor"] = serving(fake_network(), MemoryStore())
        with trio.fail_after(5), pytest.raises(BlobUnavailable, match="nobody here has it"):
            await BlobFetcher(network, sink).fetch(ROOT, LENGTH)

    trio.run(main)


def test_errors_of_the_sink_reach_the_caller(fake_network: Any) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="disk full"):
            await BlobFetcher(fake_network("a"), MemoryStore()).fetch(ROOT, 99_000_000)
        network, sink = fake_network("a"), MemoryStore()
        network.answers["a"] = serving(fake_network(), MemoryStore(CONTENT))

        def put_chunk(*_: Any) -> bool:
            raise OSError("no space left")

        sink.put_chunk = put_chunk  # type: ignore[method-assign]
        with pytest.raises(OSError, match="no space left"):
            await BlobFetcher(network, sink).fetch(ROOT, LENGTH)

    trio.run(main)


def test_two_callers_share_one_download(fake_network: Any) -> None:
    async def main() -> None:
        network, sink = fake_network("a"), MemoryStore()
        network.answers["a"] = serving(fake_network(), MemoryStore(CONTENT))
        fetcher = BlobFetcher(network, sink)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(fetcher.fetch, ROOT, LENGTH)
        assert sorted(sink.puts) == list(range(CHUNKS))
        assert fetcher._locks == {}

    trio.run(main)


def test_only_what_is_complete_and_asked_for_rightly_is_served(fake_network: Any) -> None:
    async def main() -> None:
        network = fake_network()
        answer = serving(network, MemoryStore(CONTENT))
        for request in (
            ChunkRequest(bytes(32), LENGTH, 0),
            ChunkRequest(ROOT, LENGTH + 1, 0),
            ChunkRequest(ROOT, LENGTH, CHUNKS),
        ):
            with pytest.raises(RequestRefused, match=r"^not here$"):
                await answer(REQUEST.encode(request))
        assert network.faults == []
        with pytest.raises(RequestRefused, match=r"^malformed$"):
            await answer(b"\1\2\3")
        assert network.faults == [("us", 100, "blob request: 29 bytes missing")]

    trio.run(main)


def test_a_greedy_peer_is_told_to_slow_down(fake_network: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(blobs, "SERVED_BURST_BYTES", 3 * CHUNK_BYTES)
    monkeypatch.setattr(blobs, "SERVED_BYTES_PER_S", CHUNK_BYTES)

    async def main() -> None:
        clock = [0.0]
        answer = serving(fake_network(), MemoryStore(CONTENT), lambda: clock[0])
        request = REQUEST.encode(ChunkRequest(ROOT, LENGTH, 0))
        for _ in range(3):
            await answer(request)
        with pytest.raises(RequestRefused, match=r"^too fast$"):
            await answer(request)
        clock[0] = 1.0
        await answer(request)

    trio.run(main)


def test_over_real_connections_between_real_stores(tmp_path: Any) -> None:
    async def main() -> None:
        listen = "/ip4/127.0.0.1/tcp/0"
        stores = [BlobStore(tmp_path / name, 10_000_000) for name in ("full", "empty")]
        assert stores[0].put(CONTENT) == ROOT
        async with (
            Network.open(
                NetworkConfig(listen=listen), b"\1" * 32, lambda: b"", lambda *_: None
            ) as one,
            Network.open(
                NetworkConfig(listen=listen, bootstrap=one.addresses),
                b"\2" * 32,
                lambda: b"",
                lambda *_: None,
            ) as two,
            trio.open_nursery() as nursery,
        ):
            BlobSender(one, stores[0])
            nursery.start_soon(one.run)
            nursery.start_soon(two.run)
            await BlobFetcher(two, stores[1]).fetch(ROOT, LENGTH, timeout_s=8.0)
            nursery.cancel_scope.cancel()
        assert stores[1].read(ROOT) == CONTENT

    trio.run(main)
