"""The tree of commands: `noema NOUN VERB`."""

import click

from cli.border import Group
from cli.commands.blob import blob
from cli.commands.data import data
from cli.commands.evaluate import evaluate
from cli.commands.genesis import genesis
from cli.commands.govern import govern
from cli.commands.infer import infer
from cli.commands.key import key
from cli.commands.model import model
from cli.commands.node import node
from cli.commands.query import query
from cli.commands.reward import reward
from cli.commands.testnet import testnet
from cli.commands.train import train
from cli.commands.tx import tx


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"noema {version('noema')}")
    except PackageNotFoundError:
        click.echo("noema, not installed")
    ctx.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def main() -> None:
    """Noema: a chain whose validators run ONNX models inside transactions.

    \b
    Start a local network and move some coins:
      noema testnet up
      noema tx transfer //Bob 2.5NOE --from //Alice
      noema query account //Bob

    Every command takes --json, and --url where it talks to a node.  Exit codes:
    0 done, 1 refused by the chain, 2 wrong use, 3 no node.
    """


for _command in (
    blob,
    data,
    evaluate,
    genesis,
    govern,
    infer,
    key,
    model,
    node,
    query,
    reward,
    testnet,
    train,
    tx,
):
    main.add_command(_command)

if __name__ == "__main__":
    main()
