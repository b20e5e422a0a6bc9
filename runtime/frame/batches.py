"""Which rows a training takes at which step: every row once in each pass.  Pure, whole numbers.

With `rows` rows and batches of `batch`, step t takes the draws t * batch to (t + 1) * batch - 1.
Draw d is row P(d mod rows) of the snapshot in pass d // rows.  P is a permutation with four keys
of that pass, the little-endian quarters of blake2_256(b"noema-pass" ++ seed ++ pass as 8 bytes):
a Feistel network over 2 h bits, h the least with 4^h >= rows, that sends (left, right) four times
to (right, left xor (F(right + key) mod 2^h)), right being the low h bits; it is applied again and
again until the outcome is below `rows`.  F is the last mixing of splitmix64: x ^= x >> 30,
x *= 0xbf58476d1ce4e5b9, x ^= x >> 27, x *= 0x94d049bb133111eb, x ^= x >> 31, all modulo 2^64.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from chain.primitives.hashing import Hash32, blake2_256

Words = npt.NDArray[np.uint64]

_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))


def draws(seed: Hash32, rows: int, first: int, count: int) -> npt.NDArray[np.int64]:
    """Give the rows that `count` draws from draw `first` on take."""
    assert rows > 0, "nothing can be drawn from no rows"
    taken = []
    while count:
        begun, place = divmod(first, rows)
        length = min(count, rows - place)
        places = np.arange(place, place + length, dtype=np.uint64)
        taken.append(_permuted(places, rows, _keys(seed, begun)))
        first, count = first + length, count - length
    return np.concatenate(taken).astype(np.int64) if taken else np.empty(0, np.int64)


def _keys(seed: Hash32, begun: int) -> Words:
    return np.frombuffer(blake2_256(b"noema-pass" + seed + begun.to_bytes(8, "little")), "<u8")


def _permuted(places: Words, rows: int, keys: Words) -> Words:
    bits = max(1, ((rows - 1).bit_length() + 1) // 2)
    found = _shuffled(places, bits, keys)
    while (outside := found >= np.uint64(rows)).any():
        found[outside] = _shuffled(found[outside], bits, keys)
    return found


def _shuffled(values: Words, bits: int, keys: Words) -> Words:
    half, mask = np.uint64(bits), np.uint64((1 << bits) - 1)
    left, right = values >> half, values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right + key) & mask)
    return (left << half) | right


def _mixed(values: Words) -> Words:
    values = (values ^ (values >> _SHIFTS[0])) * _FIRST
    values = (values ^ (values >> _SHIFTS[1])) * _SECOND
    return values ^ (values >> _SHIFTS[2])
