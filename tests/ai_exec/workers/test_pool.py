"""The pool over real processes that misbehave in every way we know of."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ai_exec.backend import Completed, LocalFailure, Trapped
from ai_exec.workers.pool import PoolSettings, WorkerPool

ROOT = bytes(range(32))
OTHER_ROOT = bytes(32)

SERVANT = """
import os, sys, time
from ai_exec.workers import process as worker_process
from ai_exec.backend import ADMISSION_SUMMARY, AdmissionSummary, Completed, Trapped
from ai_exec.workers.frames import Kind
from ai_exec.workers.messages import encode_outcome

models = {}

def answer(kind, payload):
    if kind is Kind.LOAD:
        models[bytes(payload[:32])] = bytes(payload[32:])
    elif kind is Kind.FORGET:
        del models[bytes(payload[:32])]
    elif kind is Kind.ADMIT:
        model = models[bytes(payload[:32])].decode()
        return ADMISSION_SUMMARY.encode(AdmissionSummary(False, (model,), (), (), 0, 0))
    else:
        engine, root, order = payload[0], bytes(payload[1:33]), bytes(payload[34:]).decode()
        if engine == 0 or order.endswith("always"):
            misbehave(order.split()[0])
        text = f"{order} {models[root].decode()} {len(models)} {engine}"
        trapped = order == "trap"
        return encode_outcome(Trapped(text) if trapped else Completed(text.encode()))

def misbehave(order):
    if order == "crash":
        os.abort()
    if order == "hang":
        time.sleep(60)
    if order == "grow":
        bytearray(1 << 30)
    if order == "talk":
        print("to standard output")
    if order == "slow":
        time.sleep(0.2)

worker_process.main(sys.argv[1:], lambda: answer)
"""


@contextmanager
def pool_of(**settings: int) -> Iterator[WorkerPool]:
    limits = {"memory_bytes_max": 256 << 20, "seconds_max": 20, **settings}
    with WorkerPool(PoolSettings(**limits, command=(sys.executable, "-c", SERVANT))) as pool:
        yield pool


@pytest.fixture(scope="module")
def shared() -> Iterator[WorkerPool]:
    with pool_of() as pool:
        yield pool


def load() -> bytes:
    return b"model"


def never() -> bytes:
    raise AssertionError("the worker holds the model")


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.01)
    return False


def is_alive(pid: int) -> bool:
    """A process that ended and waits for its parent to notice counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_answers_are_kept_and_models_are_sent_once() -> None:
    with pool_of() as pool:
        first = pool.run(ROOT, load, b"one")
        again = pool.run(ROOT, never, b"one")
        second = pool.run(ROOT, never, b"two")
        admission = pool.admit(ROOT, never)

        assert pool.admit(ROOT, never) == admission
        assert (first, again, second, admission.reasons) == (
            Completed(b"one model 1 0"),
            first,
            Completed(b"two model 1 0"),
            ("model",),
        )
        assert pool.counters() == {
            "hits": 2,
            "misses": 3,
            "done": 3,
            "starts": 1,
            "failures": 0,
            "local_failures": 0,
            "refused": 0,
        }


def test_traps_are_answers(shared: WorkerPool) -> None:
    hits = shared.counters()["hits"]

    assert shared.run(ROOT, load, b"trap") == Trapped("trap model 1 0")
    assert shared.run(ROOT, never, b"trap") == Trapped("trap model 1 0")
    assert shared.counters()["hits"] == hits + 1


def test_what_a_library_prints_stays_out_of_the_channel(shared: WorkerPool) -> None:
    assert shared.run(ROOT, load, b"talk") == Completed(b"talk model 1 0")


@pytest.mark.parametrize("order", [b"crash", b"grow"])
def test_reference_engine_does_what_the_fast_one_could_not(
    shared: WorkerPool, order: bytes
) -> None:
    (pid,) = shared.pids()

    assert shared.run(ROOT, load, order) == Completed(order + b" model 1 1")
    assert shared.pids() != (pid,)
    assert not is_alive(pid)


def test_hanging_processes_are_killed() -> None:
    with pool_of(seconds_max=1) as pool:
        (first,) = pool.pids() if eventually(lambda: bool(pool.pids())) else (0,)

        assert pool.run(ROOT, load, b"hang") == Completed(b"hang model 1 1")
        assert not is_alive(first)


