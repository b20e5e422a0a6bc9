"""What the server needs from the node, as small protocols; the node hands in implementations.

All of them are called in the trio thread.  What is not `async` answers at once (a database read at
most); what takes longer is `async`.  A port may raise RpcError; any other exception is a mistake of
ours, answered as an internal error and logged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chain.primitives.block import Block, Header
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.rpc.feed import Head, HeadFeed


class StateUnavailable(Exception):
    """The state of that block is not kept (any more).  Ask for a newer block."""


class ChunkRefused(Exception):
    """The chunk does not belong to the blob, or the node keeps no such blob.  See the text."""


class State(Protocol):
    """The state after one block."""

    def get(self, key: bytes) -> bytes | None:
        """Give the value of a key."""
        ...

    def keys(self, prefix: bytes, after: bytes | None, count: int) -> Sequence[bytes]:
        """Give at most `count` keys with the prefix that are greater than `after`, ascending."""
        ...

    def proof(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give the trie nodes (and hashed values) that prove the keys' values."""
        ...


class Chain(Protocol):
    """The final blocks."""

    @property
    def genesis_hash(self) -> Hash32:
        """Give the hash of block zero."""
        ...

    def head(self) -> Head:
        """Give the newest block."""
        ...

    def hash_at(self, number: int) -> Hash32 | None:
        """Give the hash of the block at a height, None above the head."""
        ...

    def header(self, block_hash: Hash32) -> Header | None:
        """Give a header, None if unknown."""
        ...

    def block(self, block_hash: Hash32) -> Block | None:
        """Give a block with its body, None if unknown (genesis has an empty body)."""
        ...

    def certificate(self, block_hash: Hash32) -> bytes | None:
        """Give the encoded certificate that made a block final, None if unknown."""
        ...

    def state(self, block_hash: Hash32) -> State:
        """Give the state after a block; raises StateUnavailable."""
        ...

    def place_of(self, extrinsic_hash: Hash32) -> tuple[Hash32, int] | None:
        """Give block hash and index of an included extrinsic, None if none is known."""
        ...


class Pool(Protocol):
    """Transactions that wait for a block."""

    async def submit(self, encoded: bytes) -> Hash32:
        """Take a transaction and give its hash; raises PoolRefused."""
        ...

    def pending(self) -> Sequence[bytes]:
        """Give the encoded transactions that wait, ready ones first."""
        ...

    def standing(self, extrinsic_hash: Hash32) -> str | None:
        """Say "ready" or "future" of a waiting transaction, None if it does not wait."""
        ...

    def next_nonce(self, address: Address, nonce: int) -> int:
        """Give the nonce after the account's waiting transactions; `nonce` is the state's."""
        ...


class Peers(Protocol):
    """The network as seen from here."""

    def local_peer_id(self) -> str:
        """Give the name of this node in the network."""
        ...

    def peers(self) -> Sequence[Mapping[str, Any]]:
        """Give {"peerId", "roles", "bestHash" (0x), "bestNumber"} of each connected peer."""
        ...

    def listen_addresses(self) -> Sequence[str]:
        """Give the multiaddresses at which this node listens."""
        ...

    def highest_block(self) -> int:
        """Give the greatest height that a peer claims and has not failed to prove; 0 if none."""
        ...


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """What a transaction costs before it is sent."""

    weight: int
    """Picoseconds of one reference core."""

    fee: int
    """Smallest units; what is charged at most, the tip aside."""

    details: Mapping[str, Any]
    """Parts of the fee by name, as JSON."""


class Blobs(Protocol):
    """Content that this node holds, wholly or in part."""

    def chunks_held(self, root: Hash32) -> Sequence[int]:
        """Give the indices of the chunks that are here and verified, ascending."""
        ...

    async def put_chunk(
        self, root: Hash32, length: int, index: int, chunk: bytes, proof: Sequence[Hash32]
    ) -> None:
        """Keep a chunk that the proof ties to root and length; raises ChunkRefused."""
        ...

    async def chunk(self, root: Hash32, index: int) -> bytes | None:
        """Give a chunk that is here, None otherwise."""
        ...


class Runtime(Protocol):
    """The rules of the chain and what they say about a state.  JSON in answers is final."""

    def version(self) -> Mapping[str, Any]:
        """Give the runtime version in Substrate's JSON (specName ... stateVersion)."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Give pallets with their calls, events, errors and constants as JSON."""
        ...

    def nonce(self, state: State, address: Address) -> int:
        """Give how many transactions an account has sent."""
        ...

    def fee(self, state: State, encoded: bytes) -> FeeQuote:
        """Give the price of an extrinsic, its signature not checked; raises RpcError."""
        ...

    def call(self, state: State, head: Header, name: str, arguments: bytes) -> bytes | None:
        """Answer a runtime API call as SCALE, None if there is no such API; raises RpcError.

        `head` is the header of the block after which the state is.
        """
        ...

    def events(self, state: State) -> Sequence[Mapping[str, Any]]:
        """Give the block's events as {"extrinsic": index or null, "name", "fields", "error"}.

        `error` is {"name", "advice"} of System.ExtrinsicFailed and null otherwise.
        """
        ...

    def query(self, state: State, question: str, /, **arguments: Any) -> Any:
        """Answer a named question about a state as JSON, None where there is no such thing."""
        ...

    async def dry_run(self, state: State, model: str, version: int | None, inputs: bytes) -> Any:
        """Run a model without a transaction: output, cost and fee as JSON; raises RpcError."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What the node says of itself."""

    name: str
    version: str
    chain: str
    chain_type: str
    """Live, Development or Local."""

    roles: tuple[str, ...]
    """Authority of a validator, Full otherwise."""

    started_at: int
    """Height of the head when the node started."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the methods can reach."""

    identity: Identity
    chain: Chain
    feed: HeadFeed
    pool: Pool
    peers: Peers
    blobs: Blobs
    runtime: Runtime
    metrics: Callable[[], tuple[bytes, str]]
    """Gives the text for Prometheus and its content type."""
