"""Questions about final blocks and the states behind them."""

import pytest

from chain.ledger import BlockUnknown
from chain.primitives.block import Block
from chain.primitives.numbers import NOE
from chain.primitives.trie_proof import verify_proof
from runtime.pallets.system.pallet import ExtrinsicSuccess
from tests.support.ledger_chain import ALICE, BOB, CAROL, LedgerChain

UNKNOWN = b"\x09" * 32


@pytest.fixture
def chain() -> LedgerChain:
    grown = LedgerChain()
    grown.grow(grown.transfer(ALICE, CAROL.address))
    grown.grow(grown.transfer(ALICE, CAROL.address), grown.transfer(BOB, CAROL.address))
    return grown


def test_history_is_read_by_block(chain: LedgerChain) -> None:
    queries = chain.ledger.queries
    hashes = [queries.hash_at(height) for height in range(4)]
    assert hashes[3] is None
    frees = [
        queries.state(each).account(CAROL.address).data.free for each in hashes if each is not None
    ]
    assert frees == [0, NOE, 3 * NOE]
    nonces = [queries.nonce(each, ALICE.address) for each in hashes if each is not None]
    assert nonces == [0, 1, 2]
    assert hashes[0] == chain.genesis.hash()
    assert queries.block(chain.genesis.hash()) == Block(chain.genesis, (), ())
    assert queries.encoded_certificate(chain.genesis.hash()) is None
    assert queries.certificate(chain.genesis.hash()) is None


def test_events_and_validators(chain: LedgerChain) -> None:
    queries, head = chain.ledger.queries, chain.ledger.head
    events = [type(record.event) for record in queries.state(head.hash).events()]
    assert events.count(ExtrinsicSuccess) == 4
    assert queries.validators_after(head.hash) == head.validators


def test_keys_values_and_proofs_at_every_block(chain: LedgerChain) -> None:
    queries = chain.ledger.queries
    for block_hash in (chain.genesis.hash(), chain.ledger.head.hash):
        header = queries.header(block_hash)
        assert header is not None
        keys = queries.keys(block_hash, b"", None, 1000)
        assert list(keys) == sorted(keys)
        assert list(queries.keys(block_hash, b"", keys[2], 2)) == list(keys[3:5])
        assert [key for key, _ in queries.iterator(block_hash)(keys[0][:32])] == [
            key for key in keys if key.startswith(keys[0][:32])
        ]
        proof = queries.proof(block_hash, keys[:3])
        assert verify_proof(header.state_root, keys[:3], proof) == {
            key: queries.storage(block_hash, key) for key in keys[:3]
        }


def test_unknown_block(chain: LedgerChain) -> None:
    queries = chain.ledger.queries
    assert queries.header(UNKNOWN) is None
    assert queries.block(UNKNOWN) is None
    assert queries.encoded_block(UNKNOWN) is None
    assert queries.place_of(UNKNOWN) is None
    with pytest.raises(BlockUnknown):
        queries.storage(UNKNOWN, b"key")
    with pytest.raises(BlockUnknown):
        queries.state(UNKNOWN)
