"""Trie nodes: what was written is read back, and nothing else is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.codec import DecodeError
from chain.primitives.trie_codec import (
    NO_CHILD,
    Node,
    compact,
    decode_node,
    encode_node,
    inline_reference,
)

PARTIALS = st.text("0123456789abcdef", max_size=80)
VALUES = st.one_of(
    st.tuples(st.binary(max_size=70), st.none()),
    st.tuples(st.none(), st.binary(min_size=32, max_size=32)),
)
CHILDREN = st.lists(
    st.one_of(
        st.just(NO_CHILD),
        st.binary(min_size=32, max_size=32).map(lambda hash_: b"\x80" + hash_),
        st.binary(min_size=1, max_size=31).map(inline_reference),
    ),
    min_size=16,
    max_size=16,
).filter(any)
LEAVES = st.builds(lambda partial, value: Node(partial, value[0], value[1], None), PARTIALS, VALUES)
BRANCHES = st.builds(
    lambda partial, value, children: Node(partial, value[0], value[1], children),
    PARTIALS,
    VALUES | st.just((None, None)),
    CHILDREN,
)


@settings(deadline=None)
@given(LEAVES | BRANCHES)
def test_round_trip(node: Node) -> None:
    assert decode_node(encode_node(node)) == node


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), LEAVES.map(encode_node), BRANCHES.map(encode_node)), st.data()
)
def test_whatever_decodes_is_canonical(encoded: bytes, draw: st.DataObject) -> None:
    if encoded and draw.draw(st.booleans()):
        position = draw.draw(st.integers(0, len(encoded) - 1))
        encoded = encoded[:position] + draw.draw(st.binary(max_size=2)) + encoded[position + 1 :]
    try:
        node = decode_node(encoded)
    except DecodeError:
        return
    assert encode_node(node) == encoded


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "a trie node is empty"),
        ("00", "unknown kind of trie node"),
        ("01", "unknown kind of trie node"),
        ("42aa04bbcc", "bytes follow a trie node"),
        ("410408", "value of a trie node is cut off"),
        ("411a00", "padding of an odd partial key is not zero"),
        ("42", "partial key of a trie node is cut off"),
        ("7fff", "partial key of a trie node is cut off"),
        ("7fffffff", "partial key of a trie node is too long"),
        ("800000", "a branch has no children"),
        ("8001", "bitmap of a branch is cut off"),
        ("800100", "child of a branch is cut off"),
        ("80010000", "child of a branch is neither a hash nor a short node"),
        ("8001008400", "child of a branch is neither a hash nor a short node"),
        ("40" + "0100", "length of a value in a trie node is not canonical"),
        ("20" + "00" * 31, "hash of a value is cut off"),
    ],
)
def test_refused_node_says_why(encoded: str, reason: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        decode_node(bytes.fromhex(encoded))
    assert str(refusal.value) == reason


def test_compact_lengths() -> None:
    assert [compact(number).hex() for number in (0, 63, 64, 16383, 16384)] == [
        *("00", "fc", "0101", "fdff", "02000100"),
    ]
