"""Accounts and their keys: ed25519, SS58 addresses, development keys, encrypted key files.

Signatures are checked by libsodium's rule (RFC 8032, small-order keys and non-canonical numbers
refused); that rule is part of consensus.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Final

import base58
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from chain.primitives.codec import TEXT, U64, fixed, named
from chain.primitives.hashing import blake2_256

ADDRESS: Final = named("AccountId32", fixed(32))
Address = Annotated[bytes, ADDRESS]
"""An account: 32 bytes, for a person the ed25519 public key."""

SS58_FORMAT: Final = 42
"""Generic Substrate."""

DEVELOPMENT_SEED: Final = bytes.fromhex(
    "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
)
"""Mini-secret of the development phrase that every Substrate tool knows; worth nothing."""


class InvalidAddress(ValueError):
    """The text is no SS58 address of this network.  Copy it again, whole."""


class InvalidKey(ValueError):
    """The text is neither a seed (0x and 64 hex digits) nor a path such as //Alice."""


@dataclass(frozen=True, slots=True)
class Keypair:
    """An ed25519 key that can sign."""

    seed: bytes
    address: Address

    @classmethod
    def from_seed(cls, seed: bytes) -> "Keypair":
        """Give the key of a 32-byte seed."""
        return cls(seed, bytes(SigningKey(seed).verify_key))

    @classmethod
    def from_uri(cls, uri: str) -> "Keypair":
        """Give the key of `//Alice` or `0x<seed>//path`; raises InvalidKey."""
        start, *junctions = uri.split("//")
        if not uri.startswith(("0x", "//")):
            raise InvalidKey(f"{uri!r} starts neither with 0x nor with //")
        if "/" in start or any(not each or "/" in each for each in junctions):
            raise InvalidKey(f"{uri!r}: ed25519 has hard junctions only, such as //Alice")
        seed = _parse_seed(start) if start else DEVELOPMENT_SEED
        for junction in junctions:
            seed = _derive(seed, junction)
        return cls.from_seed(seed)

    def sign(self, message: bytes) -> bytes:
        """Give the 64-byte signature of a message."""
        return SigningKey(self.seed).sign(message).signature

    def __repr__(self) -> str:
        """Show the address only, so that no log ever holds a seed."""
        return f"Keypair({ss58_encode(self.address)})"


def verify(address: Address, message: bytes, signature: bytes) -> bool:
    """Tell whether the ed25519 signature is the account's; runs outside the interpreter lock."""
    if len(signature) != 64 or len(address) != 32:
        return False
    try:
        crypto_sign_open(signature + message, address)
    except (CryptoError, ValueError):
        return False
    return True


def ss58_encode(address: Address, ss58_format: int = SS58_FORMAT) -> str:
    """Give the SS58 text of an account."""
    if ss58_format < 64:
        prefix = bytes([ss58_format])
    else:
        low, high = (ss58_format & 0xFC) >> 2 | 0x40, ss58_format >> 8 | (ss58_format & 3) << 6
        prefix = bytes([low, high])
    payload = prefix + address
    return base58.b58encode(payload + _checksum(payload)).decode()


def ss58_decode(text: str, ss58_format: int = SS58_FORMAT) -> Address:
    """Give the account of an SS58 text; raises InvalidAddress."""
    if len(text) > 64:
        raise InvalidAddress("more than 64 characters")
    try:
        raw = base58.b58decode(text)
    except ValueError as error:
        raise InvalidAddress(f"{text!r} is not base58") from error
    if len(raw) < 35:
        raise InvalidAddress(f"{text!r} is too short")
    prefix = 1 if raw[0] < 64 else 2
    payload, checksum = raw[:-2], raw[-2:]
    if len(payload) != prefix + 32 or _checksum(payload) != checksum:
        raise InvalidAddress(f"{text!r} has a wrong length or checksum")
    found = raw[0] if prefix == 1 else (raw[0] & 0x3F) << 2 | raw[1] >> 6 | (raw[1] & 0x3F) << 8
    if found != ss58_format:
        raise InvalidAddress(f"{text!r} belongs to network {found}, not {ss58_format}")
    return payload[prefix:]


def module_address(name: str) -> Address:
    """Give the account of a pallet: nobody has its key."""
    return (b"modl" + name.encode()).ljust(32, b"\0")


def _checksum(payload: bytes) -> bytes:
    return blake2b(b"SS58PRE" + payload).digest()[:2]


def _parse_seed(text: str) -> bytes:
    try:
        seed = bytes.fromhex(text[2:])
    except ValueError as error:
        raise InvalidKey("the seed is not hexadecimal") from error
    if len(seed) != 32:
        raise InvalidKey(f"a seed has 32 bytes, not {len(seed)}")
    return seed


def _derive(seed: bytes, junction: str) -> bytes:
    number = junction.isascii() and junction.isdigit() and int(junction) < 1 << 64
    code = U64.encode(int(junction)) if number else TEXT.encode(junction)
    chain_code = code.ljust(32, b"\0") if len(code) <= 32 else blake2_256(code)
    return blake2_256(TEXT.encode("Ed25519HDKD") + seed + chain_code)
