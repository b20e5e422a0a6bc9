"""Four real validators: bad bytes on their ports, kill -9, restart, one folder for two."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from chain.rpc.client import Client
from cli.local_network import LocalNetwork, LocalNode
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("NOEMA_E2E_LONG"))
"""Set by `make e2e`: more rounds of everything."""


def wait_until(look: Callable[[], Any], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def height(node: LocalNode) -> int:
    with Client(node.url) as client:
        return int(client.request("chain_getHeader")["number"], 16)


def block_hash(node: LocalNode, number: int) -> str:
    with Client(node.url) as client:
        found: str = client.request("chain_getBlockHash", [number])
        return found


def run_node(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "node", "run", "--base-path", str(folder)]
    return subprocess.run(
        [*command, "--rpc-port", "0", "--listen", "127.0.0.1:0", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_random_bytes_on_both_ports_do_no_harm(network: LocalNetwork) -> None:
    node = network.nodes[0]
    before = height(node)
    for port in (node.network_port, node.rpc_port):
        for length in (1, 17, 4096, 300_000):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.settimeout(2)
                try:
                    connection.sendall(secrets.token_bytes(length))
                    connection.recv(1024)
                except OSError:
                    pass
    for body in (b"{", b"[" * 10_000, secrets.token_bytes(999), b'{"jsonrpc":"2.0","method":7}'):
        answer = httpx.post(node.url, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (200, 400)
    wait_until(lambda: height(node) >= before + 2)


def test_transfer_is_final_on_every_node(network: LocalNetwork) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cli.main"),
            *("tx", "transfer", "//Bob", "1NOE", "--from", "//Alice", "--json"),
        ],
        cwd=ROOT,
        env={**os.environ, "NOEMA_URL": network.nodes[1].url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    for node in network.nodes:
        wait_until(lambda node=node: height(node) >= sent["block"])
        assert block_hash(node, sent["block"]) == sent["block_hash"]


def test_killed_validators_come_back_to_the_same_chain(network: LocalNetwork) -> None:
    for victim in (2, 0, 3, 1, 2, 3) if LONG else (2, 0):
        others = [node for node in network.nodes if node.index != victim]
        pid = network.nodes[victim].pid
        assert pid is not None
        before = height(others[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda before=before, others=others: height(others[0]) >= before + 2)
        network.start(victim)
        goal = height(others[0])
        wait_until(lambda node=network.nodes[victim]: is_up(node))
        wait_until(lambda node=network.nodes[victim], goal=goal: height(node) >= goal)
    common = min(height(node) for node in network.nodes)
    assert len({block_hash(node, common) for node in network.nodes}) == 1


def workers_of(pid: int) -> list[int]:
    """Give the processes that a node started, where /proc shows them."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # processes end while we look
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def test_half_of_the_validators_killed_halts_the_chain_until_they_are_back(
    network: LocalNetwork,
) -> None:
    victims, others = network.nodes[1:3], (network.nodes[0], network.nodes[3])
    pids = [node.pid for node in victims]
    workers = [worker for pid in pids for worker in workers_of(pid or 0)]
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    time.sleep(2)
    frozen = [height(node) for node in others]
    time.sleep(2)
    assert [height(node) for node in others] == frozen
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []
    for node in victims:
        network.start(node.index)
    wait_until(lambda: all(is_up(node) for node in network.nodes))
    wait_until(lambda: min(height(node) for node in network.nodes) > max(frozen) + 1)
    common = min(height(node) for node in network.nodes)
    assert len({block_hash(node, common) for node in network.nodes}) == 1
    for node in network.nodes:
        assert "signed two different things" not in node.log.read_text(errors="replace")


def test_a_stopped_validator_goes_on_where_the_others_are(network: LocalNetwork) -> None:
    node, other = network.nodes[3], network.nodes[0]
    assert node.pid is not None
    os.kill(node.pid, signal.SIGSTOP)
    try:
        before = height(other)
        wait_until(lambda: height(other) >= before + 3)
    finally:
        os.kill(node.pid, signal.SIGCONT)
    goal = height(other) + 1
    wait_until(lambda: height(node) >= goal)


def is_up(node: LocalNode) -> bool:
    try:
        return httpx.get(f"{node.url}/health", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def test_second_node_on_a_folder_is_refused(network: LocalNetwork) -> None:
    refused = run_node(network.nodes[0].folder, "--chain", "local")
    assert refused.returncode == 1
    assert "FolderInUse" in refused.stderr
    assert "Stop it, or choose another folder." in refused.stderr


def test_folder_of_another_chain_is_refused(network: LocalNetwork, tmp_path: Path) -> None:
    specification = tmp_path / "other.json"
    content = (ROOT / "genesis" / "presets" / "dev.json").read_text()
    specification.write_text(content.replace("Noema Development", "Another One"))
    command = [sys.executable, "-m", "cli.main", "node", "run", "--base-path", str(tmp_path / "x")]
    started = subprocess.Popen(
        [*command, "--chain", "dev", "--rpc-port", "0", "--listen", "127.0.0.1:0"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    line = started.stderr.readline()
    assert "node open" in line, line
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 0, "SIGTERM ends a node cleanly"
    refused = run_node(tmp_path / "x", "--chain", str(specification))
    assert refused.returncode == 1
    assert "WrongGenesis" in refused.stderr


def test_metrics_and_health_are_served(network: LocalNetwork) -> None:
    node = network.nodes[0]
    wait_until(lambda: is_up(node))
    page = httpx.get(f"{node.url}/metrics").text
    assert f"noema_peers {len(network.nodes) - 1}.0" in page
    assert "noema_height " in page
    assert httpx.get(f"{node.url}/health").status_code == 200


def test_follower_joins_by_one_address_and_holds_the_same_blocks(
    network: LocalNetwork, tmp_path: Path
) -> None:
    with Client(network.nodes[0].url) as client:
        address = client.request("system_localListenAddresses")[0]
    port = free_ports(2)
    command = [
        *(sys.executable, "-m", "cli.main", "node", "run", "--base-path", str(tmp_path)),
        *("--chain", "local", "--bootnodes", address),
        *("--rpc-port", str(port), "--listen", f"127.0.0.1:{port + 1}"),
    ]
    with (tmp_path / "node.log").open("wb") as log:
        follower = subprocess.Popen(command, cwd=ROOT, stderr=log)
    try:
        node = LocalNode(9, "follower", tmp_path, port, port + 1)
        goal = height(network.nodes[0])
        wait_until(lambda: is_up(node) and height(node) >= goal)
        assert block_hash(node, goal) == block_hash(network.nodes[1], goal)
        before = height(node)
        wait_until(lambda: height(node) >= before + 2)
    finally:
        follower.send_signal(signal.SIGTERM)
        assert follower.wait(20) == 0
