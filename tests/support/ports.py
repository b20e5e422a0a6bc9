"""TCP ports for tests that start real processes."""

import socket


def free_ports(count: int) -> int:
    """Give the first of `count` ports in a row that nobody uses now."""
    for first in range(20_000, 30_000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                sockets.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in sockets:
                probe.close()
    raise AssertionError("no free ports")
