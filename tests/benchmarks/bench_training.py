"""Steps of a training on the chain against the same steps alone in the engine.

Alone is the compiled step graph on arrays, in this process; through the backend the tensors are
bytes, as the chain hands them on; through a worker they go to another process and back; on the
chain rows are drawn and read, and state is kept, too.  Times are of this process's processor,
except for the worker, whose own count; best of several.
"""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

import ai_exec
from ai_exec.backend import Backend, InProcess
from ai_exec.tensor import decode_tensors, encode_tensors
from ai_exec.workers.pool import WorkerPool
from chain.primitives.merkle import root_of
from cli.training import Plan, build
from tests.support.trainings import WIDTH, put_programs, rows_of, start, training_chain

PLAN: Final = Plan("mlp", (64,), 10, scale=16.0)
STEPS: Final = 60
ROUNDS: Final = 3
BUILT: Final = build(PLAN)


def batch() -> dict[str, Any]:
    """Give the first rows of bob."""
    rows = np.frombuffer(rows_of("bob", PLAN.batch), np.uint8).reshape(-1, WIDTH)
    labels = rows[:, -1].astype(np.int64)
    return {"features": np.ascontiguousarray(rows[:, :-1]), "labels": labels}


def alone() -> None:
    """Take the steps on arrays."""
    taken, state = batch(), dict(decode_tensors(BUILT.parameters))
    for _ in range(STEPS):
        given = EXECUTABLE.run({**taken, **state})
        state = {name: given[f"{name}.next"] for name in state}


def through(backend: Backend) -> Callable[[], None]:
    """Take the steps on bytes; never the same ones twice, since answers are kept."""
    labels = count(1)

    def work() -> None:
        taken, state = batch(), dict(decode_tensors(BUILT.parameters))
        taken["labels"][0] = next(labels)
        for _ in range(STEPS):
            outcome = backend.run(ROOT, lambda: BUILT.step, encode_tensors({**taken, **state}))
            given = decode_tensors(outcome.output)  # type: ignore[union-attr]
            state = {name: given[f"{name}.next"] for name in state}

    return work


def seconds_of_worker(pool: WorkerPool) -> float:
    """Give the seconds of the processor that the worker's process has taken."""
    fields = Path(f"/proc/{pool.pids()[0]}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def best(work: Callable[[], None], clock: Callable[[], float] = time.process_time) -> float:
    """Give the least seconds of some rounds, after one that warms up."""
    work()
    taken = []
    for _ in range(ROUNDS):
        begun = clock()
        work()
        taken.append(clock() - begun)
    return min(taken)


def on_chain() -> float:
    """Give the seconds of one step within blocks, everything else of the block included."""
    chain = training_chain(PLAN, 600)
    start(chain, put_programs(chain, BUILT), 100_000, budget=900 * 10**12)
    while not chain.pallets.training.jobs[0].done:
        chain.end_block()
    rates = []
    for _ in range(ROUNDS):
        before, begun = chain.pallets.training.jobs[0].done, time.process_time()
        chain.end_block()
        steps = chain.pallets.training.jobs[0].done - before
        rates.append((time.process_time() - begun) / steps)
    return min(rates)


EXECUTABLE: Final = ai_exec.compile(ai_exec.admit(BUILT.step).program)
ROOT: Final = root_of(BUILT.step)


def main() -> None:
    """Print a line for each way."""
    peer = best(alone) / STEPS
    inside = best(through(InProcess())) / STEPS
    with WorkerPool() as pool:
        work = through(pool)
        work()
        outside = best(work, lambda: time.process_time() + seconds_of_worker(pool)) / STEPS
    chain = on_chain()
    print(f"mlp 64-32-10, adam, batches of {PLAN.batch}: steps a second of one processor")
    for name, seconds in (
        ("alone in ai_exec", peer),
        ("through the backend, as bytes", inside),
        ("through a worker, both processes", outside),
        ("on the chain, its block included", chain),
    ):
        print(f"  {name:34} {1 / seconds:8.0f}/s  {seconds * 1e6:6.0f} us  x {peer / seconds:.2f}")


if __name__ == "__main__":
    main()
