"""Processes that judge cases; one that crashes or hangs costs its case, not the run."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

FORK = multiprocessing.get_context("fork")
"""Children find the items in their memory; nothing is copied or imported again."""
POLL_SECONDS = 0.5


class _Worker(Generic[Item, Answer]):
    def __init__(
        self, items: Sequence[Item], work: Callable[[Item], Answer], memory_bytes: int
    ) -> None:
        self.pipe, theirs = FORK.Pipe()
        self.index: int | None = None
        self.started = 0.0
        self.process = FORK.Process(
            target=_serve, args=(theirs, items, work, memory_bytes), daemon=True
        )
        self.process.start()
        theirs.close()

    def give(self, index: int) -> None:
        self.index, self.started = index, time.monotonic()
        self.pipe.send(index)

    def end(self) -> int | None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
        return self.process.exitcode


def judged(
    items: Sequence[Item],
    work: Callable[[Item], Answer],
    crashed: Callable[[Item, str], Answer],
    *,
    processes: int = 2,
    seconds: float = 120.0,
    memory_bytes: int = 16 << 30,
) -> Iterator[tuple[int, Answer]]:
    """Give the index and the answer of every item as they come.

    `work` may die, hang or take too much memory: `crashed` then makes the answer from a sentence
    that says how.  It must not raise; an exception ends its process, too.
    """
    left = iter(range(len(items)))
    workers: list[_Worker[Item, Answer]] = []
    for _ in range(min(processes, len(items))):
        workers.append(_Worker(items, work, memory_bytes))
        workers[-1].give(next(left))
    while workers:
        ready = wait([worker.pipe for worker in workers], POLL_SECONDS)
        for worker in list(workers):
            assert worker.index is not None
            item = items[worker.index]
            end = ""
            if worker.pipe in ready:
                try:
                    yield worker.index, worker.pipe.recv()
                except EOFError:
                    worker.process.join(POLL_SECONDS)
                    end = _told(worker.process.exitcode)
            elif time.monotonic() - worker.started > seconds:
                end = f"no answer within {seconds:.0f} s"
            else:
                continue
            if end:
                yield worker.index, crashed(item, end)
            index = next(left, None)
            if end or index is None:
                worker.end()
            if index is None:
                workers.remove(worker)
                continue
            if end:
                place = workers.index(worker)
                worker = workers[place] = _Worker(items, work, memory_bytes)
            worker.give(index)


def _told(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"


def _serve(
    pipe: Connection, items: Sequence[Item], work: Callable[[Item], Answer], memory_bytes: int
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What libraries print on the way down would tear the table apart.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while True:
        try:
            index = pipe.recv()
        except EOFError:
            return
        pipe.send(work(items[index]))
