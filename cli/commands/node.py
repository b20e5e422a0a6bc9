"""Running a node."""

from pathlib import Path

import click

from cli.border import LocalGroup
from cli.context import CliContext, pass_context


@click.group(cls=LocalGroup)
def node() -> None:
    """Run a node."""


@node.command()
@click.option(
    "--base-path",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path.home() / ".noema" / "node",
    help="Folder of the node's data and of node.toml (~/.noema/node).",
)
@click.option("--chain", help="dev, local, or the path of a chain specification.")
@click.option("--name", help="How the node calls itself in logs and to others.")
@click.option(
    "--validator-key",
    metavar="PATH",
    help="Key file of a validator; its password is in NOEMA_VALIDATOR_PASSWORD.  "
    "With --chain dev: //Alice.",
)
@click.option("--rpc-host", help="Address of HTTP and WebSocket (127.0.0.1).")
@click.option("--rpc-port", type=click.IntRange(0, 65535), help="Their port (9944); 0: any free.")
@click.option("--listen", metavar="HOST:PORT", help="Where other nodes connect (0.0.0.0:30333).")
@click.option(
    "--bootnodes", metavar="ADDRESS", multiple=True, help="Multiaddress to start from; repeatable."
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--log-format", type=click.Choice(["text", "json"]))
@pass_context
def run(
    context: CliContext,
    base_path: Path,
    chain: str | None,
    name: str | None,
    validator_key: str | None,
    rpc_host: str | None,
    rpc_port: int | None,
    listen: str | None,
    bootnodes: tuple[str, ...],
    log_level: str | None,
    log_format: str | None,
) -> None:
    """Run a node until SIGTERM or Ctrl-C.

    What is not given here comes from node.toml in the base path.

    Example: noema node run --chain dev --base-path /tmp/dev --validator-key //Alice
    """
    from chain.node.start import run_node

    host, port = _listen(listen)
    overrides = {
        "chain": chain,
        "name": name,
        "validator_key": validator_key,
        "rpc.host": rpc_host,
        "rpc.port": rpc_port,
        "network.listen_host": host,
        "network.port": port,
        "network.boot_nodes": bootnodes or None,
        "log_level": log_level,
        "log_format": log_format,
    }
    click.get_current_context().exit(run_node(base_path, overrides))


@node.command()
@click.option(
    "--base-path",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path.home() / ".noema" / "node",
    help="Folder of the node (~/.noema/node).",
)
@pass_context
def init(context: CliContext, base_path: Path) -> None:
    """Write node.toml with every setting explained; an existing one is kept.

    Example: noema node init --base-path /srv/noema
    """
    from chain.node.config import CONFIG_NAME, NodeConfig, write_config

    path = base_path / CONFIG_NAME
    if path.exists():
        raise click.UsageError(f"{path} exists; edit it, or remove it first")
    base_path.mkdir(parents=True, exist_ok=True)
    path.write_text(write_config(NodeConfig()))
    context.show({"file": str(path)})


def _listen(value: str | None) -> tuple[str | None, int | None]:
    if value is None:
        return None, None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT", param_hint="--listen")
    return host or None, int(port)
