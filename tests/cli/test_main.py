"""The tree of commands: quick, complete, and explained."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chain.rpc.client import NodeUnreachable
from chain.rpc.json_rpc import RpcError
from cli.main import main
from tests.support.fake_client import FakeClient, chain_answers, included, noema

HEAVY = ("httpx", "nacl", "numpy", "onnx", "trio", "libp2p", "PIL", "chain.primitives", "runtime")

TREE = """
blob get
blob put
blob status
data contribute
data create
data drop
data list
data show
data snapshot
data withdraw
evaluate
genesis new
genesis show
govern cancel
govern delegate
govern list
govern lock
govern parameters
govern propose
govern show
govern slow
govern take-back
govern treasury
govern undelegate
govern unlock
govern upgrade
govern vote
govern voter
infer
key import
key list
key new
key show
model approve
model cancel-move
model channels
model check
model lineage
model list
model move
model publish
model register
model release
model retire
model show
node init
node run
query account
query block
query calls
query events
query issuance
query node
query receipt
query storage
query validators
reward claim
reward declare
reward explain
reward share
reward show
reward valuations
reward value
testnet down
testnet status
testnet up
train build
train cancel
train fetch
train list
train replay
train show
train start
tx call
tx status
tx transfer
"""


def leaves(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from leaves(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_the_tree() -> None:
    assert [name for name, _ in leaves(main)] == TREE.split("\n")[1:-1]


@pytest.mark.parametrize(("name", "command"), list(leaves(main)))
def test_every_command_is_explained(name: str, command: click.Command) -> None:
    result = noema(*name.split(), "--help")

    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"noema {name}" in result.output
    assert "--json" in result.output
    at_home = ("model check", "train build")
    local = name.split()[0] in ("genesis", "key", "node", "testnet") or name in at_home
    assert ("--url" in result.output) != local
    described = [each for each in command.params if isinstance(each, click.Option)]
    undescribed = [each.name for each in described if not each.help and not each.hidden]
    assert undescribed in ([], ["log_level", "log_format"])


def test_help_loads_nothing_heavy() -> None:
    script = "import sys, cli.main; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (NodeUnreachable("http://x: refused"), 3, "noema testnet up"),
        (
            RpcError(1010, "Invalid Transaction", "Send less."),
            1,
            "Invalid Transaction\n  Send less.",
        ),
        (RpcError(4004, "No model 'x'"), 1, "No model 'x'"),
    ],
)
def test_exit_codes(answer: Exception, code: int, words: str) -> None:
    result = noema("query", "validators", client=FakeClient({"chain_getBlockHash": answer}))

    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == ""


def test_a_refused_call_names_its_error_and_says_what_to_do() -> None:
    error = {"name": "Balances.InsufficientBalance", "advice": "Send less."}
    answers = {**chain_answers(), "ai_transaction": included([], error)}

    result = noema(
        "tx", "transfer", "//Bob", "1NOE", "--from", "//Alice", client=FakeClient(answers)
    )

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Balances.InsufficientBalance\n  Send less.\n")


def test_errors_are_json_with_json() -> None:
    client = FakeClient({"ai_models": NodeUnreachable("http://x: refused")})

    result = noema("model", "list", "--json", client=client)

    assert result.exit_code == 3
    assert '"name": "No node"' in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [("nonsense",), ("tx", "transfer"), ("--nonsense",)])
def test_wrong_use_is_2(arguments: tuple[str, ...]) -> None:
    assert noema(*arguments).exit_code == 2


def test_an_unusable_configuration_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("name = 3")

    result = noema("node", "run", "--base-path", str(tmp_path))

    assert result.exit_code == 2
    assert result.stderr.endswith("node.toml: mend what is listed\nname: a text in quotes\n")


def test_our_own_mistakes_are_not_hidden() -> None:
    result = noema("model", "list", client=FakeClient({"ai_models": ZeroDivisionError()}))

    assert isinstance(result.exception, ZeroDivisionError)
