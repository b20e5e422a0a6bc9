"""Content that travels beside the chain."""

from pathlib import Path

import click

from cli.border import Group
from cli.contents import KINDS, publish_content
from cli.context import CliContext, pass_context
from cli.parameters import HASH
from cli.sending import Sending, sending_options


@click.group(cls=Group)
def blob() -> None:
    """Upload and fetch content."""


@blob.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--kind", type=click.Choice(list(KINDS)), default="model", show_default=True, help="What it is."
)
@sending_options()
@pass_context
def put(context: CliContext, file: Path, kind: str, sending: Sending) -> None:
    """Announce FILE, upload it, and wait until validators hold it.

    An upload that broke off goes on where it stopped.

    Example: noema blob put digits.onnx --from //Alice
    """
    context.show(publish_content(context, sending, file.read_bytes(), kind))


@blob.command()
@click.argument("root", type=HASH)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="File to write."
)
@click.option("--length", type=int, help="Bytes, if the chain does not know the content.")
@pass_context
def get(context: CliContext, root: str, output: Path, length: int | None) -> None:
    """Fetch content by its ROOT and check every byte of it.

    Example: noema blob get 0x9a... -o digits.onnx
    """
    from chain.rpc.content import download

    if length is None:
        status = context.client.request("ai_blobStatus", [root])["chain"]
        if status is None:
            raise click.UsageError("the chain does not know this content; give its --length")
        length = int(status["length"])
    with context.progress("fetching") as update:
        content = download(context.client, root, length, update)
    output.write_bytes(content)
    context.show({"root": root, "length": length, "file": str(output)})


@blob.command()
@click.argument("root", type=HASH)
@pass_context
def status(context: CliContext, root: str) -> None:
    """Show who wants content kept, who holds it, and which chunks the node has.

    Example: noema blob status 0x9a...
    """
    context.show(context.client.request("ai_blobStatus", [root]))
