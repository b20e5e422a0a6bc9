"""One worker of the pool: a process, what it holds, and how it is replaced when it fails."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ai_exec.backend import LocalFailure
from ai_exec.workers.cache import ByteBoundedCache
from ai_exec.workers.child import Child, ChildSettings
from ai_exec.workers.frames import BadFrame, ChannelClosed, ChannelTimeout, Kind
from ai_exec.workers.messages import ENGINES
from ai_exec.workers.queue import Job


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """Limits of one worker."""

    child: ChildSettings
    models_bytes_max: int
    """Bytes of models that a process keeps; the least recently used one leaves first."""


class ChildFailed(Exception):
    """The process answered that it could not do it, for instance for want of memory."""


class Lane:
    """Does jobs one after another in a process of its own; `stop` alone may come from outside."""

    def __init__(self, settings: LaneSettings, count: Callable[[str], None]) -> None:
        self._settings = settings
        self._count = count
        self._child: Child | None = None
        self._held: ByteBoundedCache[bytes, bool] = ByteBoundedCache(settings.models_bytes_max)
        self._stopping = threading.Event()

    @property
    def pid(self) -> int | None:
        """Number of the process, if one runs."""
        child = self._child
        return None if child is None else child.pid

    def answer(self, job: Job) -> bytes:
        """Have the job done by the fast engine, else by the reference, else raise LocalFailure."""
        reasons = []
        for engine in range(len(ENGINES)):
            if self._stopping.is_set():
                raise LocalFailure("the worker pool is closing")
            try:
                return self._attempt(engine, job)
            except ChildFailed as error:
                reasons.append(str(error))
            except ChannelClosed:
                reasons.append("the worker process ended")
            except ChannelTimeout:
                reasons.append("the worker process did not answer in time")
            except BadFrame as error:
                reasons.append(f"the worker process wrote nonsense: {error}")
            self._count("failures")
            self.discard()
        raise LocalFailure("; ".join(reasons))

    def warm(self) -> None:
        """Start the process before the first job; if that fails, the first job tries again."""
        try:
            self._start()
        except (ChildFailed, ChannelClosed, ChannelTimeout, BadFrame):
            self._count("failures")
            self.discard()

    def stop(self) -> None:
        """Take no more work and end the process, whatever it is doing; callable by any thread."""
        self._stopping.set()
        child = self._child
        if child is not None:
            child.end()

    def discard(self) -> None:
        """Kill the process; the next job starts another one."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _start(self) -> Child:
        if self._child is None:
            self._count("starts")
            try:
                self._child = Child(self._settings.child)
            except OSError as error:
                raise ChildFailed(str(error)) from error
            self._held = ByteBoundedCache(self._settings.models_bytes_max)
            if self._stopping.is_set():
                self._child.end()
            self._child.wait_ready()
        return self._child

    def _attempt(self, engine: int, job: Job) -> bytes:
        root, bounds, _ = job.key
        child = self._start()
        deadline = time.monotonic() + self._settings.child.seconds_max
        self._bring(child, root, job, deadline)
        if job.inputs is None:
            kind, payload = child.ask(Kind.ADMIT, (root, bounds), deadline)
        else:
            parts = (bytes([engine]), root, bounds, job.inputs)
            kind, payload = child.ask(Kind.RUN, parts, deadline)
        if self._held.get(root) is None:
            child.tell(Kind.FORGET, (root,), deadline)
        if kind is not Kind.DONE:
            raise ChildFailed(payload.decode(errors="replace"))
        return payload

    def _bring(self, child: Child, root: bytes, job: Job, deadline: float) -> None:
        if self._held.get(root) is None:
            model = job.load()
            child.tell(Kind.LOAD, (root, model), deadline)
            for evicted in self._held.put(root, True, len(model)):
                if evicted != root:
                    child.tell(Kind.FORGET, (evicted,), deadline)
