"""The database: ordered keys and values with atomic batches, on disk (plyvel)."""

import fcntl
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol

import plyvel

Write = tuple[bytes, bytes | None]
"""A key with its new value; None deletes the key."""

_CACHE_BYTES: Final = 64 * 1024 * 1024
_WRITE_BUFFER_BYTES: Final = 32 * 1024 * 1024
_BLOOM_BITS: Final = 10


class FolderInUse(Exception):
    """Another process uses this data folder.  Stop it, or choose another folder."""


class DatabaseCorrupted(Exception):
    """The database is damaged.  Delete its folder, nothing beside it: the node syncs anew."""


class DatabaseFailed(Exception):
    """The disk did not do what was asked.  Look at free space and permissions."""


class Database(Protocol):
    """Ordered bytes.  All methods may be called from any thread."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        ...

    def iterate(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys under a prefix and their values, ascending, from the first key above `after`.

        What is written meanwhile may or may not be seen.
        """
        ...

    def write(self, writes: Iterable[Write], *, sync: bool = False) -> None:
        """Apply all writes or none; with `sync` they survive a loss of power on return."""
        ...

    def close(self) -> None:
        """Let go of the folder; the database must not be used after this."""
        ...


class DiskDatabase:
    """A plyvel database in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._lock = _lock_folder(folder)
        try:
            self._database = plyvel.DB(
                str(folder),
                create_if_missing=True,
                paranoid_checks=True,
                lru_cache_size=_CACHE_BYTES,
                write_buffer_size=_WRITE_BUFFER_BYTES,
                bloom_filter_bits=_BLOOM_BITS,
            )
        except plyvel.Error as error:
            self._lock.close()
            raise _opening_failure(folder, _text(error)) from error

    def __enter__(self) -> "DiskDatabase":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        try:
            value: bytes | None = self._database.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _failure(error) from error
        return value

    def iterate(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield what lies under a prefix, above `after`."""
        try:
            if after is None or after < prefix:
                yield from self._database.iterator(prefix=prefix, verify_checksums=True)
                return
            above = self._database.iterator(start=after, include_start=False, verify_checksums=True)
            for key, value in above:
                if not key.startswith(prefix):
                    return
                yield key, value
        except plyvel.Error as error:
            raise _failure(error) from error

    def write(self, writes: Iterable[Write], *, sync: bool = False) -> None:
        """Apply all writes or none."""
        batch = self._database.write_batch(sync=sync)
        put, delete = batch.put, batch.delete
        for key, value in writes:
            if value is None:
                delete(key)
            else:
                put(key, value)
        try:
            batch.write()
        except plyvel.Error as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()
        self._lock.close()


def _lock_folder(folder: Path) -> BinaryIO:
    """Return an open file whose lock keeps other owners out, within this process as well.

    LevelDB's own lock is lost when the process that holds it tries to open the folder again.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "owner.lock").open("wb")
    except OSError as error:
        raise DatabaseFailed(f"{folder}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise FolderInUse(f"{folder} is used by another process") from error
    return file


def _opening_failure(folder: Path, reason: str) -> Exception:
    """Return what a failure to open a folder means."""
    lowered = reason.lower()
    if any(sign in lowered for sign in ("corrupt", "current", "manifest", "missing files")):
        return DatabaseCorrupted(f"{folder}: {reason}")
    return DatabaseFailed(f"{folder}: {reason}")


def _failure(error: Exception) -> Exception:
    """Return what a failure of an open database means."""
    kind = DatabaseCorrupted if isinstance(error, plyvel.CorruptionError) else DatabaseFailed
    return kind(_text(error))


def _text(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
