"""Compiled passes are kept where that is possible, and outdated by all that they hold."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import caching

from ai_exec.fast import compilation
from ai_exec.fast.compilation import compiled, stamp_of

ROOT = Path(__file__).parents[3]


def double(values: object) -> object:
    """Stands for a pass."""
    return values + values  # type: ignore[operator]


def run(program: str, **environment: str) -> str:
    command = [sys.executable, "-c", program]
    found = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True
    )
    return found.stdout.decode()


def test_a_pass_works_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation._Kept, "_locator_classes", ())
    made = compiled(double)
    assert np.asarray(made(np.ones(3))).tolist() == [2.0, 2.0, 2.0]


def test_passes_are_kept_where_the_environment_says(tmp_path: Path) -> None:
    program = (
        "import numpy as np; from ai_exec.fast.rows import greatest_bits as g; g(np.ones(3, 'f4'))"
    )
    run(program, NUMBA_CACHE_DIR=str(tmp_path))
    assert [path.name.split("-")[0] for path in tmp_path.rglob("*.nbi")] == ["rows.greatest_bits"]


def test_a_pass_is_outdated_by_what_it_inlines(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = {name: stamp_of(f"ai_exec.fast.{name}") for name in ("finishing", "session")}
    original = Path.read_bytes

    def changed(path: Path) -> bytes:
        return original(path) + b"#" * (path.name == "scalar.py")

    monkeypatch.setattr(Path, "read_bytes", changed)
    stamp_of.cache_clear()
    assert stamp_of("ai_exec.fast.finishing") != stamps["finishing"]
    assert stamp_of("ai_exec.fast.session") == stamps["session"]
    stamp_of.cache_clear()


def test_the_compiler_is_loaded_only_by_who_runs_models() -> None:
    program = "import sys, ai_exec, cli.main; print('numba' in sys.modules)"
    assert run(program) == "False\n"


def first_two(values: Any) -> Any:
    """Stands for a pass that is compiled for several kinds of arrays."""
    return values[0] + 2 * values[1]


NUMBERS = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
KINDS = (NUMBERS, NUMBERS.view(np.int32))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have passes be kept in a folder, two kinds of one pass already."""
    monkeypatch.setattr(compilation, "stamp_of", lambda name: "stamp")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert results() == EXPECTED
    return tmp_path


def results() -> list[float]:
    """Run the pass as a new process does."""
    made = compiled(first_two)
    return [made(numbers) for numbers in KINDS]


EXPECTED = [5.0, 0x3F800000 + 2 * 0x40000000]


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*.nb?"))}


def test_passes_of_two_processes_under_one_name_are_told_apart(kept: Path) -> None:
    first, second = (path for path in files_of(kept) if path.suffix == ".nbc")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    assert results() == EXPECTED


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("broken", ["empty", "cut off", "changed", "other"])
def test_broken_files_of_passes_are_made_anew(kept: Path, suffix: str, broken: str) -> None:
    for path, content in files_of(kept).items():
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        bad = {"empty": b"", "cut off": content[:middle], "other": pickle.dumps(7)}
        if path.suffix == suffix:
            path.write_bytes(bad.get(broken, changed))

    assert results() == EXPECTED
    mended = files_of(kept)
    assert results() == EXPECTED
    assert files_of(kept) == mended


def test_a_pass_that_cannot_be_kept_works(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    for path in files_of(kept):
        path.unlink()
    monkeypatch.setattr(caching.IndexDataCacheFile, "_open_for_write", full)

    assert results() == EXPECTED
    assert files_of(kept) == {}
