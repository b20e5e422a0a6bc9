"""TCP ports for tests that start real processes."""

import socket
from typing import Final

BLOCK: Final = 16
"""Ports are handed out in blocks; the first of a block is held while its owner runs."""
_HELD: Final[list[socket.socket]] = []


def free_ports(count: int) -> int:
    """Give the first of `count` ports in a row that nobody uses, nor another process of tests."""
    assert count < BLOCK
    for start in range(20_000, 30_000, BLOCK):
        guard = _bound(start)
        if guard is None:
            continue
        probes = [_bound(port) for port in range(start + 1, start + 1 + count)]
        for probe in probes:
            if probe is not None:
                probe.close()
        if None not in probes:
            _HELD.append(guard)
            return start + 1
        guard.close()
    raise AssertionError("no free ports")


def _bound(port: int) -> socket.socket | None:
    """Take a port that nobody uses; None if somebody does."""
    taken = socket.socket()
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        taken.close()
        return None
    return taken
