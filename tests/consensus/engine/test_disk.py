"""The folder on a real disk does what the simulated one does."""

from pathlib import Path
from random import Random

import pytest

from consensus.engine.disk import FolderDisk
from consensus.engine.ports import Disk
from tests.simulation.disk import SimulatedDisk


def use(disk: Disk) -> dict[str, bytes]:
    disk.append("log", b"one")
    disk.append("log", b"two")
    disk.sync("log")
    disk.write("new", b"first")
    disk.write("new", b"second")
    disk.sync("new")
    disk.rename("new", "kept")
    disk.append("empty", b"")
    disk.truncate("log", 4)
    disk.append("gone", b"x")
    disk.remove("gone")
    disk.remove("never there")
    disk.sync_names()
    return {name: disk.read(name) for name in disk.names()}


def test_both_disks_agree(tmp_path: Path) -> None:
    folder = FolderDisk(tmp_path / "consensus")
    folder.open()
    expected = {"empty": b"", "kept": b"second", "log": b"onet"}
    assert use(folder) == expected
    assert use(SimulatedDisk(Random(0))) == expected
    assert folder.read("absent") == b""


def test_failures_are_os_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        FolderDisk(tmp_path / "file" / "consensus").open()
