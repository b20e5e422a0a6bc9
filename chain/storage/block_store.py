"""Final blocks on disk: headers, bodies, certificates, and where each transaction stands."""

from typing import Final

from chain.primitives.block import BLOCK, HEADER, Block, Header
from chain.primitives.extrinsic import extrinsic_hash
from chain.storage.columns import (
    BODIES,
    CERTIFICATES,
    EXTRINSIC_PLACES,
    HASHES_BY_HEIGHT,
    HEADERS,
    SINGLES,
)
from chain.storage.database import Database, Write

_HEAD_KEY: Final = SINGLES + b"head"


class BlockStore:
    """Finds final blocks.  It writes nothing itself: `writes_for` goes into the ledger's batch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def writes_for(self, block: Block, certificate: bytes | None) -> list[Write]:
        """Return the writes that keep a block, with its encoded certificate, as the head."""
        header = HEADER.encode(block.header)
        block_hash = block.hash()
        height = block.header.number.to_bytes(4, "big")
        writes: list[Write] = [
            (HEADERS + block_hash, header),
            (BODIES + block_hash, BLOCK.encode(block)[len(header) :]),
            (HASHES_BY_HEIGHT + height, block_hash),
            (_HEAD_KEY, block_hash),
        ]
        if certificate is not None:
            writes.append((CERTIFICATES + block_hash, certificate))
        for index, encoded in enumerate(block.extrinsics):
            place = height + index.to_bytes(4, "big")
            writes.append((EXTRINSIC_PLACES + extrinsic_hash(encoded), place))
        return writes

    def head_hash(self) -> bytes | None:
        """Return the hash of the last block that was kept, None in a new database."""
        return self._database.get(_HEAD_KEY)

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of the block at a height, None above the head."""
        if not 0 <= height < 1 << 32:
            return None
        return self._database.get(HASHES_BY_HEIGHT + height.to_bytes(4, "big"))

    def header(self, block_hash: bytes) -> Header | None:
        """Return a header, None if the block is unknown."""
        encoded = self._database.get(HEADERS + block_hash)
        return None if encoded is None else HEADER.decode(encoded)

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block, None if it is unknown."""
        encoded = self.encoded_block(block_hash)
        return None if encoded is None else BLOCK.decode(encoded)

    def encoded_block(self, block_hash: bytes) -> bytes | None:
        """Return a block's bytes as they travel, None if it is unknown."""
        header = self._database.get(HEADERS + block_hash)
        body = self._database.get(BODIES + block_hash)
        return None if header is None or body is None else header + body

    def certificate(self, block_hash: bytes) -> bytes | None:
        """Return the encoded certificate that made a block final, None if unknown or genesis."""
        return self._database.get(CERTIFICATES + block_hash)

    def place_of(self, extrinsic: bytes) -> tuple[int, int] | None:
        """Return the height and the index at which a transaction, given by hash, stands."""
        place = self._database.get(EXTRINSIC_PLACES + extrinsic)
        if place is None:
            return None
        return int.from_bytes(place[:4], "big"), int.from_bytes(place[4:], "big")
