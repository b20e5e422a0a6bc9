"""Isolated work: a crash, a hang and a hunger for memory each cost one answer."""

import os
import signal
import time

from tests.support.isolation import judged


def work(item: str) -> str:
    if item == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hangs":
        time.sleep(60)
    if item == "raises":
        raise SystemExit(3)
    if item == "grows":
        try:
            bytearray(1 << 40)
        except MemoryError:
            return "no memory"
    return f"{item} done"


def test_every_item_is_answered() -> None:
    items = ("first", "dies", "hangs", "second", "raises", "grows", "third")

    found = dict(judged(items, work, lambda item, end: f"{item}: {end}", seconds=2.0))

    assert [found[place] for place in range(len(items))] == [
        "first done",
        "dies: ended by SIGKILL",
        "hangs: no answer within 2 s",
        "second done",
        "raises: ended with status 3",
        "no memory",
        "third done",
    ]
