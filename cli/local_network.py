"""A local network of four validators: folders, detached processes, waiting, stopping.

Each node has a folder with its data, `node.log` and `node.pid`.  Ports follow one another from the
first ones; all nodes know each other's address from the start.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from chain.rpc.client import Client, NodeUnreachable

NAMES: Final = ("Alice", "Bob", "Charlie", "Dave")
RPC_PORT: Final = 9944
NETWORK_PORT: Final = 30333
STARTED_WITHIN_S: Final = 90.0
STOPPED_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.25
_LOG_TAIL_LINES: Final = 15
_COMMAND_READS_MAX: Final = 20


class NetworkProblem(Exception):
    """The local network cannot do what was asked.  The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class LocalNode:
    """One node of the network."""

    index: int
    name: str
    folder: Path
    rpc_port: int
    network_port: int

    @property
    def url(self) -> str:
        """Give the address of its RPC."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def log(self) -> Path:
        """Give its log file."""
        return self.folder / "node.log"

    @property
    def pid(self) -> int | None:
        """Give its process if it is alive and is really this node."""
        try:
            pid = int((self.folder / "node.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if _is_node(pid, self.folder) else None


class LocalNetwork:
    """Four validators under one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        rpc_port: int = RPC_PORT,
        network_port: int = NETWORK_PORT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder = folder.resolve()
        self.nodes = tuple(
            LocalNode(
                index,
                name,
                self.folder / f"node-{index}",
                rpc_port + index,
                network_port + index,
            )
            for index, name in enumerate(NAMES)
        )
        self._clock = clock
        self._sleep = sleep

    def up(self, tell: Callable[[str], None], blocks: int = 2) -> None:
        """Start all nodes and wait until blocks are final on each; raises NetworkProblem."""
        running = [node.name for node in self.nodes if node.pid is not None]
        if running:
            raise NetworkProblem(
                f"{', '.join(running)} run already; stop them with `noema testnet down`"
            )
        self._refuse_taken_ports()
        seeds = [self._seed(node) for node in self.nodes]
        for node in self.nodes:
            self._start(node, self._addresses(seeds, node))
        try:
            self._await_blocks(tell, blocks)
        except BaseException:
            self.down(tell)
            raise

    def start(self, index: int) -> None:
        """Start one node again, after it was stopped or killed; raises NetworkProblem."""
        node = self.nodes[index]
        if node.pid is not None:
            raise NetworkProblem(f"{node.name} runs already")
        seeds = [self._seed(each) for each in self.nodes]
        self._start(node, self._addresses(seeds, node))

    def down(self, tell: Callable[[str], None]) -> list[str]:
        """Stop all nodes, kindly and then by force; gives the names of those that ran."""
        running = [(node, pid) for node in self.nodes if (pid := node.pid) is not None]
        for _, pid in running:
            _signal(pid, signal.SIGTERM)
        deadline = self._clock() + STOPPED_WITHIN_S
        alive = running
        while alive and self._clock() < deadline:
            tell(f"stopping {', '.join(node.name for node, _ in alive)}")
            self._sleep(_POLL_S)
            alive = [(node, pid) for node, pid in alive if _is_node(pid, node.folder)]
        for node, pid in alive:
            tell(f"{node.name} did not stop within {STOPPED_WITHIN_S:g} s and is killed")
            _signal(pid, signal.SIGKILL)
        for node, _ in running:
            (node.folder / "node.pid").unlink(missing_ok=True)
        return [node.name for node, _ in running]

    def status(self) -> list[dict[str, Any]]:
        """Give what each node says of itself."""
        return [self._status(node) for node in self.nodes]

    def _status(self, node: LocalNode) -> dict[str, Any]:
        pid = node.pid
        shown: dict[str, Any] = {"node": node.name, "pid": pid, "rpc": node.url}
        try:
            with Client(node.url) as client:
                head = client.request("chain_getFinalizedHead")
                header = client.request("chain_getHeader", [head])
                peers = client.request("system_health")["peers"]
        except NodeUnreachable:
            return {**shown, "height": None, "hash": None, "state_root": None, "peers": None}
        return {
            **shown,
            "height": int(header["number"], 16),
            "hash": head,
            "state_root": header["stateRoot"],
            "peers": peers,
        }

    def _seed(self, node: LocalNode) -> bytes:
        from chain.node.identity import NETWORK_KEY_NAME

        node.folder.mkdir(parents=True, exist_ok=True)
        path = node.folder / NETWORK_KEY_NAME
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
        return path.read_bytes()

    def _addresses(self, seeds: list[bytes], own: LocalNode) -> list[str]:
        from chain.network.peers import peer_id_of

        return [
            f"/ip4/127.0.0.1/tcp/{node.network_port}/p2p/{peer_id_of(seed)}"
            for node, seed in zip(self.nodes, seeds, strict=True)
            if node is not own
        ]

    def _start(self, node: LocalNode, boot_nodes: list[str]) -> None:
        command = [
            *(sys.executable, "-m", "cli.main", "node", "run"),
            *("--base-path", str(node.folder), "--chain", "local", "--name", node.name.lower()),
            *("--validator-key", f"//{node.name}//validator"),
            *("--rpc-port", str(node.rpc_port)),
            *("--listen", f"127.0.0.1:{node.network_port}"),
        ]
        for address in boot_nodes:
            command += ["--bootnodes", address]
        with node.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=Path(__file__).parents[1],
            )
        (node.folder / "node.pid").write_text(str(process.pid))

    def _await_blocks(self, tell: Callable[[str], None], blocks: int) -> None:
        deadline = self._clock() + STARTED_WITHIN_S
        while True:
            heights = [self._height(node) for node in self.nodes]
            shown = ", ".join("-" if height is None else str(height) for height in heights)
            tell(f"heights {shown}")
            for node in self.nodes:
                if node.pid is None:
                    raise NetworkProblem(f"{node.name} ended:\n{_explained(_tail(node.log))}")
            if all(height is not None and height >= blocks for height in heights):
                return
            if self._clock() > deadline:
                raise NetworkProblem(
                    f"no {blocks} blocks within {STARTED_WITHIN_S:g} s (heights {shown}); "
                    f"see {self.nodes[0].log}"
                )
            self._sleep(_POLL_S)

    def _height(self, node: LocalNode) -> int | None:
        try:
            with Client(node.url) as client:
                return int(client.request("chain_getHeader")["number"], 16)
        except NodeUnreachable:
            return None

    def _refuse_taken_ports(self) -> None:
        for node in self.nodes:
            try:
                httpx.get(node.url, timeout=1)
            except httpx.TransportError:
                continue
            raise NetworkProblem(
                f"port {node.rpc_port} is taken by a node or network of another folder, or by "
                "another program; stop it first (`noema testnet down --folder FOLDER`)"
            )


def _is_node(pid: int, folder: Path) -> bool:
    """Tell whether the process is alive and, where that can be seen, works on the folder."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        command = _command_of(pid)
    except OSError:
        return not Path("/proc/self").exists()
    return str(folder).encode() in command


def _command_of(pid: int) -> bytes:
    """Give a process's command line: none for a moment after its start, none for ever at its end.

    Raises OSError where the system does not tell.
    """
    for _ in range(_COMMAND_READS_MAX):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if command:
            return command
        time.sleep(0.01)
    return b""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _explained(tail: str) -> str:
    """Add what to do about data that an earlier version, with other rules, has left."""
    if "WrongGenesis" not in tail:
        return tail
    return f"{tail}\nThe data is of an older version; `noema testnet down --remove` removes it"


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
    except OSError:
        return "it left no log"
