"""Blobs: only verified chunks are kept, half blobs are resumed, limits hold, rot is noticed."""

from pathlib import Path

import pytest

from chain.primitives.merkle import CHUNK_BYTES, leaf_hash, proof_of, root_of, split
from chain.storage.blob_store import (
    BlobLengthRefused,
    BlobStore,
    BlobStoreFull,
    ChunkRefused,
)

CONTENT = b"".join(bytes([number]) * CHUNK_BYTES for number in range(3)) + b"the rest"
ROOT = root_of(CONTENT)
CHUNKS = split(CONTENT)
PROOFS = [proof_of([leaf_hash(chunk) for chunk in CHUNKS], index) for index in range(4)]
LIMIT = 4 * CHUNK_BYTES


def put(store: BlobStore, index: int) -> bool:
    return store.put_chunk(ROOT, len(CONTENT), index, CHUNKS[index], PROOFS[index])


def names(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def test_chunks_in_any_order_make_the_blob(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    store.begin(ROOT, len(CONTENT))
    assert [put(store, index) for index in (3, 0, 0, 2)] == [False] * 4
    assert (store.held(ROOT), store.is_complete(ROOT)) == ((0, 2, 3), False)
    assert (store.path(ROOT), store.read(ROOT), store.proof(ROOT, 0)) == (None, None, None)
    assert store.chunk(ROOT, 2) == CHUNKS[2]
    assert store.chunk(ROOT, 1) is None
    assert put(store, 1)
    assert put(store, 1)

    path = store.path(ROOT)
    assert path is not None
    assert path.read_bytes() == store.read(ROOT) == CONTENT
    assert [store.proof(ROOT, index) for index in range(5)] == [*PROOFS, None]
    assert (store.length(ROOT), store.held(ROOT)) == (len(CONTENT), (0, 1, 2, 3))
    assert store.roots() == (ROOT,)


def test_whole_content_at_once(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    assert store.put(CONTENT) == ROOT
    assert store.put(CONTENT) == ROOT
    assert store.read(ROOT) == CONTENT
    assert store.used_bytes() == len(CONTENT)


def test_half_a_blob_is_resumed(tmp_path: Path) -> None:
    first = BlobStore(tmp_path, LIMIT)
    put(first, 0)
    put(first, 2)
    second = BlobStore(tmp_path, LIMIT)
    assert (second.held(ROOT), second.length(ROOT)) == ((0, 2), len(CONTENT))
    put(second, 1)
    put(second, 3)
    assert BlobStore(tmp_path, LIMIT).read(ROOT) == CONTENT


def test_crash_before_the_rename_is_completed(tmp_path: Path) -> None:
    BlobStore(tmp_path, LIMIT).put(CONTENT)
    whole = tmp_path / f"{ROOT.hex()}.blob"
    whole.rename(whole.with_suffix(".part"))
    assert BlobStore(tmp_path, LIMIT).read(ROOT) == CONTENT


@pytest.mark.parametrize("spoil", ["chunk", "index", "length", "proof"])
def test_wrong_chunk_is_refused_and_nothing_kept(tmp_path: Path, spoil: str) -> None:
    store = BlobStore(tmp_path, LIMIT)
    right = {"length": len(CONTENT), "index": 1, "chunk": CHUNKS[1], "proof": PROOFS[1]}
    wrong = {"length": len(CONTENT) + 1, "index": 2, "chunk": CHUNKS[2], "proof": PROOFS[1][:1]}
    with pytest.raises(ChunkRefused):
        store.put_chunk(ROOT, **{**right, spoil: wrong[spoil]})  # type: ignore[arg-type]
    assert (store.roots(), store.used_bytes(), names(tmp_path)) == ((), 0, [])


def test_limit_counts_reserved_room(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    store.begin(ROOT, len(CONTENT))
    with pytest.raises(BlobStoreFull) as refusal:
        store.put(bytes(CHUNK_BYTES))
    assert str(refusal.value) == "262144 bytes do not fit: 786440 of 1048576 bytes are taken"
    assert store.roots() == (ROOT,)
    store.delete(ROOT)
    assert store.read(store.put(bytes(CHUNK_BYTES))) == bytes(CHUNK_BYTES)


def test_reserved_room_is_released_unless_something_came(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    store.begin(ROOT, len(CONTENT))
    store.release(ROOT)
    assert (store.used_bytes(), store.roots(), names(tmp_path)) == (0, (), [])
    put(store, 1)
    store.release(ROOT)
    assert (store.held(ROOT), names(tmp_path)) == ((1,), [".leaves", ".part"])


def test_length_must_be_one(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    for length in (0, -1):
        with pytest.raises(BlobLengthRefused):
            store.begin(ROOT, length)
    with pytest.raises(BlobLengthRefused):
        store.put(b"")
    store.begin(ROOT, 5)
    with pytest.raises(BlobLengthRefused):
        store.begin(ROOT, 6)
    assert store.length(ROOT) == 5


def test_deleted_blob_leaves_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, LIMIT)
    store.put(CONTENT)
    store.begin(b"\x01" * 32, 10)
    for root in (ROOT, b"\x01" * 32, b"\x02" * 32):
        store.delete(root)
    assert (store.roots(), names(tmp_path), store.chunk(ROOT, 0)) == ((), [], None)


def test_spoilt_chunk_is_forgotten_and_can_come_again(tmp_path: Path) -> None:
    BlobStore(tmp_path, LIMIT).put(CONTENT)
    with (tmp_path / f"{ROOT.hex()}.blob").open("r+b") as file:
        file.seek(CHUNK_BYTES + 5)
        file.write(b"rot")
    store = BlobStore(tmp_path, LIMIT)
    assert store.read(ROOT) is None
    assert (store.held(ROOT), store.is_complete(ROOT)) == ((0, 2, 3), False)
    assert BlobStore(tmp_path, LIMIT).held(ROOT) == (0, 2, 3)
    assert put(store, 1)
    assert store.read(ROOT) == CONTENT


def test_senseless_leftovers_are_removed(tmp_path: Path) -> None:
    other = "ab" * 32
    (tmp_path / f"{ROOT.hex()}.leaves").write_bytes(b"cut")
    (tmp_path / f"{ROOT.hex()}.part").write_bytes(b"?")
    (tmp_path / f"{other}.leaves").write_bytes((5).to_bytes(8, "little") + b"\x01" * 32)
    (tmp_path / f"{other}.blob").write_bytes(b"wrong")
    (tmp_path / "notes.txt").write_text("not ours")
    store = BlobStore(tmp_path, LIMIT)
    assert (store.roots(), names(tmp_path)) == ((), [".txt"])
