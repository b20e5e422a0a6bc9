"""The local network of four validators."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.border import REFUSED, Failed, LocalGroup
from cli.context import CliContext, pass_context

if TYPE_CHECKING:  # starting processes needs more than --help may load
    from cli.local_network import LocalNetwork

HASH_SHOWN: Final = 12
"""Characters of a hash in a table; --json has them all."""

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".testnet"),
    envvar="NOEMA_TESTNET",
    help="Where data and logs lie (.testnet).",
)
_RPC_PORT = click.option(
    "--rpc-port",
    type=click.IntRange(1, 65000),
    default=9944,
    envvar="NOEMA_TESTNET_RPC_PORT",
    hidden=True,
)
_NETWORK_PORT = click.option(
    "--network-port", type=click.IntRange(1, 65000), default=30333, hidden=True
)


@click.group(cls=LocalGroup)
def testnet() -> None:
    """Start and stop four validators on this machine."""


@testnet.command()
@_FOLDER
@_RPC_PORT
@_NETWORK_PORT
@pass_context
def up(context: CliContext, folder: Path, rpc_port: int, network_port: int) -> None:
    """Start the network and wait until blocks are final.

    The first node answers at http://127.0.0.1:9944 and ws://127.0.0.1:9944.

    Example: noema testnet up
    """
    from cli.local_network import NetworkProblem

    network = _network(folder, rpc_port, network_port)
    try:
        with context.waiting("starting four validators") as tell:
            network.up(tell)
    except NetworkProblem as problem:
        raise Failed(REFUSED, "Not started", str(problem)) from problem
    context.say(f"The network runs; logs are in {network.folder}/node-*/node.log")
    context.show(_shown(context, network.status()))


@testnet.command()
@_FOLDER
@_RPC_PORT
@_NETWORK_PORT
@click.option("--remove", is_flag=True, help="Remove the data too.")
@pass_context
def down(context: CliContext, folder: Path, rpc_port: int, network_port: int, remove: bool) -> None:
    """Stop the network; its data stays, and `up` goes on from there.

    Example: noema testnet down --remove
    """
    import shutil

    network = _network(folder, rpc_port, network_port)
    with context.waiting("stopping") as tell:
        stopped = network.down(tell)
    if remove:
        for node in network.nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
    if not stopped and not remove:
        context.say(f"No node runs in {network.folder}; --folder names another one")
    context.show({"stopped": stopped, "removed": remove})


@testnet.command()
@_FOLDER
@_RPC_PORT
@_NETWORK_PORT
@pass_context
def status(context: CliContext, folder: Path, rpc_port: int, network_port: int) -> None:
    """Show height, hash and state root of every node; exit code 3 if none answers.

    Example: noema testnet status --json
    """
    from cli.border import START_A_NODE, UNREACHABLE

    found = _network(folder, rpc_port, network_port).status()
    if all(node["height"] is None for node in found):
        raise Failed(UNREACHABLE, "No node", START_A_NODE)
    context.show(_shown(context, found))


def _shown(context: CliContext, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows; hashes cut for people, so that a row fits into a terminal's line."""
    if context.as_json:
        return found
    return [
        {
            name: f"{value[:HASH_SHOWN]}..." if name in ("hash", "state_root") and value else value
            for name, value in row.items()
        }
        for row in found
    ]


def _network(folder: Path, rpc_port: int, network_port: int) -> "LocalNetwork":
    from cli.local_network import LocalNetwork

    return LocalNetwork(folder, rpc_port=rpc_port, network_port=network_port)
