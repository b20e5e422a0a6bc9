"""The log: what was certain comes back, torn tails go, damage is refused."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.engine.ports import CannotPersist
from consensus.engine.write_ahead_log import LogDamaged, WriteAheadLog, read_records
from tests.simulation.disk import SimulatedDisk

NAME = "height-0000000007.log"
CONTENTS = st.lists(st.binary(max_size=60), max_size=8)


def filled(contents: list[bytes], *, synced: int) -> SimulatedDisk:
    """Give a disk with a log whose first records are certain."""
    disk = SimulatedDisk(Random(0))
    log = WriteAheadLog(disk)
    log.begin(7)
    for index, content in enumerate(contents):
        log.append(content)
        if index < synced:
            log.sync()
    return disk


@given(CONTENTS)
def test_records_come_back(contents: list[bytes]) -> None:
    disk = filled(contents, synced=0)
    assert WriteAheadLog(disk).begin(7) == tuple(contents)


@given(CONTENTS, st.integers(0, 8), st.integers(0, 2**32))
def test_after_a_power_cut_what_was_certain_comes_back(
    contents: list[bytes], synced: int, seed: int
) -> None:
    disk = filled(contents, synced=synced)
    disk._random = Random(seed)
    disk.cut_power()
    again = WriteAheadLog(disk).begin(7)

    assert again == tuple(contents[: len(again)])
    assert len(again) >= min(synced, len(contents))


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=2, max_size=6), st.data())
def test_damage_before_a_later_record_is_refused(
    contents: list[bytes], data: st.DataObject
) -> None:
    disk = filled(contents, synced=len(contents))
    content = disk.read(NAME)
    last = len(content) - 20 - len(contents[-1])
    at = data.draw(st.integers(0, last - 1))
    bad = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    with pytest.raises(LogDamaged, match=r"bytes at \d+ are wrong"):
        read_records(bad)


def test_a_hole_in_what_was_never_certain_is_a_torn_tail() -> None:
    content = filled([b"one", b"two", b"three"], synced=1).read(NAME)
    size = 20 + len(b"one")
    holed = content[:size] + bytes(10) + content[size + 10 :]
    assert read_records(holed) == ((b"one",), size)


def test_writing_goes_on_behind_a_torn_tail() -> None:
    disk = filled([b"one", b"two"], synced=2)
    disk.append(NAME, b"NWAL torn")
    log = WriteAheadLog(disk)
    assert log.begin(7) == (b"one", b"two")
    log.append(b"three")
    assert WriteAheadLog(disk).begin(7) == (b"one", b"two", b"three")


def test_a_new_height_deletes_earlier_logs_and_keeps_later_ones() -> None:
    disk = filled([b"seven"], synced=1)
    log = WriteAheadLog(disk)
    log.begin(9)
    assert disk.names() == ["height-0000000009.log"]
    log.begin(8)
    assert disk.names() == ["height-0000000008.log", "height-0000000009.log"]


def test_full_disk_is_fatal() -> None:
    disk = filled([b"one"], synced=1)
    log = WriteAheadLog(disk)
    log.begin(7)
    disk.is_full = True
    with pytest.raises(CannotPersist, match=r"log: .*no space left on device"):
        log.append(b"two")
    disk.is_full = False
    log.append(b"two")
    disk.is_full = True
    with pytest.raises(CannotPersist):
        log.sync()
    with pytest.raises(CannotPersist):
        WriteAheadLog(disk).begin(8)
