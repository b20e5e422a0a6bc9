"""Real processes for end-to-end tests: one local network for all of them."""

import socket
from collections.abc import Iterator

import pytest

from cli.local_network import LocalNetwork


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


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    """Four validators that make blocks; stopped when the tests are over."""
    first = free_ports(8)
    running = LocalNetwork(
        tmp_path_factory.mktemp("network"), rpc_port=first, network_port=first + 4
    )
    running.up(lambda words: None)
    yield running
    running.down(lambda words: None)
    assert [node.name for node in running.nodes if node.pid is not None] == []
