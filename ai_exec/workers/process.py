"""The process that runs models for a node: takes requests from its standard input, dies with it.

A crash, a hang or a lack of memory ends this process and not the node.
"""

import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from ai_exec.axes import BOUNDS
from ai_exec.backend import ADMISSION_SUMMARY, InProcess
from ai_exec.fast.measure import measured
from ai_exec.fast.prepare import prepare_products
from ai_exec.workers.crew import Crew
from ai_exec.workers.frames import Channel, ChannelClosed, Kind
from ai_exec.workers.messages import ENGINES, ROOT_BYTES, encode_outcome

Answer = Callable[[Kind, memoryview], bytes | None]
"""Does a request; None for one that has no answer."""

GRACE_SECONDS: Final = 5
"""How much longer than the node this process waits before it ends itself."""


class Servant:
    """The models that this process holds, and what it does with them."""

    def __init__(self, threads: int = 1) -> None:
        # Done before memory is bounded, and not on a model's time.
        prepare_products()
        products = measured(time.perf_counter)
        if threads > 1:
            products = replace(products, threads=threads, together=Crew(threads))
        self._models: dict[bytes, bytes] = {}
        self._engines = tuple(InProcess(engine, products=products) for engine in ENGINES)

    def answer(self, kind: Kind, payload: memoryview) -> bytes | None:
        """Do one request."""
        if kind is Kind.RUN:
            engine, root = payload[0], bytes(payload[1 : 1 + ROOT_BYTES])
            rest = bytes(payload[1 + ROOT_BYTES :])
            bounds, start = BOUNDS.read(rest, 0)
            backend = self._engines[engine]
            found = backend.run(root, lambda: self._models[root], rest[start:], bounds)
            return encode_outcome(found)
        root = bytes(payload[:ROOT_BYTES])
        if kind is Kind.LOAD:
            self._models[root] = bytes(payload[ROOT_BYTES:])
            return None
        if kind is Kind.FORGET:
            self._models.pop(root, None)
            for backend in self._engines:
                backend.forget(root)
            return None
        assert kind is Kind.ADMIT, kind
        bounds = BOUNDS.decode(bytes(payload[ROOT_BYTES:]))
        summary = self._engines[0].admit(root, lambda: self._models[root], bounds)
        return ADMISSION_SUMMARY.encode(summary)


def main(arguments: list[str], prepare: Callable[[], Answer]) -> None:
    """Serve standard input until it ends, also while what answers is still being prepared.

    The arguments are memory in bytes, time in seconds, and threads.
    """
    memory_bytes_max, seconds_max, _ = map(int, arguments)
    endpoint = socket.socket(fileno=os.dup(0))
    threading.Thread(target=_die_with_parent, args=(endpoint.fileno(),), daemon=True).start()
    answer = prepare()
    _limit_memory(memory_bytes_max)
    channel = Channel(endpoint)
    with suppress(ChannelClosed):
        channel.send(Kind.READY)
        while True:
            kind, payload = channel.receive()
            signal.alarm(seconds_max + GRACE_SECONDS)
            _reply(channel, answer, kind, memoryview(payload))
            signal.alarm(0)


def _reply(channel: Channel, answer: Answer, kind: Kind, payload: memoryview) -> None:
    try:
        done = answer(kind, payload)
    except Exception as error:
        # A border: whatever went wrong here is the node's to know and not a result.
        channel.send(Kind.FAILED, f"{type(error).__name__}: {error}".encode(errors="replace"))
        return
    if done is not None:
        channel.send(Kind.DONE, done)


def _die_with_parent(descriptor: int) -> None:
    """End the process when the other end hangs up, even in the middle of a run."""
    watch = select.poll()
    watch.register(descriptor, select.POLLHUP)
    while not any(event & select.POLLHUP for _, event in watch.poll()):
        pass
    os._exit(0)


def _limit_memory(further_bytes: int) -> None:
    """Bound the address space to what is taken now and so much more, where the system can."""
    statistics = Path("/proc/self/statm")
    taken = (
        int(statistics.read_text().split()[0]) * resource.getpagesize()
        if (statistics.exists())
        else 0
    )
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (taken + further_bytes, taken + further_bytes))


if __name__ == "__main__":
    main(sys.argv[1:], lambda: Servant(int(sys.argv[3])).answer)
