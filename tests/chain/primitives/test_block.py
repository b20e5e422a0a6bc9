"""Blocks: header bytes and hashes of real chains, digests, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.block import (
    BLOCK,
    HEADER,
    Block,
    DigestItem,
    Header,
    PostDigest,
    PreDigest,
    digests_of,
    post_digest_item,
    pre_digest_item,
    results_root,
)
from chain.primitives.codec import DecodeError, EncodeError
from chain.primitives.extrinsic import Extrinsic, encode_extrinsic
from chain.primitives.hashing import blake2_256

PRE = PreDigest(b"\7" * 32, b"\x08" * 32)
POST = PostDigest(b"\1" * 32, b"\2" * 32, b"\3" * 32)


def test_header_of_the_reference_vector() -> None:
    header = Header(
        b"\1" * 32,
        66,
        b"\2" * 32,
        b"\3" * 32,
        (
            DigestItem(6, b"aura", bytes.fromhex("0807060504030201")),
            DigestItem(4, b"test", b"\xde\xad"),
            DigestItem(5, b"aura", bytes(4)),
            DigestItem(0, b"", b"\1\2"),
        ),
    )
    assert header.hash().hex() == "ecccdf0ef02ab89032a6b95ffa6b7175b6878f98c8e32255ed861e4ad40aa90e"
    assert HEADER.decode(HEADER.encode(header)) == header


def test_header_of_a_real_substrate_chain() -> None:
    encoded = bytes.fromhex(
        "958cfc161d7a67c535d6883a5948f651261f49e5de37853fe3b40ceb25de10b510480b72d7c3aeeb6189e5ad7269bb"
        "7a1e5f1734d974c8d203ae2be70b8a4e228e92c5e68c2fb782103744e36a559793d6d0f0da0b242dc64ec4475236a3"
        "2732e600"
    )
    header = HEADER.decode(encoded)
    assert header.number == 4
    assert header.hash().hex() == "ce98cbfba39bea0e951b29eb5e5debb9272cd416c09d6d0baa5e82abc80273e3"


def test_digests_travel_in_the_header() -> None:
    header = Header(
        bytes(32), 1, bytes(32), bytes(32), (pre_digest_item(PRE), post_digest_item(POST))
    )
    assert digests_of(HEADER.decode(HEADER.encode(header))) == (PRE, POST)


@pytest.mark.parametrize(
    "digest",
    [
        (),
        (pre_digest_item(PRE),),
        (post_digest_item(POST), pre_digest_item(PRE)),
        (pre_digest_item(PRE), post_digest_item(POST), DigestItem(0, b"", b"")),
        (pre_digest_item(PRE), DigestItem(4, b"noem", b"\0")),
    ],
)
def test_other_digests_are_refused(digest: tuple[DigestItem, ...]) -> None:
    with pytest.raises(DecodeError):
        digests_of(Header(bytes(32), 1, bytes(32), bytes(32), digest))


@pytest.mark.parametrize("item", [DigestItem(0, b"noem", b""), DigestItem(4, b"no", b"")])
def test_impossible_digest_items_do_not_encode(item: DigestItem) -> None:
    with pytest.raises(EncodeError):
        HEADER.encode(Header(bytes(32), 1, bytes(32), bytes(32), (item,)))


def test_block_round_trip() -> None:
    extrinsics = tuple(encode_extrinsic(Extrinsic(bytes(size))) for size in (2, 99, 70_000))
    header = Header(bytes(32), 9, bytes(32), bytes(32), ())
    block = Block(header, extrinsics, (b"\5" * 32,))
    encoded = BLOCK.encode(block)
    assert BLOCK.decode(encoded) == block
    assert block.hash() == header.hash() == blake2_256(HEADER.encode(header))


def test_results_root_depends_on_order() -> None:
    one, two = b"\1" * 32, b"\2" * 32
    assert results_root((one, two)) == blake2_256(b"\x08" + one + two)
    assert results_root((two, one)) != results_root((one, two))


@given(st.binary(max_size=300))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    for codec in (HEADER, BLOCK):
        try:
            value = codec.decode(data)
        except DecodeError:
            continue
        assert codec.encode(value) == data
