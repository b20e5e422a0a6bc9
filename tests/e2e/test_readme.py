"""The README's commands, run as they stand there; and what it points to exists."""

import os
import re
import subprocess
from pathlib import Path

from cli.local_network import LocalNetwork

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.search(r"run by tests/e2e/test_readme.py. -->\n```sh\n(.*?)```", README, re.DOTALL)


def test_commands_of_the_readme_work(network: LocalNetwork, tmp_path: Path) -> None:
    assert COMMANDS is not None
    environment = {
        **os.environ,
        "NOEMA_URL": network.nodes[0].url,
        "NOEMA_KEYS": str(tmp_path / "keys"),
        "NOEMA_TESTNET": str(network.folder),
        "NOEMA_TESTNET_RPC_PORT": str(network.nodes[0].rpc_port),
    }
    done = subprocess.run(
        ["bash", "-euxc", COMMANDS[1]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "label" in done.stdout


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert README.count("\n") <= 150
    for document in ROOT.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            assert (ROOT / link).exists(), f"{document.name} points to {link}"


def test_readme_names_only_tasks_that_exist() -> None:
    tasks = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z0-9-]+)", README)) <= tasks
