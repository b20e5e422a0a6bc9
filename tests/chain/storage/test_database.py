"""Databases: the one on disk and the one in memory behave alike; the folder is guarded."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.storage.database import (
    Database,
    DatabaseCorrupted,
    DatabaseFailed,
    DiskDatabase,
    FolderInUse,
)
from tests.support.memory_database import MemoryDatabase

KEYS = st.lists(st.sampled_from([0, 1, 254, 255]), max_size=4).map(bytes)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=4)), max_size=12)


@pytest.fixture(params=["disk", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    opened: Database = (
        DiskDatabase(tmp_path / "db") if request.param == "disk" else MemoryDatabase()
    )
    yield opened
    opened.close()


def test_batch_writes_and_deletes(database: Database) -> None:
    database.write([(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"b", None)], sync=True)
    assert (database.get(b"a"), database.get(b"b"), database.get(b"c")) == (b"3", None, None)


def test_batch_that_cannot_be_made_changes_nothing(database: Database) -> None:
    def writes() -> Iterator[tuple[bytes, bytes]]:
        yield b"a", b"1"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(writes())
    assert database.get(b"a") is None


def test_iteration_is_ordered_and_keeps_to_the_prefix(database: Database) -> None:
    database.write([(bytes((1, index % 256, index // 256)), b"v") for index in range(600)])
    database.write([(b"\x00", b"before"), (b"\x02", b"behind"), (b"\x01", b"prefix itself")])
    keys = [key for key, _ in database.iterate(b"\x01")]
    assert keys == sorted(keys)
    assert len(keys) == 601
    assert [key for key, _ in database.iterate(b"\x01", after=keys[300])] == keys[301:]
    assert [key for key, _ in database.iterate(b"\x01", after=b"\x00\x07")] == keys
    assert list(database.iterate(b"\x01", after=b"\x01\xff\xff")) == []


@settings(max_examples=100, deadline=None)
@given(WRITES, KEYS, st.none() | KEYS)
def test_memory_is_a_sorted_dict(
    writes: list[tuple[bytes, bytes | None]], prefix: bytes, after: bytes | None
) -> None:
    database = MemoryDatabase()
    model: dict[bytes, bytes] = {}
    for key, value in writes:
        database.write([(key, value)])
        model.pop(key, None)
        model |= {} if value is None else {key: value}
    assert list(database.iterate(prefix, after)) == [
        (key, model[key])
        for key in sorted(model)
        if key.startswith(prefix) and (after is None or key > after)
    ]


def test_disk_keeps_what_was_written(tmp_path: Path) -> None:
    with DiskDatabase(tmp_path) as database:
        database.write([(b"a", b"1")], sync=True)
    with DiskDatabase(tmp_path) as database:
        assert database.get(b"a") == b"1"


def test_folder_serves_one_owner(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from chain.storage.database import *\n"
        "try: DiskDatabase(Path(sys.argv[1]))\n"
        "except FolderInUse as error: print(error)\n"
    )
    with DiskDatabase(tmp_path):
        with pytest.raises(FolderInUse):
            DiskDatabase(tmp_path)
        other = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert other.stdout == f"{tmp_path} is used by another process\n"


def test_damaged_folder_is_told_apart(tmp_path: Path) -> None:
    with DiskDatabase(tmp_path) as database:
        database.write([(b"a", b"1")], sync=True)
    (tmp_path / "CURRENT").write_bytes(b"nothing of use\n")
    with pytest.raises(DatabaseCorrupted):
        DiskDatabase(tmp_path)


def test_damaged_log_is_told_apart(tmp_path: Path) -> None:
    with DiskDatabase(tmp_path) as database:
        for number in range(50):
            database.write([(bytes((number,)), bytes(2000))])
    log = next(tmp_path.glob("*.log"))
    content = bytearray(log.read_bytes())
    content[1000] ^= 1
    log.write_bytes(content)
    with pytest.raises(DatabaseCorrupted):
        DiskDatabase(tmp_path)


def test_damaged_table_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    writes = [(b"%04d" % number, bytes([number % 256]) * 100) for number in range(2000)]
    with DiskDatabase(tmp_path) as database:
        database.write(writes)
    # Opening it again moves the log into a table.
    DiskDatabase(tmp_path).close()
    table = next(tmp_path.glob("*.ldb"))
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with DiskDatabase(tmp_path) as database:
        with pytest.raises(DatabaseCorrupted):
            [database.get(key) for key, _ in writes]
        with pytest.raises(DatabaseCorrupted):
            list(database.iterate(b""))


def test_folder_that_is_a_file_fails_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DatabaseFailed) as refusal:
        DiskDatabase(tmp_path / "file")
    assert str(refusal.value) == f"{tmp_path / 'file'}: File exists"


def test_closed_folder_can_be_opened_again_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "LOCK").mkdir()
    with pytest.raises(DatabaseFailed):
        DiskDatabase(tmp_path)
    (tmp_path / "LOCK").rmdir()
    DiskDatabase(tmp_path).close()


def test_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from chain.storage.database import *\n"
        "database = DiskDatabase(Path(sys.argv[1])); number = 0\n"
        "while True:\n"
        "    number += 1; value = number.to_bytes(4, 'big')\n"
        "    database.write([(b'a', value), (b'b' * 100, value * 500), (b'c', value)], sync=True)\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(20)]
    process.kill()
    process.wait()
    told += [int(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    with DiskDatabase(tmp_path) as database:
        value = database.get(b"a")
        assert value is not None
        assert int.from_bytes(value, "big") >= told[-1]
        assert (database.get(b"b" * 100), database.get(b"c")) == (value * 500, value)
