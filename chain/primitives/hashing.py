"""Hash functions of the chain: BLAKE2b everywhere, xxHash for storage prefixes."""

from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Final

from chain.primitives.codec import fixed, named

HASH_32: Final = named("H256", fixed(32))
Hash32 = Annotated[bytes, HASH_32]
"""A BLAKE2b-256 digest."""

ZERO_HASH: Final = bytes(32)
"""Stands where there is no parent or no certificate."""

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def blake2_256(data: bytes) -> bytes:
    """Give the 32-byte BLAKE2b digest."""
    return blake2b(data, digest_size=32).digest()


def blake2_128(data: bytes) -> bytes:
    """Give the 16-byte BLAKE2b digest."""
    return blake2b(data, digest_size=16).digest()


def blake2_64(data: bytes) -> bytes:
    """Give the 8-byte BLAKE2b digest."""
    return blake2b(data, digest_size=8).digest()


def blake2_128_concat(data: bytes) -> bytes:
    """Give the 16-byte digest with the data behind it, so that the key can be read back."""
    return blake2b(data, digest_size=16).digest() + data


def twox_64_concat(data: bytes) -> bytes:
    """Give the 8-byte xxHash with the data behind it; for keys that nobody can choose freely."""
    return twox_64(data) + data


def twox_64(data: bytes) -> bytes:
    """Give XXH64 with seed 0, little-endian."""
    return xxh64(data, 0).to_bytes(8, "little")


@lru_cache(maxsize=4096)
def twox_128(data: bytes) -> bytes:
    """Give XXH64 with seeds 0 and 1, little-endian, one after the other."""
    return b"".join(xxh64(data, seed).to_bytes(8, "little") for seed in range(2))


def xxh64(data: bytes, seed: int) -> int:
    """Give the 64-bit xxHash (xxHash specification 0.1.1, section XXH64)."""
    length, offset = len(data), 0
    if length >= 32:
        accumulator, offset = _stripes(data, seed)
    else:
        accumulator = (seed + _P5) & _MASK
    accumulator = (accumulator + length) & _MASK
    return _avalanche(_tail(data, offset, accumulator))


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _round(accumulator: int, lane: int) -> int:
    return _rotate((accumulator + lane * _P2) & _MASK, 31) * _P1 & _MASK


def _stripes(data: bytes, seed: int) -> tuple[int, int]:
    lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
    offset = 0
    while offset + 32 <= len(data):
        for index in range(4):
            at = offset + 8 * index
            lanes[index] = _round(lanes[index], int.from_bytes(data[at : at + 8], "little"))
        offset += 32
    accumulator = sum(map(_rotate, lanes, (1, 7, 12, 18))) & _MASK
    for lane in lanes:
        accumulator = ((accumulator ^ _round(0, lane)) * _P1 + _P4) & _MASK
    return accumulator, offset


def _tail(data: bytes, offset: int, accumulator: int) -> int:
    while offset + 8 <= len(data):
        accumulator ^= _round(0, int.from_bytes(data[offset : offset + 8], "little"))
        accumulator = (_rotate(accumulator, 27) * _P1 + _P4) & _MASK
        offset += 8
    if offset + 4 <= len(data):
        accumulator ^= int.from_bytes(data[offset : offset + 4], "little") * _P1 & _MASK
        accumulator = (_rotate(accumulator, 23) * _P2 + _P3) & _MASK
        offset += 4
    for byte in data[offset:]:
        accumulator = _rotate(accumulator ^ byte * _P5 & _MASK, 11) * _P1 & _MASK
    return accumulator


def _avalanche(accumulator: int) -> int:
    accumulator = (accumulator ^ accumulator >> 33) * _P2 & _MASK
    accumulator = (accumulator ^ accumulator >> 29) * _P3 & _MASK
    return accumulator ^ accumulator >> 32
