"""What a height has learned, on disk before it takes effect, so that a crash forgets nothing said.

One file a height.  A record is: mark, length, length of the file that was on disk for certain when
the record was written, checksum, content.  A tail that was never certain to be on disk may be torn
and is dropped; damage in what was certain is a broken disk.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from consensus.engine.ports import CannotPersist, Disk

RECORD_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of one content: a block and what stands beside it."""

_MARK: Final = b"NWAL"
_HEAD: Final = struct.Struct("<4sIQI")
_SUFFIX: Final = ".log"


class LogDamaged(Exception):
    """The log lost what was on disk.  Restore its folder, or go on with a new validator key."""


@dataclass(frozen=True, slots=True)
class _Record:
    content: bytes
    certain: int
    end: int


class WriteAheadLog:
    """Records of the current height, in order."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._name = ""
        self._length = 0
        self._certain = 0

    def begin(self, height: int) -> tuple[bytes, ...]:
        """Open the log of a height and give its records; those of earlier heights are deleted.

        Raises LogDamaged or CannotPersist.
        """
        try:
            return self._begin(height)
        except OSError as error:
            raise CannotPersist(f"log: {error}") from error

    def append(self, content: bytes) -> None:
        """Write a record, not certain to survive before `sync`; raises CannotPersist."""
        frame = _frame(content, self._certain)
        try:
            self._disk.append(self._name, frame)
        except OSError as error:
            raise CannotPersist(f"log: {error}") from error
        self._length += len(frame)

    def sync(self) -> None:
        """Return when every record is on disk; raises CannotPersist."""
        if self._certain == self._length:
            return
        try:
            self._disk.sync(self._name)
        except OSError as error:
            raise CannotPersist(f"log: {error}") from error
        self._certain = self._length

    def _begin(self, height: int) -> tuple[bytes, ...]:
        self._name = f"height-{height:010}{_SUFFIX}"
        for name in self._disk.names():
            if name.endswith(_SUFFIX) and name < self._name:
                self._disk.remove(name)
        content = self._disk.read(self._name)
        records, self._length = read_records(content)
        self._disk.append(self._name, b"")
        if self._length < len(content):
            self._disk.truncate(self._name, self._length)
        self._disk.sync(self._name)
        self._disk.sync_names()
        self._certain = self._length
        return records


def read_records(content: bytes) -> tuple[tuple[bytes, ...], int]:
    """Give the records of a log file and the length they take; raises LogDamaged."""
    records: list[bytes] = []
    offset = 0
    while (found := _read(content, offset)) is not None:
        records.append(found.content)
        offset = found.end
    _refuse_damage(content, offset)
    return tuple(records), offset


def _refuse_damage(content: bytes, damage: int) -> None:
    """Raise LogDamaged if a record behind the damage says that its place was certain."""
    at = content.find(_MARK, damage + 1)
    while at >= 0:
        found = _read(content, at)
        if found is not None and damage < found.certain <= at:
            raise LogDamaged(f"bytes at {damage} are wrong, yet a record at {at} follows")
        at = content.find(_MARK, at + 1)


def _frame(content: bytes, certain: int) -> bytes:
    assert len(content) <= RECORD_BYTES_MAX
    return _HEAD.pack(_MARK, len(content), certain, _checksum(content, certain)) + content


def _read(content: bytes, offset: int) -> _Record | None:
    if offset + _HEAD.size > len(content):
        return None
    mark, length, certain, checksum = _HEAD.unpack_from(content, offset)
    start = offset + _HEAD.size
    if mark != _MARK or length > RECORD_BYTES_MAX or start + length > len(content):
        return None
    body = content[start : start + length]
    if _checksum(body, certain) != checksum:
        return None
    return _Record(body, certain, start + length)


def _checksum(content: bytes, certain: int) -> int:
    return zlib.crc32(content, zlib.crc32(struct.pack("<IQ", len(content), certain)))
