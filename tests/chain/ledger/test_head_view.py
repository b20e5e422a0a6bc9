"""The pool over the real head state."""

import pytest

from chain.pool import Pool, PoolRefused
from chain.primitives.extrinsic import decode_extrinsic, extrinsic_hash
from chain.primitives.numbers import NOE
from tests.support.ledger_chain import ALICE, BOB, CAROL, LedgerChain


@pytest.fixture
def chain() -> LedgerChain:
    return LedgerChain()


def test_pool_feeds_blocks_and_follows_the_head(chain: LedgerChain) -> None:
    view = chain.view()
    pool = Pool(view, lambda: chain.now_ms)
    sent = [chain.transfer(ALICE, CAROL.address, nonce=nonce) for nonce in (1, 0, 3)]
    for encoded in sent:
        pool.submit(encoded)
    assert pool.ready() == (sent[1], sent[0])
    block = chain.grow(*pool.ready())
    assert block.extrinsics[2:] == (sent[1], sent[0])
    pool.prune(block.extrinsics, block.header.number)
    assert (view.height(), view.nonce(ALICE.address), pool.pending()) == (1, 2, (sent[2],))
    with pytest.raises(PoolRefused) as refusal:
        pool.submit(sent[0])
    assert (refusal.value.code, refusal.value.message) == (1010, "Invalid Transaction")


def test_bad_signature_is_refused_and_a_good_one_remembered(chain: LedgerChain) -> None:
    pool = Pool(chain.view(), lambda: chain.now_ms)
    good = chain.transfer(BOB, CAROL.address)
    forged = bytearray(good)
    forged[60] ^= 1
    for code in (1010, 1012):
        with pytest.raises(PoolRefused) as refusal:
            pool.submit(bytes(forged))
        assert refusal.value.code == code
    assert pool.submit(good) == extrinsic_hash(good)
    assert len(chain.ledger.signatures._young) == 1


def test_poor_account_may_try_again(chain: LedgerChain) -> None:
    pool = Pool(chain.view(), lambda: chain.now_ms)
    poor = chain.transfer(CAROL, ALICE.address, nonce=0)
    with pytest.raises(PoolRefused) as refusal:
        pool.submit(poor)
    assert refusal.value.code == 1010
    block = chain.grow(chain.transfer(ALICE, CAROL.address, 5 * NOE))
    pool.prune(block.extrinsics, 1)
    pool.submit(poor)
    assert pool.ready() == (poor,)


def test_mortal_transaction_expires(chain: LedgerChain) -> None:
    pool = Pool(chain.view(), lambda: chain.now_ms)
    chain.grow()
    mortal = chain.mortal_transfer(ALICE, CAROL.address, period=4)
    pool.submit(mortal)
    for _ in range(5):
        assert decode_extrinsic(mortal).signed is not None
        block = chain.grow()
        pool.prune(block.extrinsics, block.header.number)
    assert pool.pending() == ()
