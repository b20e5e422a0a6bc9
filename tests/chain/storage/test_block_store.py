"""Blocks are found by hash and height, transactions by hash."""

from chain.primitives.block import BLOCK, Block, DigestItem, Header
from chain.primitives.extrinsic import Extrinsic, encode_extrinsic, extrinsic_hash
from chain.storage.block_store import BlockStore
from tests.support.memory_database import MemoryDatabase


def block_at(height: int, *calls: bytes) -> Block:
    digest = (DigestItem(0, b"", bytes([height % 256])),)
    header = Header(b"\x01" * 32, height, b"\x02" * 32, b"\x03" * 32, digest)
    extrinsics = tuple(encode_extrinsic(Extrinsic(call)) for call in calls)
    return Block(header, extrinsics, (b"\x07" * 32,))


def test_kept_block_is_found_every_way() -> None:
    database = MemoryDatabase()
    store = BlockStore(database)
    block = block_at(300, b"first", b"second")
    block_hash = block.hash()
    database.write(store.writes_for(block, b"certificate"))

    assert store.head_hash() == block_hash
    assert store.hash_at(300) == block_hash
    assert store.header(block_hash) == block.header
    assert store.block(block_hash) == block
    assert store.encoded_block(block_hash) == BLOCK.encode(block)
    assert store.certificate(block_hash) == b"certificate"
    assert store.place_of(extrinsic_hash(block.extrinsics[1])) == (300, 1)


def test_unknown_is_none() -> None:
    store = BlockStore(MemoryDatabase())
    unknown = b"\x09" * 32
    assert store.head_hash() is None
    assert [store.hash_at(height) for height in (-1, 0, 1 << 40)] == [None, None, None]
    assert store.header(unknown) is None
    assert store.block(unknown) is None
    assert store.encoded_block(unknown) is None
    assert store.certificate(unknown) is None
    assert store.place_of(unknown) is None


def test_genesis_has_no_certificate() -> None:
    database = MemoryDatabase()
    store = BlockStore(database)
    genesis = Block(Header(bytes(32), 0, b"\x02" * 32, b"\x03" * 32, ()), (), ())
    database.write(store.writes_for(genesis, None))
    assert store.block(genesis.hash()) == genesis
    assert store.certificate(genesis.hash()) is None
