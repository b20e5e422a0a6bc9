"""Ports of an RPC server over a chain that lives in dictionaries, for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from chain.pool import PoolRefused
from chain.primitives.block import Block, Header
from chain.primitives.extrinsic import extrinsic_hash
from chain.primitives.hashing import blake2_256
from chain.primitives.merkle import verify_chunk
from chain.rpc.feed import Head, HeadFeed
from chain.rpc.json_rpc import RpcError
from chain.rpc.ports import (
    ChunkRefused,
    FeeQuote,
    Identity,
    Ports,
    State,
    StateUnavailable,
)

VERSION = {
    "specName": "noema",
    "implName": "noema",
    "authoringVersion": 1,
    "specVersion": 1,
    "implVersion": 1,
    "apis": [],
    "transactionVersion": 1,
    "systemVersion": 1,
    "stateVersion": 1,
}


class FakeState:
    """A state in a dictionary."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self.values = dict(values)

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def keys(self, prefix: bytes, after: bytes | None, count: int) -> Sequence[bytes]:
        found = (key for key in sorted(self.values) if key.startswith(prefix))
        return [key for key in found if after is None or key > after][:count]

    def proof(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        return [b"node of " + key for key in keys]


class FakeChain:
    """Blocks in a list; `grow` adds one."""

    def __init__(self) -> None:
        genesis = Block(Header(bytes(32), 0, bytes(32), bytes(32), ()), (), ())
        self.blocks = [genesis]
        self.states = [FakeState({b"a": b"1", b"b": b"2", b"empty": b""})]
        self.kept = 1000
        self.feed = HeadFeed(self.head())

    @property
    def genesis_hash(self) -> bytes:
        return self.blocks[0].hash()

    def grow(self, *extrinsics: bytes, **changes: bytes) -> Head:
        parent = self.blocks[-1]
        header = Header(parent.hash(), parent.header.number + 1, bytes(32), bytes(32), ())
        self.blocks.append(Block(header, extrinsics, ()))
        values = {key.encode(): value for key, value in changes.items()}
        self.states.append(FakeState(self.states[-1].values | values))
        self.feed.publish(self.head())
        return self.head()

    def head(self) -> Head:
        return Head(self.blocks[-1].header.number, self.blocks[-1].hash())

    def hash_at(self, number: int) -> bytes | None:
        return self.blocks[number].hash() if number < len(self.blocks) else None

    def header(self, block_hash: bytes) -> Header | None:
        block = self.block(block_hash)
        return None if block is None else block.header

    def block(self, block_hash: bytes) -> Block | None:
        return next((block for block in self.blocks if block.hash() == block_hash), None)

    def certificate(self, block_hash: bytes) -> bytes | None:
        return b"\1\2" if block_hash != self.genesis_hash else None

    def state(self, block_hash: bytes) -> State:
        for block, state in list(zip(self.blocks, self.states, strict=True))[-self.kept :]:
            if block.hash() == block_hash:
                return state
        raise StateUnavailable("only the newest are kept")

    def place_of(self, extrinsic: bytes) -> tuple[bytes, int] | None:
        for block in self.blocks:
            for index, encoded in enumerate(block.extrinsics):
                if extrinsic_hash(encoded) == extrinsic:
                    return block.hash(), index
        return None


class FakePool:
    """Takes everything but what starts with "bad"; "future" waits for longer."""

    def __init__(self) -> None:
        self.waiting: dict[bytes, bytes] = {}

    async def submit(self, encoded: bytes) -> bytes:
        if encoded.startswith(b"bad"):
            raise PoolRefused(1010, "Invalid Transaction", "Stale: the nonce was used")
        self.waiting[extrinsic_hash(encoded)] = encoded
        return extrinsic_hash(encoded)

    def pending(self) -> Sequence[bytes]:
        return list(self.waiting.values())

    def standing(self, extrinsic: bytes) -> str | None:
        encoded = self.waiting.get(extrinsic)
        if encoded is None:
            return None
        return "future" if encoded.startswith(b"future") else "ready"

    def next_nonce(self, address: bytes, nonce: int) -> int:
        return nonce + len(self.waiting)


class FakePeers:
    """One peer that is as far as we are."""

    def __init__(self) -> None:
        self.highest = 0

    def local_peer_id(self) -> str:
        return "12D3local"

    def peers(self) -> Sequence[Mapping[str, Any]]:
        return [{"peerId": "12D3other", "roles": "AUTHORITY", "bestHash": "0x", "bestNumber": 0}]

    def listen_addresses(self) -> Sequence[str]:
        return ["/ip4/127.0.0.1/tcp/30333"]

    def highest_block(self) -> int:
        return self.highest


class FakeBlobs:
    """Chunks in a dictionary."""

    def __init__(self) -> None:
        self.chunks: dict[tuple[bytes, int], bytes] = {}

    def chunks_held(self, root: bytes) -> Sequence[int]:
        return sorted(index for of, index in self.chunks if of == root)

    async def put_chunk(
        self, root: bytes, length: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        if not verify_chunk(root, length, index, chunk, proof):
            raise ChunkRefused("the chunk does not match the root")
        self.chunks[root, index] = chunk

    async def chunk(self, root: bytes, index: int) -> bytes | None:
        return self.chunks.get((root, index))


class FakeRuntime:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.happened: list[Mapping[str, Any]] = []

    def version(self) -> Mapping[str, Any]:
        return VERSION

    def describe(self) -> Mapping[str, Any]:
        return self.answers.get("describe", {"pallets": []})

    def nonce(self, state: State, address: bytes) -> int:
        return 3

    def fee(self, state: State, encoded: bytes) -> FeeQuote:
        return FeeQuote(1000, 5, {"base": "2", "weight_fee": "3"})

    def call(self, state: State, head: Header, name: str, arguments: bytes) -> bytes | None:
        return blake2_256(arguments)[:4] if name == "Core_version" else None

    def events(self, state: State) -> Sequence[Mapping[str, Any]]:
        return self.happened

    def query(self, state: State, question: str, /, **arguments: Any) -> Any:
        if question == "crash":
            raise ZeroDivisionError
        return self.answers.get(question)

    async def dry_run(self, state: State, model: str, version: int | None, inputs: bytes) -> Any:
        if model == "missing":
            raise RpcError(4102, "No model 'missing'")
        return {"model": model, "version": version, "bytes": len(inputs)}


class FakeNode:
    """All ports of one node."""

    def __init__(self) -> None:
        self.chain = FakeChain()
        self.pool = FakePool()
        self.peers = FakePeers()
        self.blobs = FakeBlobs()
        self.runtime = FakeRuntime()
        self.ports = Ports(
            Identity("Noema", "0.1.0", "Local", "Local", ("Authority",), 0),
            self.chain,
            self.chain.feed,
            self.pool,
            self.peers,
            self.blobs,
            self.runtime,
            lambda: (b"noema_height 0\n", "text/plain; version=0.0.4"),
        )
