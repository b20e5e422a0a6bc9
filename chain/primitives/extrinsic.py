"""Transactions as bytes: Substrate's extrinsic version 4, its era, what is signed, its hash."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import (
    Codec,
    DecodeError,
    EncodeError,
    named,
    read_compact,
    write_compact,
)
from chain.primitives.codec.shapes import Primitive
from chain.primitives.hashing import Hash32, blake2_256
from chain.primitives.keys import ADDRESS, Address, Keypair

EXTRINSIC_BYTES_MAX: Final = 256 * 1024
"""Room for a small tensor inline; larger content travels as a blob."""

ED25519: Final = 0
"""Tag of an ed25519 signature; sr25519 is 1, ECDSA is 2."""

_BARE, _SIGNED = 0x04, 0x84
_SIGNATURE_BYTES = {0: 64, 1: 64, 2: 65}
_PAYLOAD_BYTES_RAW = 256


@dataclass(frozen=True, slots=True)
class Era:
    """Blocks in which a transaction may stand: `period` 0 means for ever (Substrate's Era)."""

    period: int = 0
    phase: int = 0

    @classmethod
    def mortal(cls, period: int, current: int) -> "Era":
        """Give the era of a power of two 4..65536 that starts at block `current`."""
        period = min(max(1 << (period - 1).bit_length(), 4), 1 << 16)
        quantum = max(period >> 12, 1)
        return cls(period, current % period // quantum * quantum)

    def birth(self, current: int) -> int:
        """Give the block from which the era counts, seen from block `current`."""
        if self.period == 0:
            return 0
        return (max(current, self.phase) - self.phase) // self.period * self.period + self.phase

    def death(self, current: int) -> int:
        """Give the first block in which the transaction can't stand any more."""
        return (1 << 32) if self.period == 0 else self.birth(current) + self.period


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Who signs, and the values of the signed extensions."""

    address: Address
    signature_kind: int
    signature: bytes
    era: Era
    nonce: int
    tip: int


@dataclass(frozen=True, slots=True)
class Extrinsic:
    """A call, signed by an account or bare (an inherent of the proposer)."""

    call: bytes
    """Pallet index, call index, encoded arguments."""

    signed: SignedPart | None = None


@dataclass(frozen=True, slots=True)
class SigningContext:
    """What is signed without being sent: the rules and the chain that the signer means."""

    spec_version: int
    transaction_version: int
    genesis_hash: Hash32


def encode_extrinsic(extrinsic: Extrinsic) -> bytes:
    """Give the bytes of an extrinsic, length prefix included."""
    body = bytearray()
    signed = extrinsic.signed
    if signed is None:
        body.append(_BARE)
    else:
        body += bytes((_SIGNED, 0)) + signed.address
        body.append(signed.signature_kind)
        body += signed.signature + _extra(signed.era, signed.nonce, signed.tip)
    body += extrinsic.call
    out = bytearray()
    write_compact(len(body), out)
    return bytes(out + body)


def decode_extrinsic(data: bytes) -> Extrinsic:
    """Give the extrinsic of bytes with their length prefix; raises DecodeError."""
    if len(data) > EXTRINSIC_BYTES_MAX:
        raise DecodeError(f"an extrinsic of {len(data)} bytes, at most {EXTRINSIC_BYTES_MAX}")
    length, offset = read_compact(data, 0)
    if length != len(data) - offset:
        raise DecodeError(f"length prefix {length}, {len(data) - offset} bytes follow")
    version = data[offset] if length else 0
    if version == _BARE:
        return Extrinsic(data[offset + 1 :])
    if version != _SIGNED:
        raise DecodeError(f"extrinsic version byte {version:#04x}, 0x04 or 0x84 expected")
    signed, offset = _read_signed(data, offset + 1)
    return Extrinsic(data[offset:], signed)


def extrinsic_hash(encoded: bytes) -> Hash32:
    """Give the hash that names an extrinsic, length prefix included."""
    return blake2_256(encoded)


def signing_payload(
    call: bytes, era: Era, nonce: int, tip: int, context: SigningContext, birth_hash: Hash32
) -> bytes:
    """Give the bytes that are signed; long ones are hashed (Substrate's SignedPayload)."""
    payload = call + _extra(era, nonce, tip) + _additional(context, birth_hash)
    return blake2_256(payload) if len(payload) > _PAYLOAD_BYTES_RAW else payload


def sign_extrinsic(
    keypair: Keypair,
    call: bytes,
    *,
    nonce: int,
    context: SigningContext,
    tip: int = 0,
    era: Era | None = None,
    birth_hash: Hash32 | None = None,
) -> bytes:
    """Give a signed extrinsic's bytes; without an era it is valid for ever."""
    era = era or Era()
    payload = signing_payload(
        call, era, nonce, tip, context, birth_hash if birth_hash else context.genesis_hash
    )
    signed = SignedPart(keypair.address, ED25519, keypair.sign(payload), era, nonce, tip)
    return encode_extrinsic(Extrinsic(call, signed))


def _extra(era: Era, nonce: int, tip: int) -> bytes:
    out = bytearray()
    _write_era(era, out)
    write_compact(nonce, out)
    write_compact(tip, out)
    return bytes(out)


def _additional(context: SigningContext, birth_hash: Hash32) -> bytes:
    versions = context.spec_version, context.transaction_version
    return b"".join(each.to_bytes(4, "little") for each in versions) + (
        context.genesis_hash + birth_hash
    )


def _read_signed(data: bytes, offset: int) -> tuple[SignedPart, int]:
    address, offset = _read_multi_address(data, offset)
    if offset >= len(data) or data[offset] not in _SIGNATURE_BYTES:
        raise DecodeError("no signature of a known kind")
    kind = data[offset]
    end = offset + 1 + _SIGNATURE_BYTES[kind]
    signature = data[offset + 1 : end]
    era, offset = _read_era(data, end)
    nonce, offset = read_compact(data, offset)
    tip, offset = read_compact(data, offset)
    if nonce >= 1 << 32 or tip >= 1 << 128:
        raise DecodeError("nonce or tip out of range")
    return SignedPart(address, kind, signature, era, nonce, tip), offset


def _write_era(era: Era, out: bytearray) -> None:
    if era.period == 0:
        out.append(0)
        return
    exponent = era.period.bit_length() - 1
    quantum = max(era.period >> 12, 1)
    out += (min(max(exponent - 1, 1), 15) | era.phase // quantum << 4).to_bytes(2, "little")


def _read_era(data: bytes, offset: int) -> tuple[Era, int]:
    if offset >= len(data):
        raise DecodeError("era: 1 bytes missing")
    if data[offset] == 0:
        return Era(), offset + 1
    if offset + 2 > len(data):
        raise DecodeError("era: 1 bytes missing")
    code = int.from_bytes(data[offset : offset + 2], "little")
    period = 2 << (code & 15)
    phase = (code >> 4) * max(period >> 12, 1)
    if period < 4 or phase >= period:
        raise DecodeError(f"era: period {period}, phase {phase}")
    return Era(period, phase), offset + 2


def _write_multi_address(address: Address, out: bytearray) -> None:
    if len(address) != 32:
        raise EncodeError(f"an account has 32 bytes, not {len(address)}")
    out.append(0)
    out += address


def _read_multi_address(data: bytes, offset: int) -> tuple[Address, int]:
    if data[offset : offset + 1] != b"\0":
        raise DecodeError("address: only account ids (byte 00) are known here")
    return ADDRESS.read(data, offset + 1)


MULTI_ADDRESS: Final = named(
    "MultiAddress", Codec(_write_multi_address, _read_multi_address, ADDRESS.shape)
)
MultiAddress = Annotated[bytes, MULTI_ADDRESS]
"""An account in Substrate's MultiAddress clothing: byte 00, then 32 bytes."""


def _write_opaque(encoded: bytes, out: bytearray) -> None:
    out += encoded


def _read_opaque(data: bytes, offset: int) -> tuple[bytes, int]:
    length, start = read_compact(data, offset)
    end = start + length
    if end - offset > EXTRINSIC_BYTES_MAX or end > len(data):
        raise DecodeError(f"extrinsic: length prefix {length} is out of bounds")
    return data[offset:end], end


OPAQUE_EXTRINSIC: Final = named(
    "OpaqueExtrinsic", Codec(_write_opaque, _read_opaque, Primitive("str"))
)
"""An extrinsic's bytes as they are, length prefix included."""
