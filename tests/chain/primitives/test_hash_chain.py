"""Chains of hashes: each link is the secret of the next."""

from chain.primitives.hash_chain import along, reveals
from chain.primitives.hashing import blake2_256

SEED = b"\x2a" * 32


def test_links_of_a_chain() -> None:
    assert along(SEED, 0) == SEED
    assert along(SEED, 2) == blake2_256(blake2_256(SEED))
    assert reveals(along(SEED, 6), along(SEED, 7))
    assert not reveals(along(SEED, 7), along(SEED, 6))
