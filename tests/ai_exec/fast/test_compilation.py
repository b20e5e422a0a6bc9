"""Compiled passes are kept where that is possible, and outdated by all that they hold."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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
