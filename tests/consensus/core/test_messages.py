"""Bytes of the messages: round trips, refusals, and what a signature stands under."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.block import Block, Header
from chain.primitives.codec import DecodeError
from consensus.core.messages import (
    CERTIFICATE,
    MESSAGE,
    BlockBody,
    BlockRequest,
    Certificate,
    CertificateEntry,
    CertificateMessage,
    ConsensusMessage,
    Kind,
    Proposal,
    Status,
    Vote,
    Votes,
    is_for_block_channel,
    proposal_bytes,
    signed_bytes,
    vote_bytes,
)

HASH, OTHER, KEY, SIGNATURE = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32, bytes([4]) * 64
VOTE = Vote(Kind.PREVOTE, 7, 2, HASH, 1, KEY, SIGNATURE)
PROPOSAL = Proposal(7, 2, HASH, None, KEY, SIGNATURE)
PROOF = Certificate(Kind.PRECOMMIT, 7, 2, HASH, (CertificateEntry(3, None, SIGNATURE),))
BLOCK = Block(Header(HASH, 7, HASH, HASH, ()), (), ())
MESSAGES: list[ConsensusMessage] = [
    PROPOSAL,
    VOTE,
    Status(7, 2, None, True, b"\x05", b"\x00"),
    BlockRequest(HASH),
    BlockBody(BLOCK),
    CertificateMessage(PROOF),
    Votes((VOTE, VOTE)),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_round_trip(message: ConsensusMessage) -> None:
    encoded = MESSAGE.encode(message)
    assert MESSAGE.decode(encoded) == message
    assert encoded[0] == MESSAGES.index(message)
    assert is_for_block_channel(message) is isinstance(message, BlockBody)


def test_votes_of_the_largest_set_fit_into_a_frame() -> None:
    assert len(MESSAGE.encode(Votes((VOTE,) * 256))) < 64 * 1024
    with pytest.raises(DecodeError):
        MESSAGE.decode(b"\x06" + b"\x05\x04" + MESSAGE.encode(VOTE)[1:] * 257)


@pytest.mark.parametrize("kind", [0, 3, 255])
def test_unknown_kind_is_refused(kind: int) -> None:
    encoded = MESSAGE.encode(VOTE)
    with pytest.raises(DecodeError, match=f"Kind: no value {kind}"):
        MESSAGE.decode(encoded[:1] + bytes([kind]) + encoded[2:])


@given(st.binary(max_size=200))
def test_any_bytes_decode_canonically_or_are_refused(data: bytes) -> None:
    for codec in (MESSAGE, CERTIFICATE):
        try:
            value = codec.decode(data)  # type: ignore[attr-defined]
        except DecodeError:
            continue
        assert codec.encode(value) == data  # type: ignore[attr-defined]


def test_signed_bytes_are_pinned() -> None:
    assert signed_bytes(OTHER, VOTE) == (
        b"noema-vote"
        + OTHER
        + bytes.fromhex("01 07000000 02000000 01")
        + HASH
        + bytes.fromhex("01 01000000")
    )
    assert signed_bytes(OTHER, PROPOSAL) == (
        b"noema-proposal" + OTHER + bytes.fromhex("07000000 02000000") + HASH + b"\x00"
    )


def test_every_field_changes_what_is_signed() -> None:
    def vote(**changes: object) -> bytes:
        fields = {"height": 7, "round_number": 2, "block_hash": HASH, "valid_round": None}
        return vote_bytes(HASH, Kind.PREVOTE, **{**fields, **changes})  # type: ignore[arg-type]

    said = [
        vote(),
        vote(height=8),
        vote(round_number=3),
        vote(block_hash=OTHER),
        vote(block_hash=None),
        vote(valid_round=0),
        vote_bytes(
            OTHER, Kind.PREVOTE, height=7, round_number=2, block_hash=HASH, valid_round=None
        ),
        vote_bytes(
            HASH, Kind.PRECOMMIT, height=7, round_number=2, block_hash=HASH, valid_round=None
        ),
        proposal_bytes(HASH, height=7, round_number=2, block_hash=HASH, valid_round=None),
    ]
    assert len(set(said)) == len(said)
