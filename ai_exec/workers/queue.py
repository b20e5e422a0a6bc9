"""Work waiting for a worker: what somebody waits for comes first, and equal work is done once."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

Key = tuple[bytes, bytes, bytes]
"""Root of the model, encoded bounds, and hash of the inputs (empty for an admission)."""

Load = Callable[[], bytes]
"""Fetches the model's bytes; called by a worker's thread, and only if the worker lacks them."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One admission (no inputs) or one run."""

    key: Key
    load: Load
    inputs: bytes | None
    answer: Future[bytes] = field(default_factory=Future)


class QueueFull(Exception):
    """As much work as allowed is waiting.  Try again when some is done."""


class QueueClosed(Exception):
    """The pool is closing and takes no more work."""


class JobQueue:
    """Bounded, thread-safe, two classes: awaited work in order of arrival, then early work.

    When a class is full, the newcomer is refused.
    """

    def __init__(self, *, awaited_max: int, early_max: int) -> None:
        self._limits: Final = {True: awaited_max, False: early_max}
        self._waiting: Final[dict[bool, OrderedDict[Key, Job]]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self._taken: Final[dict[Key, Job]] = {}
        self._changed: Final = threading.Condition()
        self._closed = False

    def submit(self, job: Job, *, awaited: bool) -> Job:
        """Add the job, or return the equal one that is here already; it moves up if awaited."""
        with self._changed:
            if self._closed:
                raise QueueClosed
            known = self._known(job.key, awaited=awaited)
            if known is not None:
                return known
            line = self._waiting[awaited]
            if len(line) >= self._limits[awaited]:
                raise QueueFull(f"{len(line)} jobs are waiting")
            line[job.key] = job
            self._changed.notify()
            return job

    def take(self) -> Job | None:
        """Wait for the next job; None when the queue has closed."""
        with self._changed:
            while not self._closed:
                for line in (self._waiting[True], self._waiting[False]):
                    if line:
                        key, job = line.popitem(last=False)
                        self._taken[key] = job
                        return job
                self._changed.wait()
            return None

    def done(self, job: Job) -> None:
        """Say that a taken job has its answer."""
        with self._changed:
            self._taken.pop(job.key, None)

    def close(self) -> tuple[Job, ...]:
        """Refuse new work, wake the takers, and return the jobs that nobody will do."""
        with self._changed:
            self._closed = True
            left = tuple(job for line in self._waiting.values() for job in line.values())
            for line in self._waiting.values():
                line.clear()
            self._changed.notify_all()
            return left

    def _known(self, key: Key, *, awaited: bool) -> Job | None:
        taken = self._taken.get(key) or self._waiting[True].get(key)
        if taken is not None:
            return taken
        early = self._waiting[False].get(key)
        if early is not None and awaited:
            self._waiting[True][key] = self._waiting[False].pop(key)
        return early
