"""Read proofs: they show what is there and what is not, and no byte of them can be changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.hashing import blake2_256
from chain.primitives.trie import EMPTY_ROOT, change_trie, no_nodes
from chain.primitives.trie_proof import ProofInvalid, make_proof, verify_proof

KEYS = st.binary(max_size=4)
ENTRIES = st.dictionaries(
    KEYS, st.sampled_from([b"", b"v" * 32, b"w" * 33, bytes(100)]), max_size=20
)


@settings(max_examples=150, deadline=None)
@given(ENTRIES, st.lists(KEYS, max_size=4), st.data())
def test_proof_shows_values_and_absence_and_no_change_goes_unseen(
    entries: dict[bytes, bytes], others: list[bytes], draw: st.DataObject
) -> None:
    change = change_trie(EMPTY_ROOT, entries, no_nodes)
    keys = [*others, *sorted(entries)[:3]]
    proof = list(make_proof(change.root, keys, change.encoded.__getitem__))
    assert verify_proof(change.root, keys, proof) == {key: entries.get(key) for key in keys}

    if proof:
        item = draw.draw(st.integers(0, len(proof) - 1))
        position = draw.draw(st.integers(0, max(len(proof[item]) - 1, 0)))
        tampered = bytearray(proof[item])
        tampered[position] ^= draw.draw(st.integers(1, 255))
        with pytest.raises(ProofInvalid):
            verify_proof(change.root, keys, [*proof[:item], bytes(tampered), *proof[item + 1 :]])
        with pytest.raises(ProofInvalid):
            verify_proof(change.root, keys, proof[:item] + proof[item + 1 :])


def test_every_single_byte_is_guarded() -> None:
    entries = {b"alpha": b"\x01" * 33, b"alphabet": b"\x02" * 32, b"b": b"\x04"}
    change = change_trie(EMPTY_ROOT, entries, no_nodes)
    proof = make_proof(change.root, sorted(entries), change.encoded.__getitem__)
    for item, encoded in enumerate(proof):
        for position in range(len(encoded)):
            tampered = bytearray(encoded)
            tampered[position] ^= 1
            changed = [*proof[:item], bytes(tampered), *proof[item + 1 :]]
            with pytest.raises(ProofInvalid):
                verify_proof(change.root, sorted(entries), changed)


def test_items_that_no_key_needs_are_refused() -> None:
    change = change_trie(EMPTY_ROOT, {b"a": b"1"}, no_nodes)
    proof = make_proof(change.root, [b"a"], change.encoded.__getitem__)
    with pytest.raises(ProofInvalid) as refusal:
        verify_proof(change.root, [b"a"], [*proof, b"more"])
    assert str(refusal.value) == "the proof holds items that no key needs"
    with pytest.raises(ProofInvalid) as refusal:
        verify_proof(change.root, [b"a"], [*proof, *proof])
    assert str(refusal.value) == "an item of the proof comes twice"


def test_malformed_node_is_refused_even_if_its_hash_is_right() -> None:
    with pytest.raises(ProofInvalid) as refusal:
        verify_proof(blake2_256(b"\x01"), [b"a"], [b"\x01"])
    assert str(refusal.value) == "the proof holds a malformed node: unknown kind of trie node"
