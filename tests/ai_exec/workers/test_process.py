"""The real worker process on the real example model."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ai_exec.backend import Completed, InProcess, Trapped
from ai_exec.tensor import encode_tensors
from ai_exec.workers.child import Child, ChildSettings
from ai_exec.workers.messages import decode_outcome, encode_outcome
from ai_exec.workers.pool import PoolSettings, WorkerPool

MODEL = (Path(__file__).parents[3] / "examples" / "digits" / "digits.onnx").read_bytes()
ROOT = b"\x01" * 32
BROKEN_ROOT = b"\x02" * 32
INPUTS = encode_tensors({"pixels": np.arange(64, dtype=np.float32).reshape(1, 64) % 17})


def load() -> bytes:
    return MODEL


def truncated() -> bytes:
    return MODEL[:1000]


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(PoolSettings(memory_bytes_max=1 << 30, threads=2)) as pool:
        yield pool


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_process_answers_what_the_engines_answer_here(pool: WorkerPool, engine: str) -> None:
    here = InProcess(engine)

    assert pool.admit(ROOT, load) == here.admit(ROOT, load)
    outcome = pool.run(ROOT, load, INPUTS)
    assert isinstance(outcome, Completed)
    assert outcome == here.run(ROOT, load, INPUTS)


def test_an_interrupt_from_the_terminal_does_not_reach_a_worker() -> None:
    child = Child(ChildSettings(memory_bytes_max=1 << 30, seconds_max=60))
    try:
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    finally:
        child.kill()


def test_a_process_that_still_prepares_itself_ends_with_the_node() -> None:
    program = (
        "import sys, time; from ai_exec.workers.process import main;"
        "main(sys.argv[1:], lambda: time.sleep(60))"
    )
    command = (sys.executable, "-c", program)
    child = Child(ChildSettings(memory_bytes_max=1 << 30, seconds_max=60, command=command))
    try:
        child._channel.close()
        assert child._process.wait(timeout=20) == 0
    finally:
        child.kill()


def test_refused_models_are_answers_too(pool: WorkerPool) -> None:
    here = InProcess("reference")

    admission = pool.admit(BROKEN_ROOT, truncated)

    assert admission == here.admit(BROKEN_ROOT, truncated)
    assert not admission.admitted
    assert admission.reasons
    outcome = pool.run(BROKEN_ROOT, truncated, INPUTS)
    assert outcome == here.run(BROKEN_ROOT, truncated, INPUTS)
    assert isinstance(outcome, Trapped)


@pytest.mark.parametrize(
    "inputs",
    [
        b"noise",
        b"",
        encode_tensors({"pixels": np.zeros((1, 63), np.float32)}),
        encode_tensors({"pixels": np.zeros((1, 64), np.int64)}),
        encode_tensors({"image": np.zeros((1, 64), np.float32)}),
    ],
)
def test_bad_inputs_trap_as_they_do_here(pool: WorkerPool, inputs: bytes) -> None:
    outcome = pool.run(ROOT, load, inputs)

    assert isinstance(outcome, Trapped)
    assert outcome == InProcess("reference").run(ROOT, load, inputs)
    assert pool.counters()["failures"] == 0


@pytest.mark.parametrize("outcome", [Completed(b""), Completed(b"\x01x"), Trapped("because é")])
def test_outcomes_survive_the_channel(outcome: Completed | Trapped) -> None:
    assert decode_outcome(encode_outcome(outcome)) == outcome
