"""Chains of hashes: secrets revealed one after the other, each proved by the one before."""

from chain.primitives.hashing import Hash32, blake2_256


def along(seed: Hash32, steps: int) -> Hash32:
    """Give what is `steps` hashes away from a seed; each is the secret of the one after it."""
    for _ in range(steps):
        seed = blake2_256(seed)
    return seed


def reveals(secret: Hash32, commitment: Hash32) -> bool:
    """Tell whether a secret is the one that was committed to."""
    return blake2_256(secret) == commitment
