"""Read proofs: the few nodes that show what a trie holds under some keys, and their check."""

from collections.abc import Sequence

from chain.primitives.codec import DecodeError
from chain.primitives.hashing import blake2_256
from chain.primitives.trie import Load, read_trie


class ProofInvalid(ValueError):
    """A read proof does not show what it claims.  Ask another node for the proof."""


def make_proof(root: bytes, keys: Sequence[bytes], read: Load) -> tuple[bytes, ...]:
    """Collect the encoded nodes and hashed values on the way to the keys, each once.

    `read` finds an encoded node or a value by its hash.
    """
    seen: dict[bytes, bytes] = {}

    def load(node_hash: bytes) -> bytes:
        if node_hash not in seen:
            seen[node_hash] = read(node_hash)
        return seen[node_hash]

    for key in keys:
        read_trie(root, key, load)
    return tuple(seen.values())


def verify_proof(
    root: bytes, keys: Sequence[bytes], proof: Sequence[bytes]
) -> dict[bytes, bytes | None]:
    """Return what the trie holds under each key (None: not held), or raise ProofInvalid.

    Every item must be needed, so that changing any byte of a proof is found.
    """
    unread = {blake2_256(item): item for item in proof}
    if len(unread) != len(proof):
        raise ProofInvalid("an item of the proof comes twice")
    read: dict[bytes, bytes] = {}

    def load(node_hash: bytes) -> bytes:
        if node_hash in unread:
            read[node_hash] = unread.pop(node_hash)
        if node_hash not in read:
            raise ProofInvalid(f"0x{node_hash.hex()} is missing from the proof")
        return read[node_hash]

    try:
        held = {key: read_trie(root, key, load) for key in keys}
    except DecodeError as error:
        raise ProofInvalid(f"the proof holds a malformed node: {error}") from error
    if unread:
        raise ProofInvalid("the proof holds items that no key needs")
    return held
