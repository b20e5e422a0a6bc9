"""The local network, with processes that only pretend to be nodes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.local_network import LocalNetwork, NetworkProblem
from tests.support.fake_client import noema

PRETENDER = "import signal, sys, time; {}; time.sleep(60)"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def network(folder: Path) -> LocalNetwork:
    """Give a network on ports that nobody uses; its clock runs fast."""
    ticks = iter(range(0, 10**6, 2))
    return LocalNetwork(
        folder,
        rpc_port=1,
        network_port=2,
        clock=lambda: float(next(ticks)),
        sleep=lambda seconds: time.sleep(0.02),
    )


def pretend(folder: Path, index: int, code: str = "pass") -> subprocess.Popen[bytes]:
    """Start a process that carries a node's folder in its command line."""
    node = folder / f"node-{index}"
    node.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([sys.executable, "-c", PRETENDER.format(code), str(node)])
    (node / "node.pid").write_text(str(process.pid))
    time.sleep(0.15)
    return process


def test_a_running_network_is_not_started_twice(tmp_path: Path) -> None:
    process = pretend(tmp_path, 2)
    try:
        with pytest.raises(NetworkProblem, match="Charlie run already"):
            network(tmp_path).up(lambda words: None)
        with pytest.raises(NetworkProblem, match="Charlie runs already"):
            network(tmp_path).start(2)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("code", "ending"), [("pass", -signal.SIGTERM), (STUBBORN, -signal.SIGKILL)]
)
def test_nodes_are_stopped_kindly_and_then_by_force(code: str, ending: int, tmp_path: Path) -> None:
    process = pretend(tmp_path, 0, code)

    stopped = network(tmp_path).down(lambda words: None)

    assert stopped == ["Alice"]
    assert not (tmp_path / "node-0" / "node.pid").exists()
    assert process.wait(5) in (ending, 0)
    assert network(tmp_path).down(lambda words: None) == []


def test_a_node_that_has_no_command_line_yet_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node-0").mkdir()
    (tmp_path / "node-0" / "node.pid").write_text(str(os.getpid()))
    lines = iter([b"", b"", str(tmp_path / "node-0").encode()])
    monkeypatch.setattr(Path, "read_bytes", lambda self: next(lines))

    assert network(tmp_path).nodes[0].pid == os.getpid()


def test_a_pid_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "node-0").mkdir()
    (tmp_path / "node-0" / "node.pid").write_text(str(os.getpid()))

    assert network(tmp_path).nodes[0].pid is None
    assert network(tmp_path).down(lambda words: None) == []


def test_a_node_that_ends_is_reported_with_its_log_and_all_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.local_network.sys.executable", "/bin/echo")

    with pytest.raises(NetworkProblem, match=r"Alice ended:\n-m cli.main node run --base-path"):
        network(tmp_path).up(lambda words: None)

    assert all(node.pid is None for node in network(tmp_path).nodes)


def test_data_of_an_older_version_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.local_network.sys.executable", "/bin/true")
    (tmp_path / "node-0").mkdir()
    (tmp_path / "node-0" / "node.log").write_text("ERROR   WrongGenesis: the folder holds chain\n")

    with pytest.raises(NetworkProblem, match="`noema testnet down --remove` removes it"):
        network(tmp_path).up(lambda words: None)


def test_every_node_knows_the_others_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.local_network.sys.executable", "/bin/echo")
    with pytest.raises(NetworkProblem):
        network(tmp_path).up(lambda words: None)
    time.sleep(0.2)

    commands = [(tmp_path / f"node-{index}" / "node.log").read_text() for index in range(4)]
    keys = [(tmp_path / f"node-{index}" / "network.key").read_bytes() for index in range(4)]
    assert len(set(keys)) == 4
    for index, command in enumerate(commands):
        boot_nodes = [word for word in command.split() if "/p2p/" in word]
        ports = [int(address.split("/")[4]) for address in boot_nodes]
        assert ports == [port for port in range(2, 6) if port != 2 + index]


def test_status_without_a_network(tmp_path: Path) -> None:
    result = noema("testnet", "status", "--folder", str(tmp_path), "--rpc-port", "1", "--json")

    assert result.exit_code == 3
    assert json.loads(result.stderr)["error"]["name"] == "No node"


def test_down_without_a_network(tmp_path: Path) -> None:
    result = noema("testnet", "down", "--folder", str(tmp_path), "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, {"stopped": [], "removed": False})
    assert result.stderr == f"No node runs in {tmp_path}; --folder names another one\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_hashes_are_cut_for_people_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    whole = "0x" + "ab" * 32
    row = {"node": "Alice", "height": 3, "hash": whole, "state_root": None}
    monkeypatch.setattr(LocalNetwork, "status", lambda self: [row])

    result = noema("testnet", "status", "--folder", str(tmp_path), *["--json"][: int(as_json)])

    assert (whole in result.stdout) == as_json
    assert ("0xababababab..." in result.stdout) != as_json