@pytest.mark.parametrize(
    ("order", "reason"),
    [(b"crash always", "process ended; the worker process ended"), (b"grow always", "MemoryError")],
)
def test_nothing_worked_is_a_local_failure_and_not_kept(
    shared: WorkerPool, order: bytes, reason: str
) -> None:
    failures = shared.counters()["local_failures"]

    with pytest.raises(LocalFailure, match=reason):
        shared.run(ROOT, load, order)
    with pytest.raises(LocalFailure, match=reason):
        shared.run(ROOT, load, order)
    assert shared.counters()["local_failures"] == failures + 2
    assert shared.run(ROOT, load, b"after") == Completed(b"after model 1 0")


def test_failures_of_loading_reach_the_caller_and_cost_no_process(shared: WorkerPool) -> None:
    shared.run(ROOT, load, b"before")
    pids = shared.pids()

    def missing() -> bytes:
        raise LocalFailure("the model's bytes are not here yet")

    with pytest.raises(LocalFailure, match="not here yet"):
        shared.run(OTHER_ROOT, missing, b"inputs")
    assert shared.pids() == pids


def test_early_runs_are_found_ready() -> None:
    with pool_of() as pool:
        assert pool.prefetch(ROOT, load, b"early")
        assert eventually(lambda: pool.counters()["done"] == 1)

        assert pool.run(ROOT, never, b"early") == Completed(b"early model 1 0")
        assert pool.prefetch(ROOT, never, b"early")
        assert pool.counters()["hits"] == 1


def test_an_early_run_that_failed_is_tried_again_for_who_waits() -> None:
    def missing() -> bytes:
        time.sleep(0.2)
        raise LocalFailure("not here yet")

    with pool_of() as pool:
        assert pool.prefetch(ROOT, missing, b"inputs")
        assert pool.run(ROOT, load, b"inputs") == Completed(b"inputs model 1 0")


def test_a_full_line_refuses() -> None:
    with pool_of(early_max=1, awaited_max=1) as pool:
        pool.run(ROOT, load, b"ready")
        assert pool.prefetch(ROOT, load, b"slow")
        assert eventually(lambda: pool.prefetch(ROOT, load, b"second"))
        assert not pool.prefetch(ROOT, load, b"third")
        assert pool.counters()["refused"] >= 1


def test_models_beyond_the_bound_are_forgotten() -> None:
    with pool_of(models_bytes_max=500) as pool:
        for root in (ROOT, OTHER_ROOT, b"\x07" * 32):
            found = pool.run(root, load, b"count")
        assert found == Completed(b"count model 3 0") or found == Completed(b"count model 2 0")
        assert pool.run(ROOT, lambda: b"larger" * 100, b"large") is not None
        assert pool.run(b"\x07" * 32, never, b"held") == Completed(b"held model 2 0")


def test_many_callers_get_their_own_answers() -> None:
    answers: dict[int, Completed | Trapped] = {}
    with pool_of(workers=2) as pool:

        def call(number: int) -> None:
            answers[number] = pool.run(ROOT, load, str(number % 16).encode())

        callers = [threading.Thread(target=call, args=(number,)) for number in range(32)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
    assert answers == {
        number: Completed(f"{number % 16} model 1 0".encode()) for number in range(32)
    }


def test_closing_ends_processes_and_frees_who_waits() -> None:
    failures: list[str] = []
    with pool_of() as pool:
        pool.run(ROOT, load, b"ready")
        (pid,) = pool.pids()

        def call(order: bytes) -> None:
            with pytest.raises(LocalFailure) as failure:
                pool.run(ROOT, load, order)
            failures.append(str(failure.value))

        callers = [threading.Thread(target=call, args=(order,)) for order in (b"hang", b"hang on")]
        for caller in callers:
            caller.start()
        time.sleep(0.2)
    for caller in callers:
        caller.join(5)

    assert failures == ["the worker pool is closing"] * 2
    assert not is_alive(pid)
    with pytest.raises(LocalFailure, match="closed"):
        pool.run(ROOT, load, b"late")


@pytest.mark.parametrize("order", ["ready", "hang"])
def test_processes_die_with_a_parent_that_is_killed(order: str) -> None:
    parent_code = f"""
import sys
from ai_exec.workers.pool import PoolSettings, WorkerPool
pool = WorkerPool(PoolSettings(command=(sys.executable, "-c", {SERVANT!r})))
pool.open()
pool.run(bytes(32), lambda: b"model", b"first")
print(*pool.pids(), flush=True)
pool.run(bytes(32), lambda: b"model", b"{order}")
sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", parent_code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
        assert eventually(lambda: not is_alive(pid))
