"""Content of blobs on disk: verified chunks, resumable, within a limit.

Files, one a blob, rather than database values: a log-structured database would rewrite chunks of
256 KiB at every compaction, and a worker process can open a file itself.

`<root>.part` holds a blob that still lacks chunks and `<root>.blob` a whole one; `<root>.leaves`
beside it holds the length and the leaf hash of every chunk that is here (zeros: missing).  A chunk
counts as held once its leaf hash is written, and is compared with it at every read, so neither a
crash between two writes nor a rotten disk can make wrong bytes look right.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from chain.primitives.merkle import (
    CHUNK_BYTES,
    chunk_count,
    leaf_hash,
    proof_of,
    root_of_leaves,
    split,
    verify_chunk,
)

LEAF_BYTES: Final = 32
_LENGTH_BYTES: Final = 8
_MISSING: Final = bytes(LEAF_BYTES)


class ChunkRefused(Exception):
    """The chunk is not the one that root and length name.  Fetch it from somebody else."""


class BlobStoreFull(Exception):
    """The blob does not fit into the disk limit.  Raise the limit or delete other blobs."""


class BlobLengthRefused(Exception):
    """The length is not that of a blob, or not the one it was begun with.  Check the source."""


@dataclass
class _Kept:
    """What the store knows about one blob."""

    length: int
    leaves: list[bytes]
    complete: bool


class BlobStore:
    """Blobs in a folder of their own, for one process.  Methods may be called from any thread."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._lock = Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._blobs: dict[bytes, _Kept] = {}
        for name in sorted({path.stem for path in folder.glob(f"{'[0-9a-f]' * 64}.*")}):
            self._take_up(bytes.fromhex(name))

    def begin(self, root: bytes, length: int) -> None:
        """Reserve room for a blob; raises BlobStoreFull or BlobLengthRefused.  May be repeated."""
        with self._lock:
            self._begin(root, length)

    def put_chunk(
        self, root: bytes, length: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> bool:
        """Keep a chunk that the proof ties to the root, and say whether the blob is whole now."""
        if not verify_chunk(root, length, index, chunk, proof):
            raise ChunkRefused(f"chunk {index} of 0x{root.hex()}")
        with self._lock:
            kept = self._begin(root, length)
            if not kept.complete and kept.leaves[index] == _MISSING:
                self._write_chunk(root, kept, index, chunk)
            if not kept.complete and _MISSING not in kept.leaves:
                self._complete(root, kept)
            return kept.complete

    def put(self, content: bytes) -> bytes:
        """Keep a whole blob and return its root."""
        chunks = split(content)
        leaves = [leaf_hash(chunk) for chunk in chunks]
        if not leaves:
            raise BlobLengthRefused("a blob has at least one byte")
        root = root_of_leaves(leaves, len(content))
        with self._lock:
            kept = self._begin(root, len(content))
            if not kept.complete:
                for index, chunk in enumerate(chunks):
                    self._write_chunk(root, kept, index, chunk)
                self._complete(root, kept)
        return root

    def length(self, root: bytes) -> int | None:
        """Return the length in bytes of a blob that was begun."""
        kept = self._blobs.get(root)
        return None if kept is None else kept.length

    def is_complete(self, root: bytes) -> bool:
        """Say whether every chunk is here."""
        kept = self._blobs.get(root)
        return kept is not None and kept.complete

    def held(self, root: bytes) -> tuple[int, ...]:
        """Return the indices of the chunks that are here, ascending."""
        kept = self._blobs.get(root)
        leaves = () if kept is None else kept.leaves
        return tuple(index for index, leaf in enumerate(leaves) if leaf != _MISSING)

    def chunk(self, root: bytes, index: int) -> bytes | None:
        """Return a chunk that is here.  One that the disk has spoilt is forgotten."""
        kept = self._blobs.get(root)
        if kept is None or not 0 <= index < len(kept.leaves) or kept.leaves[index] == _MISSING:
            return None
        chunk = self._read_chunk(root, index)
        if leaf_hash(chunk) == kept.leaves[index]:
            return chunk
        self._forget_chunk(root, kept, index)
        return None

    def proof(self, root: bytes, index: int) -> tuple[bytes, ...] | None:
        """Return the proof of a chunk of a complete blob."""
        kept = self._blobs.get(root)
        if kept is None or not kept.complete or not 0 <= index < len(kept.leaves):
            return None
        return proof_of(kept.leaves, index)

    def read(self, root: bytes) -> bytes | None:
        """Return the content of a complete blob, checked."""
        kept = self._blobs.get(root)
        if kept is None or not kept.complete:
            return None
        chunks = [self.chunk(root, index) for index in range(len(kept.leaves))]
        whole = [chunk for chunk in chunks if chunk is not None]
        return b"".join(whole) if len(whole) == len(chunks) else None

    def path(self, root: bytes) -> Path | None:
        """Return the file that holds a complete blob, for another process to open."""
        return self._file(root, "blob") if self.is_complete(root) else None

    def delete(self, root: bytes) -> None:
        """Forget a blob, whole or not."""
        with self._lock:
            if self._blobs.pop(root, None) is None:
                return
            for suffix in ("leaves", "part", "blob"):
                self._file(root, suffix).unlink(missing_ok=True)

    def release(self, root: bytes) -> None:
        """Give reserved room free if no chunk has come; otherwise do nothing."""
        with self._lock:
            kept = self._blobs.get(root)
            if kept is None or any(leaf != _MISSING for leaf in kept.leaves):
                return
            del self._blobs[root]
            for suffix in ("leaves", "part"):
                self._file(root, suffix).unlink(missing_ok=True)

    def roots(self) -> tuple[bytes, ...]:
        """Return the roots of all blobs that were begun, ascending."""
        return tuple(sorted(self._blobs))

    def used_bytes(self) -> int:
        """Return how much of the limit is taken, whole blobs and reserved room together."""
        return sum(kept.length for kept in tuple(self._blobs.values()))

    def _begin(self, root: bytes, length: int) -> _Kept:
        kept = self._blobs.get(root)
        if kept is not None:
            if kept.length != length:
                raise BlobLengthRefused(f"0x{root.hex()} has {kept.length} bytes, not {length}")
            return kept
        if length <= 0:
            raise BlobLengthRefused("a blob has at least one byte")
        used = self.used_bytes()
        if used + length > self._bytes_max:
            raise BlobStoreFull(
                f"{length} bytes do not fit: {used} of {self._bytes_max} bytes are taken"
            )
        kept = _Kept(length, [_MISSING] * chunk_count(length), complete=False)
        self._content_path(root, kept).touch()
        header = length.to_bytes(_LENGTH_BYTES, "little")
        self._leaves_path(root).write_bytes(header + b"".join(kept.leaves))
        self._blobs[root] = kept
        return kept

    def _write_chunk(self, root: bytes, kept: _Kept, index: int, chunk: bytes) -> None:
        _write_at(self._content_path(root, kept), index * CHUNK_BYTES, chunk)
        leaf = leaf_hash(chunk)
        _write_at(self._leaves_path(root), _LENGTH_BYTES + index * LEAF_BYTES, leaf)
        kept.leaves[index] = leaf

    def _complete(self, root: bytes, kept: _Kept) -> None:
        """Make a blob whose chunks are all here whole, and have the disk keep it."""
        part = self._content_path(root, kept)
        _sync(part)
        _sync(self._leaves_path(root))
        part.rename(self._file(root, "blob"))
        _sync(self._folder)
        kept.complete = True

    def _forget_chunk(self, root: bytes, kept: _Kept, index: int) -> None:
        """Count a chunk as missing, so that it is fetched again."""
        with self._lock:
            if self._blobs.get(root) is not kept:
                return
            if kept.complete:
                whole = self._content_path(root, kept)
                kept.complete = False
                whole.rename(self._content_path(root, kept))
            kept.leaves[index] = _MISSING
            _write_at(self._leaves_path(root), _LENGTH_BYTES + index * LEAF_BYTES, _MISSING)

    def _take_up(self, root: bytes) -> None:
        """Take up what an earlier process left of a blob; what makes no sense is removed."""
        leaves_path = self._leaves_path(root)
        whole, part = self._file(root, "blob"), self._file(root, "part")
        written = leaves_path.read_bytes() if leaves_path.exists() else b""
        length = int.from_bytes(written[:_LENGTH_BYTES], "little")
        starts = range(_LENGTH_BYTES, len(written), LEAF_BYTES)
        leaves = [written[start : start + LEAF_BYTES] for start in starts]
        lacking = _MISSING in leaves
        sensible = bool(leaves) and len(written) == _LENGTH_BYTES + chunk_count(length) * LEAF_BYTES
        if sensible and not lacking:
            sensible = root_of_leaves(leaves, length) == root
        if not sensible or not (whole.exists() or part.exists()):
            for leftover in (leaves_path, part, whole):
                leftover.unlink(missing_ok=True)
            return
        kept = _Kept(length, leaves, complete=whole.exists() and not lacking)
        if lacking and whole.exists():
            whole.rename(part)
        self._blobs[root] = kept
        if not kept.complete and not lacking:
            self._complete(root, kept)

    def _read_chunk(self, root: bytes, index: int) -> bytes:
        """Return what stands at the place of a chunk; nothing if the blob is gone."""
        for suffix in ("blob", "part", "blob"):
            # Twice, because the part may become the blob between the first two.
            try:
                with self._file(root, suffix).open("rb") as file:
                    file.seek(index * CHUNK_BYTES)
                    return file.read(CHUNK_BYTES)
            except FileNotFoundError:
                continue
        return b""

    def _content_path(self, root: bytes, kept: _Kept) -> Path:
        return self._file(root, "blob" if kept.complete else "part")

    def _leaves_path(self, root: bytes) -> Path:
        return self._file(root, "leaves")

    def _file(self, root: bytes, suffix: str) -> Path:
        return self._folder / f"{root.hex()}.{suffix}"


def _write_at(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def _sync(path: Path) -> None:
    """Return when a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
