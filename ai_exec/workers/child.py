"""One worker process seen from the node: start it, ask it, kill it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ai_exec.workers.frames import Channel, Kind

START_SECONDS_MAX: Final = 300.0
"""A loaded machine may take long to import numpy, and to compile passes that are not kept on disk;
a process that never comes up is a failure."""

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""A worker is one core; threads of a library would take the consensus engine's."""


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """How a worker process is started."""

    memory_bytes_max: int
    """Address space that a process may take beyond what it needs to start."""
    seconds_max: int
    """Wall time of one request, after which the process ends itself even if nobody kills it."""
    threads: int = 1
    """Threads that share the products of a run."""
    command: tuple[str, ...] = (sys.executable, "-m", "ai_exec.workers.process")
    """What to run; tests put misbehaving processes here."""


class Child:
    """A started process and its channel; not for use by two threads at once."""

    def __init__(self, settings: ChildSettings) -> None:
        ours, theirs = socket.socketpair()
        limits = map(str, (settings.memory_bytes_max, settings.seconds_max, settings.threads))
        with theirs:
            self._process = subprocess.Popen(
                [*settings.command, *limits],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # Ctrl-C reaches the node's group; the node decides when its workers end.
                process_group=0,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": _import_path()},
            )
        self._channel = Channel(ours)

    @property
    def pid(self) -> int:
        """Number of the operating system's process."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until the process says that its imports are done."""
        self._channel.receive(time.monotonic() + START_SECONDS_MAX)

    def tell(self, kind: Kind, parts: Sequence[bytes], deadline: float) -> None:
        """Send a frame that has no answer."""
        self._channel.send(kind, *parts, deadline=deadline)

    def ask(self, kind: Kind, parts: Sequence[bytes], deadline: float) -> tuple[Kind, bytes]:
        """Send a frame and wait for its answer."""
        self._channel.send(kind, *parts, deadline=deadline)
        return self._channel.receive(deadline)

    def end(self) -> None:
        """Make the process end, so that whoever waits for its answer sees it gone."""
        self._process.kill()

    def kill(self) -> None:
        """End the process at once and wait until it is gone."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


def _import_path() -> str:
    """Let the child import what this process imports, wherever it was started from."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)
