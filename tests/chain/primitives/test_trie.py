"""The trie against a plain recursive definition over a dict."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.hashing import blake2_256
from chain.primitives.trie import (
    EMPTY_ROOT,
    KeyTooLong,
    StateVersion,
    TrieChange,
    change_trie,
    no_nodes,
    ordered_root,
    read_trie,
    trie_root,
    walk_trie,
)
from chain.primitives.trie_codec import compact

KEYS = st.one_of(
    st.binary(max_size=6),
    st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), max_size=5).map(bytes),
)
VALUES = st.one_of(st.binary(max_size=3), st.sampled_from([b"\x07" * 32, b"\x08" * 33, bytes(200)]))
ENTRIES = st.dictionaries(KEYS, VALUES, max_size=24)
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=16)
VERSIONS = st.sampled_from(StateVersion)


def naive_root(entries: dict[bytes, bytes], version: StateVersion) -> bytes:
    """Return the root by the definition: no sharing, no increments."""
    if not entries:
        return blake2_256(b"\x00")
    nibbles = {
        tuple(half for byte in key for half in (byte >> 4, byte & 15)): value
        for key, value in entries.items()
    }
    return blake2_256(_naive_node(nibbles, version))


def _naive_node(entries: dict[tuple[int, ...], bytes], version: StateVersion) -> bytes:
    shortest = min(entries, key=len)
    length = 0
    while length < len(shortest) and len({key[length] for key in entries}) == 1:
        length += 1
    partial = shortest[:length]
    value = entries.get(partial)
    hashed = version is StateVersion.V1 and value is not None and len(value) > 32
    body = b""
    if value is not None:
        body = blake2_256(value) if hashed else compact(len(value)) + value
    groups: dict[int, dict[tuple[int, ...], bytes]] = {}
    for key, item in entries.items():
        if len(key) > length:
            groups.setdefault(key[length], {})[key[length + 1 :]] = item
    if not groups:
        return _naive_head(0x20 if hashed else 0x40, 5 if hashed else 6, partial) + body
    kind = (0x10, 4) if hashed else ((0x80, 6) if value is None else (0xC0, 6))
    encoded = _naive_head(*kind, partial)
    encoded += sum(1 << index for index in groups).to_bytes(2, "little") + body
    for _, group in sorted(groups.items()):
        child = _naive_node(group, version)
        child = child if len(child) < 32 else blake2_256(child)
        encoded += compact(len(child)) + child
    return encoded


def _naive_head(prefix: int, bits: int, partial: tuple[int, ...]) -> bytes:
    most = 2**bits - 1
    count = len(partial)
    head = [prefix | min(count, most)]
    if count >= most:
        rest = count - most
        while rest >= 255:
            head.append(255)
            rest -= 255
        head.append(rest)
    padded = ((0,) if count % 2 else ()) + partial
    return bytes(head) + bytes(
        high << 4 | low for high, low in zip(padded[::2], padded[1::2], strict=True)
    )


class Kept:
    """Nodes that earlier changes made."""

    def __init__(self) -> None:
        self.encoded: dict[bytes, bytes] = {}

    def keep(self, change: TrieChange) -> bytes:
        self.encoded |= change.encoded
        return change.root

    def load(self, node_hash: bytes) -> bytes:
        return self.encoded[node_hash]


@settings(max_examples=150, deadline=None)
@given(ENTRIES, VERSIONS)
def test_root_is_the_definition(entries: dict[bytes, bytes], version: StateVersion) -> None:
    assert trie_root(entries, version) == naive_root(entries, version)


@settings(max_examples=200, deadline=None)
@given(st.lists(CHANGES, max_size=5), VERSIONS)
def test_changes_lead_where_building_anew_leads(
    rounds: list[dict[bytes, bytes | None]], version: StateVersion
) -> None:
    model: dict[bytes, bytes] = {}
    kept = Kept()
    root = EMPTY_ROOT
    for changes in rounds:
        root = kept.keep(change_trie(root, changes, kept.load, version))
        for key, value in changes.items():
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
        assert root == naive_root(model, version)
        for key in (*changes, *model):
            assert read_trie(root, key, kept.load) == model.get(key)
        assert list(walk_trie(root, kept.load)) == sorted(model.items())


@settings(max_examples=150, deadline=None)
@given(ENTRIES, KEYS, st.none() | KEYS)
def test_walk_yields_the_prefix_from_a_key_on(
    entries: dict[bytes, bytes], prefix: bytes, after: bytes | None
) -> None:
    kept = Kept()
    root = kept.keep(change_trie(EMPTY_ROOT, entries, no_nodes))
    assert list(walk_trie(root, kept.load, prefix, after)) == [
        (key, value)
        for key, value in sorted(entries.items())
        if key.startswith(prefix) and (after is None or key > after)
    ]


def test_no_changes_keep_the_root() -> None:
    assert change_trie(b"\x05" * 32, {}, no_nodes) == TrieChange(b"\x05" * 32, {})


def test_deleting_everything_leaves_the_empty_trie() -> None:
    kept = Kept()
    root = kept.keep(change_trie(EMPTY_ROOT, {b"a": b"1", b"b": b"2"}, no_nodes))
    assert change_trie(root, {b"a": None, b"b": None}, kept.load) == TrieChange(EMPTY_ROOT, {})


def test_only_touched_nodes_are_made() -> None:
    kept = Kept()
    entries = {bytes((high, low)): b"x" * 32 for high in range(16) for low in range(16)}
    root = kept.keep(change_trie(EMPTY_ROOT, entries, no_nodes))
    change = change_trie(root, {b"\x03\x07": b"y" * 32}, kept.load)
    # Nibbles 0, 3, 0, 7: branches above 3 and above 7, and the leaf itself.
    assert len(change.encoded) == 3


def test_longest_key_is_held_and_a_longer_one_refused() -> None:
    longest = bytes(256)
    chain = {longest[:length]: b"v" for length in range(257)}
    assert trie_root(chain) == naive_root(chain, StateVersion.V1)
    with pytest.raises(KeyTooLong):
        trie_root({bytes(257): b"v"})


def test_ordered_root_tells_order_apart() -> None:
    assert ordered_root([]) == EMPTY_ROOT
    assert ordered_root([b"a", b"b"]) != ordered_root([b"b", b"a"])
