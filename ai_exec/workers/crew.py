"""Threads that share the large products of a run."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ai_exec.fast.products import Part


class Crew:
    """So many threads, the calling one included; compiled passes let them run at the same time."""

    def __init__(self, threads: int) -> None:
        assert threads > 1, "one thread needs no crew"
        self._others = ThreadPoolExecutor(threads - 1, "products")

    def __call__(self, parts: Sequence[Part]) -> None:
        """Do parts at the same time, and return when all are done."""
        begun = [self._others.submit(part) for part in parts[1:]]
        parts[0]()
        for part in begun:
            part.result()
