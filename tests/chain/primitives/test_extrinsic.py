"""Transactions: bytes and hashes that polkadot.js made, eras, and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import (
    EXTRINSIC_BYTES_MAX,
    Era,
    Extrinsic,
    SignedPart,
    SigningContext,
    decode_extrinsic,
    encode_extrinsic,
    extrinsic_hash,
    sign_extrinsic,
    signing_payload,
)
from chain.primitives.keys import Keypair, verify

SIGNER = Keypair.from_seed(b"\1" * 32)
CONTEXT = SigningContext(100, 1, b"\xaa" * 32)
TRANSFER = bytes.fromhex("020300" + "22" * 32 + "070010a5d4e8")
REMARK = bytes.fromhex("00002103") + b"\x5a" * 200
IMMORTAL = (
    "3d0284008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c00338e667e448f13085f40"
    "b5f910af2721191cec7c44ef438019dbdd3130e35f7b1683dfb7907e95bb690d87e0481420f139dba5bd85247b86e6"
    "aac02c2d23500f0014000203002222222222222222222222222222222222222222222222222222222222222222070010"
    "a5d4e8"
)


def test_immortal_transfer_is_what_polkadot_js_makes() -> None:
    encoded = sign_extrinsic(SIGNER, TRANSFER, nonce=5, context=CONTEXT)
    assert encoded.hex() == IMMORTAL
    assert extrinsic_hash(encoded).hex() == (
        "635f03e5ff1b24cb24b8c40dfe2e1d161ab92a6a8cab7056ba792865082fdb42"
    )


def test_mortal_transfer_with_tip_is_what_polkadot_js_makes() -> None:
    encoded = sign_extrinsic(
        SIGNER,
        TRANSFER,
        nonce=0,
        tip=123,
        era=Era.mortal(64, 42),
        birth_hash=b"\xbb" * 32,
        context=CONTEXT,
    )
    assert extrinsic_hash(encoded).hex() == (
        "ba4e629d603a6a24075725d7ec7ad01d99726b156788022a788577c4e2901fb0"
    )


def test_long_payload_is_hashed() -> None:
    payload = signing_payload(REMARK, Era(), 1, 0, CONTEXT, CONTEXT.genesis_hash)
    assert payload.hex() == "108baf51eccc8410da28e753f75f4cbef47a63269e6109d73b185a18b781ac6a"
    encoded = sign_extrinsic(SIGNER, REMARK, nonce=1, context=CONTEXT)
    assert extrinsic_hash(encoded).hex() == (
        "29d89b6bcdaa5a3839779d79fdc13d6b84cace8c6d90a3c8aa73f13327dce12f"
    )


@pytest.mark.parametrize(
    ("current", "period", "encoded"),
    [
        (42, 64, "a502"),
        (100, 64, "4502"),
        (0, 64, "0500"),
        (20000, 32768, "4e9c"),
        (1, 4, "1100"),
        (5, 4, "1100"),
        (1000001, 65536, "4f42"),
    ],
)
def test_eras(current: int, period: int, encoded: str) -> None:
    era = Era.mortal(period, current)
    signed = SignedPart(bytes(32), 0, bytes(64), era, 0, 0)
    body = encode_extrinsic(Extrinsic(b"", signed))
    at = len(body) - 4
    assert body[at : at + 2].hex() == encoded
    assert decode_extrinsic(body).signed == signed
    assert era.birth(current) <= current < era.death(current)


def test_signed_extrinsic_of_a_real_substrate_chain_decodes() -> None:
    encoded = bytes.fromhex(
        "65028400d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d01d024ec970ce3e3a7d4"
        "6032f40142d626651ac0098e0d6465bab6e48033ee451b9f0761dc6026db435513f2b03fd3c3aeba846efec65c2d"
        "c6d93e6dd3c93eeb8a001000070600425f1235520bd97719d8e5d03a9fb5b5aed22ca71517585e1b7eb238bfaff8"
        "6b000300684beb027026000010476d839f"
    )
    extrinsic = decode_extrinsic(encoded)
    assert extrinsic.signed is not None
    assert (extrinsic.signed.signature_kind, extrinsic.signed.nonce) == (1, 4)
    assert encode_extrinsic(extrinsic) == encoded


def test_signature_of_a_decoded_transfer_holds() -> None:
    signed = decode_extrinsic(bytes.fromhex(IMMORTAL)).signed
    assert signed is not None
    payload = signing_payload(TRANSFER, signed.era, 5, 0, CONTEXT, CONTEXT.genesis_hash)
    assert verify(signed.address, payload, signed.signature)


@pytest.mark.parametrize(
    ("encoded", "complaint"),
    [
        ("", "compact: 1 bytes missing"),
        ("00", "version byte 0x00"),
        ("0405", "version byte 0x05"),
        ("0845", "length prefix 2, 1 bytes follow"),
        ("088401", "address: only account ids"),
        ("0484", "address: only account ids"),
        ("8c8400" + "11" * 32 + "03", "no signature of a known kind"),
        ("8c8400" + "11" * 32 + "00", "era: 1 bytes missing"),
        ("9d018400" + "11" * 32 + "00" + "11" * 64 + "f1ff" + "0000", "era: period 4, phase"),
    ],
)
def test_malformed_extrinsics_are_refused(encoded: str, complaint: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        decode_extrinsic(bytes.fromhex(encoded))
    assert complaint in str(refusal.value)


def test_oversized_extrinsic_is_refused_unread() -> None:
    encoded = encode_extrinsic(Extrinsic(bytes(EXTRINSIC_BYTES_MAX)))
    with pytest.raises(DecodeError, match="an extrinsic of 262149 bytes, at most 262144"):
        decode_extrinsic(encoded)


@given(st.binary(max_size=200))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    for prefix in (b"", bytes([len(data) << 2 & 0xFF]), bytes.fromhex(IMMORTAL)[:1]):
        try:
            extrinsic = decode_extrinsic(prefix + data)
        except DecodeError:
            continue
        assert encode_extrinsic(extrinsic) == prefix + data
