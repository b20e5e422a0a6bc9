"""The RPC server's ports over the parts of this node."""

from collections.abc import Mapping, Sequence
from typing import Any

import trio

from chain.ledger import Ledger
from chain.network import Network
from chain.node.availability import Availability
from chain.node.states import LedgerState
from chain.node.submission import Submission
from chain.pool import Pool
from chain.primitives.block import Block, Header
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.rpc.feed import Head
from chain.rpc.ports import ChunkRefused, StateUnavailable
from chain.rpc.typed_json import hex_of
from chain.storage.blob_store import BlobLengthRefused, BlobStore, BlobStoreFull
from chain.storage.blob_store import ChunkRefused as RefusedByStore
from chain.sync.blocks import BlockSync


class ChainPort:
    """Final blocks and the states behind them, for the RPC server."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def genesis_hash(self) -> Hash32:
        """Give the hash of block zero."""
        return self._ledger.genesis_hash

    def head(self) -> Head:
        """Give the newest block."""
        head = self._ledger.head
        return Head(head.height, head.hash)

    def hash_at(self, number: int) -> Hash32 | None:
        """Give the hash of the block at a height."""
        return self._ledger.queries.hash_at(number)

    def header(self, block_hash: Hash32) -> Header | None:
        """Give a header."""
        return self._ledger.queries.header(block_hash)

    def block(self, block_hash: Hash32) -> Block | None:
        """Give a block with its body."""
        return self._ledger.queries.block(block_hash)

    def certificate(self, block_hash: Hash32) -> bytes | None:
        """Give the encoded certificate that made a block final."""
        return self._ledger.queries.encoded_certificate(block_hash)

    def state(self, block_hash: Hash32) -> LedgerState:
        """Give the state after a block; raises StateUnavailable."""
        if self._ledger.queries.header(block_hash) is None:
            raise StateUnavailable(f"no block 0x{block_hash.hex()} is known here")
        return LedgerState(self._ledger.queries, block_hash)

    def place_of(self, extrinsic_hash: Hash32) -> tuple[Hash32, int] | None:
        """Give block hash and index of an included transaction."""
        return self._ledger.queries.place_of(extrinsic_hash)


class PoolPort:
    """Transactions that wait, for the RPC server."""

    def __init__(self, pool: Pool, submission: Submission) -> None:
        self._pool = pool
        self._submission = submission

    async def submit(self, encoded: bytes) -> Hash32:
        """Take a transaction and give its hash; raises PoolRefused."""
        return await self._submission.submit(encoded)

    def pending(self) -> Sequence[bytes]:
        """Give the encoded transactions that wait, ready ones first."""
        return self._pool.pending()

    def standing(self, extrinsic_hash: Hash32) -> str | None:
        """Say "ready" or "future" of a waiting transaction."""
        return self._pool.standing(extrinsic_hash)

    def next_nonce(self, address: Address, nonce: int) -> int:
        """Give the nonce after the account's waiting transactions."""
        return self._pool.next_nonce(address, nonce)


class PeersPort:
    """The network as seen from here, and how far peers say they are."""

    def __init__(self, network: Network, sync: BlockSync) -> None:
        self._network = network
        self._sync = sync

    def local_peer_id(self) -> str:
        """Give the name of this node in the network."""
        return self._network.own_id

    def peers(self) -> Sequence[Mapping[str, Any]]:
        """Describe the connected peers in Substrate's JSON."""
        heads = [(peer, self._sync.head_of(peer)) for peer in self._network.peers()]
        return [
            {
                "peerId": peer,
                "roles": "FULL",
                "bestHash": hex_of(head.block_hash),
                "bestNumber": head.height,
            }
            for peer, head in heads
        ]

    def listen_addresses(self) -> Sequence[str]:
        """Give the multiaddresses at which this node listens."""
        return self._network.addresses

    def highest_block(self) -> int:
        """Give the greatest height that a peer claims and has not failed to prove; 0 if none."""
        return self._sync.target


class BlobsPort:
    """Content of this node; takes only what the chain announced, so that nobody fills the disk."""

    def __init__(self, store: BlobStore, availability: Availability) -> None:
        self._store = store
        self._availability = availability

    def chunks_held(self, root: Hash32) -> Sequence[int]:
        """Give the indices of the chunks that are here, ascending."""
        return self._store.held(root)

    async def put_chunk(
        self, root: Hash32, length: int, index: int, chunk: bytes, proof: Sequence[Hash32]
    ) -> None:
        """Keep a chunk of announced content; raises ChunkRefused."""
        announced = self._availability.length_of(root)
        if announced is None:
            raise ChunkRefused("The content is not announced.  Call Blobs.announce first.")
        if announced != length:
            raise ChunkRefused(f"The content was announced with {announced} bytes, not {length}.")
        try:
            await trio.to_thread.run_sync(self._store.put_chunk, root, length, index, chunk, proof)
        except RefusedByStore as error:
            raise ChunkRefused(f"The chunk does not match the root: {error}") from error
        except (BlobLengthRefused, BlobStoreFull) as error:
            raise ChunkRefused(str(error)) from error
        except OSError as error:
            raise ChunkRefused(f"The disk does not take it: {error.strerror}") from error
        self._availability.note_content()

    async def chunk(self, root: Hash32, index: int) -> bytes | None:
        """Give a chunk that is here."""
        return await trio.to_thread.run_sync(self._store.chunk, root, index)
