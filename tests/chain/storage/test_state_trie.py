"""The state on disk: against whole-mapping roots, with history, competing patches and restarts."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.hashing import blake2_128, blake2_256
from chain.primitives.trie import EMPTY_ROOT, trie_root
from chain.primitives.trie_proof import verify_proof
from chain.storage.database import DatabaseFailed, DiskDatabase, Write
from chain.storage.state_trie import StateMissing, StateTrie
from tests.support.memory_database import MemoryDatabase

KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0xFF]), max_size=4).map(bytes)
VALUES = st.sampled_from([b"", b"short", b"v" * 32, b"w" * 33, b"x" * 33, bytes(100)])
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=10)


def applied(state: dict[bytes, bytes], changes: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    merged = {**state, **changes}
    return {key: value for key, value in sorted(merged.items()) if value is not None}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(CHANGES, CHANGES), max_size=5), KEYS, st.none() | KEYS)
def test_every_state_of_the_history_stays_readable(
    rounds: list[tuple[dict[bytes, bytes | None], dict[bytes, bytes | None]]],
    prefix: bytes,
    after: bytes | None,
) -> None:
    trie = StateTrie(MemoryDatabase(), cache_bytes=2000)
    state: dict[bytes, bytes] = {}
    history = [(EMPTY_ROOT, state)]
    for changes, others in rounds:
        competing = trie.prepare(trie.root, others)
        assert competing.root == trie_root(applied(state, others))
        patch = trie.prepare(trie.root, changes)
        state = applied(state, changes)
        assert patch.root == trie_root(state)
        trie.commit(patch)
        history.append((trie.root, state))
    for root, held in history:
        assert dict(trie.walk(root)) == held
        assert [trie.read(root, key) for key in held] == list(held.values())
        assert trie.read(root, b"absent") is None
        assert (
            trie.keys(root, prefix, after, count=3)
            == [key for key in held if key.startswith(prefix) and (after is None or key > after)][
                :3
            ]
        )


def account_key(number: int) -> bytes:
    address = blake2_256(number.to_bytes(4, "little"))
    return b"P" * 32 + blake2_128(address) + address


def test_many_accounts_in_blocks() -> None:
    dice = random.Random(5)
    trie = StateTrie(MemoryDatabase())
    state: dict[bytes, bytes] = {}
    for _ in range(6):
        changes: dict[bytes, bytes | None] = {
            account_key(dice.randrange(3000)): dice.choice([None, dice.randbytes(80), b"tiny"])
            for _ in range(900)
        }
        trie.commit(trie.prepare(trie.root, changes))
        state = applied(state, changes)
        assert trie.root == trie_root(state)
    assert dict(trie.walk(trie.root)) == state


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with DiskDatabase(tmp_path) as database:
        trie = StateTrie(database)
        trie.commit(trie.prepare(EMPTY_ROOT, {b"a": b"1" * 40, b"b": b"2"}), [(b"zother", b"3")])
        first = trie.root
        trie.commit(trie.prepare(first, {b"a": None}))
    with DiskDatabase(tmp_path) as database:
        trie = StateTrie(database)
        assert dict(trie.walk(trie.root)) == {b"b": b"2"}
        assert dict(trie.walk(first)) == {b"a": b"1" * 40, b"b": b"2"}
        assert database.get(b"zother") == b"3"


def test_reader_keeps_to_its_root() -> None:
    trie = StateTrie(MemoryDatabase())
    trie.commit(trie.prepare(EMPTY_ROOT, {b"a": b"1"}))
    read = trie.reader(trie.root)
    walk = trie.walk(trie.root)
    trie.commit(trie.prepare(trie.root, {b"a": b"2", b"b": b"3"}))
    assert (read(b"a"), read(b"b")) == (b"1", None)
    assert list(walk) == [(b"a", b"1")]
    assert trie.read(trie.root, b"a") == b"2"


def test_walk_goes_on_in_its_state_while_the_head_moves() -> None:
    trie = StateTrie(MemoryDatabase())
    before = {bytes([number]): bytes([number]) for number in range(50)}
    trie.commit(trie.prepare(EMPTY_ROOT, before))
    walk = trie.walk(trie.root)
    seen = [next(walk) for _ in range(10)]
    trie.commit(trie.prepare(trie.root, {bytes([number]): b"new" for number in range(5, 60)}))
    assert seen + list(walk) == list(before.items())


def test_proofs_of_old_states() -> None:
    trie = StateTrie(MemoryDatabase())
    trie.commit(trie.prepare(EMPTY_ROOT, {b"a": b"1" * 50, b"b": b"2"}))
    old = trie.root
    trie.commit(trie.prepare(old, {b"a": b"new"}))
    proof = trie.proof(old, [b"a", b"c"])
    assert verify_proof(old, [b"a", b"c"], proof) == {b"a": b"1" * 50, b"c": None}


def test_unknown_root_is_said_to_be_missing() -> None:
    trie = StateTrie(MemoryDatabase())
    with pytest.raises(StateMissing):
        trie.read(b"\x09" * 32, b"a")


class FullDisk(MemoryDatabase):
    """A database whose disk is full when told so."""

    full = False

    def write(self, writes: Iterable[Write], *, sync: bool = False) -> None:
        if self.full:
            raise DatabaseFailed("no space left")
        super().write(writes, sync=sync)


def test_failed_commit_moves_nothing_and_can_be_repeated() -> None:
    database = FullDisk()
    trie = StateTrie(database)
    trie.commit(trie.prepare(EMPTY_ROOT, {b"a": b"1"}))
    root = trie.root
    patch = trie.prepare(root, {b"a": b"2"})
    database.full = True
    with pytest.raises(DatabaseFailed):
        trie.commit(patch)
    assert (trie.root, trie.read(root, b"a")) == (root, b"1")
    database.full = False
    trie.commit(patch)
    assert trie.read(patch.root, b"a") == b"2"
