"""The pool of worker processes: a backend that no model can take down."""

import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from ai_exec.axes import BOUNDS, Bounds
from ai_exec.backend import (
    ADMISSION_SUMMARY,
    AdmissionSummary,
    Completed,
    Load,
    LocalFailure,
    Trapped,
)
from ai_exec.workers.cache import ByteBoundedCache
from ai_exec.workers.child import ChildSettings
from ai_exec.workers.lane import Lane, LaneSettings
from ai_exec.workers.messages import decode_outcome
from ai_exec.workers.queue import Job, JobQueue, Key, QueueClosed, QueueFull
from chain.primitives.hashing import blake2_256

_ADMISSION: Final = b""
"""Stands where the hash of the inputs is in the key of a run."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Size and limits of a pool."""

    workers: int = 1
    """Processes, so many threads each."""
    threads: int = 1
    """Threads that share the products of a run; whatever it is, the bits are the same."""
    memory_bytes_max: int = 4 << 30
    """Address space of a process beyond what it needs to start.

    Room for a run at the limit of admission beside all models that are held, prepared by an engine.
    """
    seconds_max: int = 90
    """Wall time of one request; above the limit of admission on a slow machine."""
    models_bytes_max: int = 256 << 20
    """Bytes of models that a process keeps: the longest that is admitted, or many short ones."""
    cache_bytes_max: int = 64 << 20
    """Bytes of answers that are kept."""
    awaited_max: int = 256
    """Requests in the line of those that somebody waits for; one more is a LocalFailure."""
    early_max: int = 256
    """Requests in the line of those started early; one more is not taken."""
    command: tuple[str, ...] | None = None
    """What to run as a worker, for tests; None for the real one."""


class WorkerPool:
    """A Backend for many threads; open it with `with`, or call `open` and `close`.

    Equal requests are computed once, answers are kept.  What the fast engine could not do the
    reference engine tries in a fresh process; only if that fails too the caller gets LocalFailure.
    """

    def __init__(self, settings: PoolSettings | None = None) -> None:
        settings = settings or PoolSettings()
        self._queue = JobQueue(awaited_max=settings.awaited_max, early_max=settings.early_max)
        self._cache: ByteBoundedCache[Key, bytes] = ByteBoundedCache(settings.cache_bytes_max)
        self._counters = dict.fromkeys(COUNTERS, 0)
        self._lock = threading.Lock()
        self._lanes = tuple(Lane(_lane(settings), self._count) for _ in range(settings.workers))
        self._threads = tuple(
            threading.Thread(target=self._work, args=(lane,), daemon=True, name="ai-worker")
            for lane in self._lanes
        )

    def open(self) -> None:
        """Start the processes; requests may come before they are ready."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End all processes and give LocalFailure to whoever waits."""
        for job in self._queue.close():
            job.answer.cancel()
        for lane in self._lanes:
            lane.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def admit(self, root: bytes, load: Load, bounds: Bounds = ()) -> AdmissionSummary:
        """Say whether a model may be run, and why not; raises LocalFailure."""
        return ADMISSION_SUMMARY.decode(self._answer(_key(root, bounds, None), load, None))

    def run(
        self, root: bytes, load: Load, inputs: bytes, bounds: Bounds = ()
    ) -> Completed | Trapped:
        """Run an admitted model on encoded tensors; raises LocalFailure."""
        return decode_outcome(self._answer(_key(root, bounds, inputs), load, inputs))

    def prefetch(self, root: bytes, load: Load, inputs: bytes | None, bounds: Bounds = ()) -> bool:
        """Start a run, or an admission if there are no inputs, without waiting for it.

        Returns whether the answer is there or will be; a worker's thread calls `load`.
        """
        key = _key(root, bounds, inputs)
        with self._lock:
            if self._cache.get(key) is not None:
                return True
        try:
            self._queue.submit(Job(key, load, inputs), awaited=False)
        except (QueueFull, QueueClosed):
            self._count("refused")
            return False
        return True

    def counters(self) -> Mapping[str, int]:
        """Return what happened so far, by the names of COUNTERS."""
        with self._lock:
            return dict(self._counters)

    def pids(self) -> tuple[int, ...]:
        """Return the numbers of the running processes."""
        return tuple(lane.pid for lane in self._lanes if lane.pid is not None)

    def _answer(self, key: Key, load: Load, inputs: bytes | None) -> bytes:
        with self._lock:
            kept = self._cache.get(key)
            self._counters["misses" if kept is None else "hits"] += 1
        if kept is not None:
            return kept
        own = Job(key, load, inputs)
        job = self._submit(own)
        try:
            return job.answer.result()
        except LocalFailure:
            if job is own:
                raise
        except CancelledError as error:
            raise LocalFailure("the worker pool is closing") from error
        # Somebody else's attempt failed, perhaps for want of the model: this one has it.
        return self._answer(key, load, inputs)

    def _submit(self, job: Job) -> Job:
        try:
            return self._queue.submit(job, awaited=True)
        except QueueFull as error:
            self._count("refused")
            raise LocalFailure(f"the workers are busy: {error}") from error
        except QueueClosed as error:
            raise LocalFailure("the worker pool is closed") from error

    def _work(self, lane: Lane) -> None:
        lane.warm()
        while (job := self._queue.take()) is not None:
            try:
                answer = lane.answer(job)
            except LocalFailure as failure:
                self._count("local_failures")
                self._queue.done(job)
                job.answer.set_exception(failure)
                continue
            except Exception as error:
                # A border: `load` is not ours, and its failure must reach its caller.
                self._queue.done(job)
                job.answer.set_exception(error)
                continue
            with self._lock:
                self._cache.put(job.key, answer, len(answer))
                self._counters["done"] += 1
            self._queue.done(job)
            job.answer.set_result(answer)
        lane.discard()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counters[name] += 1


COUNTERS: Final = ("hits", "misses", "done", "starts", "failures", "local_failures", "refused")
"""Answers found kept; not kept; computed; processes started; attempts of a process that failed;
requests that failed; requests not taken because a line was full or the pool closed."""


def _key(root: bytes, bounds: Bounds, inputs: bytes | None) -> Key:
    return root, BOUNDS.encode(bounds), _ADMISSION if inputs is None else blake2_256(inputs)


def _lane(settings: PoolSettings) -> LaneSettings:
    child = ChildSettings(settings.memory_bytes_max, settings.seconds_max, settings.threads)
    if settings.command is not None:
        child = replace(child, command=settings.command)
    return LaneSettings(child, settings.models_bytes_max)
