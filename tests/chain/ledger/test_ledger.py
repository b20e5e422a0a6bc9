"""The ledger: what it builds others accept, wrong blocks are refused by name, final ones stay."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain.ledger import (
    BlockRefused,
    ConflictingBlock,
    Ledger,
    LedgerConfig,
    OutOfOrder,
    SignatureChecker,
    WrongGenesis,
)
from chain.ledger.refusals import Reason
from chain.primitives.block import (
    Block,
    DigestItem,
    PostDigest,
    PreDigest,
    digests_of,
    post_digest_item,
    pre_digest_item,
)
from chain.primitives.extrinsic import Extrinsic, encode_extrinsic, extrinsic_hash
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.numbers import NOE
from chain.primitives.trie import ordered_root
from chain.storage.block_store import BlockStore
from chain.storage.database import (
    DatabaseCorrupted,
    DatabaseFailed,
    DiskDatabase,
    Write,
)
from consensus.core.certificate import InvalidCertificate, certificate_hash
from consensus.core.messages import CERTIFICATE, Kind
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.block_execution import ApplyResult, BlockExecution, BlockOutcome
from runtime.frame.ports import LocalFailure
from runtime.validation import BadProof, ExhaustsResources, Stale
from tests.support.ledger_chain import ALICE, BOB, CAROL, LedgerChain
from tests.support.memory_database import MemoryDatabase


def seen(chain: LedgerChain) -> tuple[Any, ...]:
    """Return all that a refusal must leave alone."""
    assert isinstance(chain.database, MemoryDatabase)
    return chain.ledger.head, dict(chain.database.iterate(b""))


def refused(chain: LedgerChain, block: Block) -> BlockRefused:
    before = seen(chain)
    with pytest.raises(BlockRefused) as refusal:
        chain.ledger.check(block)
    assert seen(chain) == before
    return refusal.value


def test_built_block_is_accepted_by_others_and_moves_all_heads() -> None:
    proposer, voter = LedgerChain(), LedgerChain()
    block = proposer.build(proposer.transfer(ALICE, CAROL.address, 5 * NOE))
    voter.ledger.check(block)
    for chain in (proposer, voter):
        certificate = chain.certify(block)
        chain.ledger.commit(block, certificate)
        head = chain.ledger.head
        assert (head.height, head.hash, head.header) == (1, block.hash(), block.header)
        assert chain.free([CAROL.address]) == [5 * NOE]
        queries = chain.ledger.queries
        assert queries.block(head.hash) == block
        assert queries.certificate(head.hash) == certificate
        assert queries.place_of(extrinsic_hash(block.extrinsics[2])) == (head.hash, 2)


def test_chain_goes_on_and_names_the_parents_certificate() -> None:
    chain = LedgerChain()
    first = chain.grow(chain.transfer(ALICE, CAROL.address))
    second = chain.grow(chain.transfer(ALICE, CAROL.address), chain.transfer(BOB, CAROL.address))
    kept = chain.ledger.queries.certificate(first.hash())
    assert kept is not None
    assert digests_of(first.header)[0] == PreDigest(ALICE.address, ZERO_HASH)
    assert digests_of(second.header)[0] == PreDigest(ALICE.address, certificate_hash(kept))
    assert chain.free([CAROL.address]) == [3 * NOE]
    other = chain.certify(second)
    third = chain.ledger.build(chain.now_ms + 1000, chain.author(BOB), other, ())
    assert digests_of(third.header)[0] == PreDigest(BOB.address, certificate_hash(other))


def test_replay_of_a_chain_ends_in_the_same_state() -> None:
    chain, follower = LedgerChain(), LedgerChain()
    for number in range(5):
        sender = (ALICE, BOB)[number % 2]
        chain.grow(
            chain.transfer(sender, CAROL.address), chain.mortal_transfer(sender, b"\1" * 32, 4)
        )
    for height in range(1, 6):
        block_hash = chain.ledger.queries.hash_at(height)
        assert block_hash is not None
        block = chain.ledger.queries.block(block_hash)
        certificate = chain.ledger.queries.certificate(block_hash)
        assert block is not None
        assert certificate is not None
        follower.ledger.commit(block, certificate)
    assert follower.ledger.head == chain.ledger.head


def test_candidates_that_cannot_stand_are_left_out_and_told() -> None:
    skipped: list[tuple[bytes, type[Exception]]] = []
    chain = LedgerChain(skipped=lambda encoded, error: skipped.append((encoded, type(error))))
    good = [chain.transfer(ALICE, CAROL.address, nonce=nonce) for nonce in range(2)]
    forged = bytearray(chain.transfer(BOB, CAROL.address))
    forged[-1] ^= 1
    bare = encode_extrinsic(Extrinsic(b"\x00\x00"))
    block = chain.build(good[0], bytes(forged), b"nonsense", good[0], bare, good[1])
    assert block.extrinsics[2:] == tuple(good)
    assert skipped == [(b"nonsense", BadProof), (bytes(forged), BadProof), (good[0], Stale)]


def test_what_this_node_cannot_execute_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    skipped: list[tuple[bytes, type[Exception]]] = []
    chain = LedgerChain(skipped=lambda encoded, error: skipped.append((encoded, type(error))))
    hard, easy = chain.transfer(ALICE, CAROL.address), chain.transfer(BOB, CAROL.address)
    block = LedgerChain().build(hard, easy)
    honest = BlockExecution.apply

    def apply(
        self: BlockExecution, extrinsic: Extrinsic, encoded: bytes, **how: bool
    ) -> ApplyResult:
        if encoded == hard:
            raise LocalFailure("the worker is gone")
        return honest(self, extrinsic, encoded, **how)

    monkeypatch.setattr(BlockExecution, "apply", apply)
    before = seen(chain)
    with pytest.raises(LocalFailure):
        chain.ledger.check(block)
    with pytest.raises(LocalFailure):
        chain.ledger.commit(block, chain.certify(block))
    assert seen(chain) == before
    assert chain.build(hard, easy).extrinsics[2:] == (easy,)
    assert skipped == [(hard, LocalFailure)]
    monkeypatch.setattr(BlockExecution, "apply", honest)
    chain.ledger.check(block)


def test_full_block_stops_after_many_misses() -> None:
    skipped: list[type[Exception]] = []
    limits = replace(CONFIG.limits, length_max=670)
    chain = LedgerChain(
        config=replace(CONFIG, limits=limits),
        ledger_config=LedgerConfig(misses_max=3),
        skipped=lambda _, error: skipped.append(type(error)),
    )
    candidates = [chain.transfer(ALICE, CAROL.address, nonce=nonce) for nonce in range(3)]
    candidates += [chain.transfer(BOB, CAROL.address)] * 20
    block = chain.build(*candidates)
    assert block.extrinsics[2:] == tuple(candidates[:3])
    assert skipped == [ExhaustsResources] * 4


def test_time_of_a_block_is_at_least_what_the_rules_allow() -> None:
    chain = LedgerChain()
    chain.grow()
    block = chain.ledger.build(5, chain.author(ALICE), None, ())
    chain.ledger.commit(block, chain.certify(block))
    state = chain.ledger.queries.state(block.hash())
    assert (
        state.pallets.timestamp.earliest() == chain.now_ms + 2 * CONFIG.timestamp.minimum_period_ms
    )


def with_extrinsics(block: Block, *extrinsics: bytes) -> Block:
    header = replace(block.header, extrinsics_root=ordered_root(extrinsics))
    return replace(block, header=header, extrinsics=extrinsics)


def with_header(block: Block, **changes: Any) -> Block:
    return replace(block, header=replace(block.header, **changes))


def with_digests(
    block: Block, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> Block:
    pre, post = digests_of(block.header)
    pre, post = replace(pre, **(before or {})), replace(post, **(after or {}))
    return with_header(block, digest=(pre_digest_item(pre), post_digest_item(post)))


def forged_signature(block: Block) -> Block:
    transfer = bytearray(block.extrinsics[2])
    transfer[50] ^= 1
    return with_extrinsics(block, *block.extrinsics[:2], bytes(transfer))


def without_time(block: Block) -> Block:
    return with_extrinsics(block, *block.extrinsics[1:])


OTHER = b"\x05" * 32


def without_secret(block: Block) -> Block:
    return with_extrinsics(block, block.extrinsics[0], *block.extrinsics[2:])


def with_another_secret(block: Block) -> Block:
    said = {"secret": OTHER, "commitment": OTHER}
    reveal = encode_extrinsic(Extrinsic(CONSTRUCT.encode_call("Randomness", "reveal", said)))
    return with_extrinsics(block, block.extrinsics[0], reveal, *block.extrinsics[2:])


TAMPERED: list[tuple[Reason, Callable[[Block], Block]]] = [
    (Reason.HEIGHT, lambda block: with_header(block, number=0)),
    (Reason.PARENT, lambda block: with_header(block, parent_hash=OTHER)),
    (Reason.DIGEST, lambda block: with_header(block, digest=(DigestItem(0, b"", b"x"),))),
    (Reason.PROPOSER, lambda block: with_digests(block, {"proposer": CAROL.address})),
    (Reason.PARENT_CERTIFICATE, lambda block: with_digests(block, {"parent_certificate": OTHER})),
    (Reason.FORMAT, lambda block: with_extrinsics(block, block.extrinsics[0], b"\x08zz")),
    (Reason.EXTRINSICS_ROOT, lambda block: replace(block, extrinsics=block.extrinsics[:1])),
    (Reason.SIGNATURE, forged_signature),
    (
        Reason.TRANSACTION,
        lambda block: with_extrinsics(block, *block.extrinsics, block.extrinsics[2]),
    ),
    (Reason.INCOMPLETE, without_time),
    (Reason.INCOMPLETE, without_secret),
    (Reason.TRANSACTION, with_another_secret),
    (Reason.RESULTS, lambda block: replace(block, results=(OTHER,))),
    (Reason.RESULTS_ROOT, lambda block: with_digests(block, after={"results_root": OTHER})),
    (Reason.VALIDATORS, lambda block: with_digests(block, after={"validators": OTHER})),
    (Reason.NEXT_VALIDATORS, lambda block: with_digests(block, after={"next_validators": OTHER})),
    (Reason.STATE_ROOT, lambda block: with_header(block, state_root=OTHER)),
]


@pytest.mark.parametrize(("reason", "tamper"), TAMPERED, ids=lambda each: getattr(each, "name", ""))
def test_tampered_block_is_refused_by_name(
    reason: Reason, tamper: Callable[[Block], Block]
) -> None:
    block = LedgerChain().build(LedgerChain().transfer(ALICE, CAROL.address))
    chain = LedgerChain()
    refusal = refused(chain, tamper(block))
    assert refusal.reason is reason
    assert str(refusal).startswith(reason.value)
    chain.ledger.check(block)


def test_every_reason_is_reached() -> None:
    reached = {reason for reason, _ in TAMPERED}
    elsewhere = {Reason.SIZE, Reason.TIMESTAMP}
    assert reached | elsewhere == set(Reason)


def test_a_result_that_comes_out_otherwise_is_refused_by_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results, finish = (b"\x06" * 32, OTHER), BlockExecution.finish

    def finish_with_results(execution: BlockExecution) -> BlockOutcome:
        execution.state.results.extend(results)
        return finish(execution)

    monkeypatch.setattr(BlockExecution, "finish", finish_with_results)
    chain = LedgerChain()
    block = LedgerChain().build()
    assert block.results == results
    refusal = refused(chain, replace(block, results=(results[0], results[0])))
    assert (refusal.reason, refusal.place) == (Reason.RESULTS, 1)
    assert refused(chain, replace(block, results=results[:1])).reason is Reason.RESULTS
    chain.ledger.check(block)


def test_what_a_block_makes_is_kept_once_before_the_block_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, finish = ((OTHER, b"bytes"),), BlockExecution.finish

    def finish_with_content(execution: BlockExecution) -> BlockOutcome:
        execution.state.contents.extend(made)
        return finish(execution)

    monkeypatch.setattr(BlockExecution, "finish", finish_with_content)
    heights: list[int] = []
    kept: list[tuple[bytes, bytes]] = []

    def keep(root: bytes, content: bytes) -> None:
        heights.append(chain.ledger.head.height)
        kept.append((root, content))

    chain = LedgerChain(keep_content=keep)
    block = chain.build()
    assert kept == []
    chain.ledger.commit(block, chain.certify(block))
    assert (kept, heights) == (list(made), [0])


def test_block_above_the_size_is_refused() -> None:
    chain = LedgerChain()
    large = [encode_extrinsic(Extrinsic(bytes(200_000)))] * 6
    block = with_extrinsics(chain.build(), *large)
    assert refused(chain, block).reason is Reason.SIZE


def test_time_from_the_future_is_refused_until_it_comes_but_not_when_final() -> None:
    fast, slow = LedgerChain(), LedgerChain()
    fast.now_ms = slow.now_ms + 10_001
    block = fast.build()
    refusal = refused(slow, block)
    assert (refusal.reason, refusal.detail) == (
        Reason.TIMESTAMP,
        "1010001 ms, at most 1010000 ms",
    )
    slow.now_ms += 1
    slow.ledger.check(block)
    third = LedgerChain()
    third.ledger.commit(block, third.certify(block))
    assert third.ledger.head.hash == block.hash()


def test_body_of_another_block_is_told_from_the_header() -> None:
    chain = LedgerChain()
    block = chain.build(chain.transfer(ALICE, CAROL.address))
    assert chain.ledger.is_body_of_header(block)
    other = replace(block, extrinsics=block.extrinsics[:1])
    assert not chain.ledger.is_body_of_header(other)
    assert not chain.ledger.is_body_of_header(replace(block, results=(OTHER,)))
    assert not chain.ledger.is_body_of_header(with_header(block, digest=()))
    # The header was executed already; the body is compared all the same.
    assert refused(chain, other).reason is Reason.EXTRINSICS_ROOT


def test_competing_proposals_are_kept_side_by_side() -> None:
    chain = LedgerChain()
    first = chain.build(chain.transfer(ALICE, CAROL.address))
    second = chain.build(chain.transfer(BOB, CAROL.address, 2 * NOE))
    chain.ledger.commit(second, chain.certify(second))
    assert chain.free([CAROL.address]) == [2 * NOE]
    with pytest.raises(ConflictingBlock):
        chain.ledger.commit(first, chain.certify(second))
    assert chain.ledger.head.hash == second.hash()


def test_only_the_newest_outcomes_are_kept() -> None:
    chain = LedgerChain(ledger_config=LedgerConfig(kept_max=2))
    blocks = []
    for _ in range(4):
        chain.now_ms += 1000
        blocks.append(chain.build())
    assert list(chain.ledger._kept) == [block.hash() for block in blocks[2:]]
    chain.ledger.commit(blocks[0], chain.certify(blocks[0]))
    assert (chain.ledger.head.hash, chain.ledger._kept) == (blocks[0].hash(), {})


def test_commit_again_changes_nothing() -> None:
    chain = LedgerChain()
    block = chain.grow(chain.transfer(ALICE, CAROL.address))
    before = seen(chain)
    chain.ledger.commit(block, chain.certify(block))
    assert seen(chain) == before


def test_commit_out_of_order_is_refused() -> None:
    chain, behind = LedgerChain(), LedgerChain()
    chain.grow()
    second = chain.grow()
    before = seen(behind)
    with pytest.raises(OutOfOrder):
        behind.ledger.commit(second, chain.certify(second))
    assert seen(behind) == before


def test_block_above_the_next_height_is_not_judged() -> None:
    chain, behind = LedgerChain(), LedgerChain()
    chain.grow()
    second = chain.build()
    before = seen(behind)
    with pytest.raises(OutOfOrder):
        behind.ledger.check(second)
    assert seen(behind) == before


def test_final_block_is_right_even_if_the_head_has_moved_on() -> None:
    chain = LedgerChain()
    other = chain.build(chain.transfer(BOB, CAROL.address))
    final = chain.grow(chain.transfer(ALICE, CAROL.address))
    chain.grow()
    chain.ledger.check(final)
    assert refused(chain, replace(final, extrinsics=())).reason is Reason.HEIGHT
    assert refused(chain, other).reason is Reason.HEIGHT


def test_certificate_must_make_this_block_final() -> None:
    chain = LedgerChain()
    block, other = chain.build(), chain.build(chain.transfer(ALICE, CAROL.address))
    good = chain.certify(block)
    before = seen(chain)
    for certificate in (
        chain.certify(other),
        replace(good, height=2),
        replace(good, kind=Kind.PREVOTE),
        replace(good, block_hash=None),
        chain.certify(block, [ALICE]),
        replace(good, round=1),
    ):
        with pytest.raises(InvalidCertificate):
            chain.ledger.commit(block, certificate)
    assert seen(chain) == before
    chain.ledger.commit(block, replace(good, round=1), certificate_checked=True)
    assert chain.ledger.head.hash == block.hash()


class FailingDatabase(MemoryDatabase):
    """A disk that can be full."""

    full = False

    def write(self, writes: Iterable[Write], *, sync: bool = False) -> None:
        if self.full:
            raise DatabaseFailed("no space left")
        super().write(writes, sync=sync)


def test_full_disk_moves_nothing_and_commit_can_be_repeated() -> None:
    database = FailingDatabase()
    chain = LedgerChain(database)
    block = chain.build(chain.transfer(ALICE, CAROL.address))
    before = seen(chain)
    database.full = True
    with pytest.raises(DatabaseFailed):
        chain.ledger.commit(block, chain.certify(block))
    assert seen(chain) == before
    database.full = False
    chain.ledger.commit(block, chain.certify(block))
    assert chain.free([CAROL.address]) == [NOE]


def test_restart_goes_on_where_it_stood(tmp_path: Path) -> None:
    with DiskDatabase(tmp_path) as database:
        chain = LedgerChain(database)
        chain.grow(chain.transfer(ALICE, CAROL.address))
        head = chain.ledger.head
    with DiskDatabase(tmp_path) as database:
        chain = LedgerChain(database)
        assert chain.ledger.head == head
        assert chain.free([CAROL.address]) == [NOE]
        chain.grow(chain.transfer(ALICE, CAROL.address))


def test_folder_of_another_chain_is_refused() -> None:
    chain = LedgerChain()
    chain.grow()
    before = seen(chain)
    with pytest.raises(WrongGenesis) as refusal:
        LedgerChain(chain.database, endowments={ALICE.address: 999 * NOE, BOB.address: 999 * NOE})
    assert str(refusal.value).startswith(f"the folder holds chain 0x{chain.genesis.hash().hex()}")
    assert seen(chain) == before


def test_state_that_does_not_belong_to_the_blocks_is_noticed() -> None:
    chain = LedgerChain()
    stranger = LedgerChain().build()
    chain.database.write(BlockStore(chain.database).writes_for(stranger, None))
    with pytest.raises(DatabaseCorrupted):
        LedgerChain(chain.database)


def test_killed_node_stands_on_a_whole_block(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from chain.storage.database import DiskDatabase\n"
        "from tests.support.ledger_chain import *\n"
        "chain = LedgerChain(DiskDatabase(Path(sys.argv[1])))\n"
        "while True:\n"
        "    chain.grow(chain.transfer(ALICE, CAROL.address))\n"
        "    print(chain.ledger.head.height, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(5)]
    process.kill()
    process.wait()
    told += [int(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    with DiskDatabase(tmp_path) as database:
        chain = LedgerChain(database)
        assert chain.ledger.head.height >= told[-1]
        assert chain.free([CAROL.address]) == [chain.ledger.head.height * NOE]
        chain.ledger.queries.state(chain.ledger.head.hash).check_invariants()


def test_signatures_are_checked_in_threads_and_once() -> None:
    with ThreadPoolExecutor(2) as threads:
        chain = LedgerChain(signatures=SignatureChecker(threads))
        candidates = [chain.transfer(ALICE, CAROL.address, nonce=nonce) for nonce in range(70)]
        block = chain.build(*candidates)
        assert len(block.extrinsics) == 72
        voter = LedgerChain(signatures=SignatureChecker(threads))
        forged = bytearray(candidates[40])
        forged[60] ^= 1
        tampered = with_extrinsics(block, *block.extrinsics[:42], bytes(forged))
        refusal = refused(voter, tampered)
        assert (refusal.reason, refusal.place) == (Reason.SIGNATURE, 42)
        voter.ledger.check(block)


def test_reads_go_on_while_blocks_are_committed() -> None:
    chain = LedgerChain()
    genesis_hash, seen_frees, stop = chain.ledger.head.hash, [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            state = chain.ledger.queries.state(genesis_hash)
            seen_frees.append(state.account(CAROL.address).data.free)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        chain.grow(chain.transfer(ALICE, CAROL.address))
    stop.set()
    reader.join()
    assert set(seen_frees) == {0}


def test_kept_certificate_is_what_was_committed() -> None:
    chain = LedgerChain()
    block = chain.build()
    certificate = chain.certify(block)
    chain.ledger.commit(block, certificate)
    encoded = chain.ledger.queries.encoded_certificate(block.hash())
    assert encoded == CERTIFICATE.encode(certificate)


def test_post_digest_names_the_validators() -> None:
    chain = LedgerChain()
    before = chain.ledger.head.validators
    block = chain.grow()
    after = digests_of(block.header)[1]
    assert after == PostDigest(
        after.results_root, before.hash(), chain.ledger.head.validators.hash()
    )
    assert isinstance(chain.ledger, Ledger)
