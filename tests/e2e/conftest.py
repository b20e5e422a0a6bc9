"""Real processes for end-to-end tests: one local network for all of them."""

from collections.abc import Iterator

import pytest

from cli.local_network import LocalNetwork
from tests.support.ports import free_ports


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
