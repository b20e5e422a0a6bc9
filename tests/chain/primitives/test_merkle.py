"""Names of blobs: every chunk proves its place, and no other bytes do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.hashing import blake2_256
from chain.primitives.merkle import (
    CHUNK_BYTES,
    leaf_hash,
    proof_of,
    root_of,
    root_over,
    split,
    top_of,
    verify_chunk,
)


def test_root_of_one_chunk_is_written_out() -> None:
    top = blake2_256(b"\0abc")
    assert root_of(b"abc") == blake2_256(b"\2" + (3).to_bytes(8, "little") + top)


def test_three_chunks_are_written_out() -> None:
    content = b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c"
    one, two, three = (blake2_256(b"\0" + chunk) for chunk in split(content))
    top = blake2_256(b"\1" + blake2_256(b"\1" + one + two) + three)
    assert top_of(content) == top
    assert root_over(top, len(content)) == root_of(content)
    assert root_of(content) == blake2_256(b"\2" + len(content).to_bytes(8, "little") + top)


@pytest.mark.parametrize("chunks", range(1, 10))
def test_every_chunk_proves_its_place_and_no_other(chunks: int) -> None:
    content = b"".join(bytes([each]) * CHUNK_BYTES for each in range(chunks))[: -CHUNK_BYTES + 7]
    parts = split(content)
    leaves = [leaf_hash(part) for part in parts]
    root = root_of(content)
    for index, part in enumerate(parts):
        proof = proof_of(leaves, index)
        assert verify_chunk(root, len(content), index, part, proof)
        assert not verify_chunk(root, len(content), index, part + b"\0", proof)
        assert not verify_chunk(root, len(content), index, b"x" + part[1:], proof)
        assert not verify_chunk(root, len(content) + 1, index, part, proof)
        assert not verify_chunk(root, len(content), index, part, (*proof, leaves[0]))
        assert not verify_chunk(root, len(content), index, part, proof[:-1]) or not proof
        others = set(range(-1, chunks + 1)) - {index}
        assert not any(verify_chunk(root, len(content), at, part, proof) for at in others)


@given(st.integers(0, 9), st.binary(max_size=9), st.lists(st.binary(min_size=32, max_size=32)))
def test_garbage_proves_nothing(index: int, chunk: bytes, proof: list[bytes]) -> None:
    assert not verify_chunk(bytes(32), 3 * CHUNK_BYTES, index, chunk, proof)
