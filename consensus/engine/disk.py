"""A folder of the operating system as the engine's disk."""

import os
from collections.abc import Sequence
from pathlib import Path


class FolderDisk:
    """Files in one folder; creates it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        """Create the folder, its name on the disk; raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(self._folder.parent)

    def names(self) -> Sequence[str]:
        """Give the names of all files."""
        return sorted(entry.name for entry in self._folder.iterdir())

    def read(self, name: str) -> bytes:
        """Give a file's bytes; an absent file has none."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else b""

    def append(self, name: str, content: bytes) -> None:
        """Write behind a file's end, creating it."""
        with (self._folder / name).open("ab") as file:
            file.write(content)

    def write(self, name: str, content: bytes) -> None:
        """Write a file anew."""
        (self._folder / name).write_bytes(content)

    def truncate(self, name: str, length: int) -> None:
        """Cut a file off."""
        os.truncate(self._folder / name, length)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of the one that had it."""
        (self._folder / old).replace(self._folder / new)

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        (self._folder / name).unlink(missing_ok=True)

    def sync(self, name: str) -> None:
        """Return when the file's content is on the disk."""
        with (self._folder / name).open("rb+") as file:
            os.fsync(file.fileno())

    def sync_names(self) -> None:
        """Return when creations, renames and removals are on the disk."""
        _sync_folder(self._folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
