"""Datasets: open one, contribute rows, look it up."""

from pathlib import Path
from typing import Any

import click

from cli.border import Group
from cli.contents import after, publish_content
from cli.context import CliContext, pass_context
from cli.parameters import NAME, SHAPE
from cli.sending import Sending, send, sending_options


@click.group(cls=Group)
def data() -> None:
    """Open datasets and contribute to them."""


@data.command()
@click.argument("name", type=NAME, metavar="NAME")
@click.option("--element", default="uint8", show_default=True, help="Type of one element of a row.")
@click.option("--shape", type=SHAPE, required=True, help="Dimensions of a row, such as 8x8.")
@click.option("--classes", type=click.IntRange(min=0), default=0, help="Labels; 0 for none.")
@click.option("--licence", default="CC-BY-4.0", show_default=True, help="SPDX identifier.")
@click.option(
    "--distance",
    type=click.IntRange(min=0),
    default=0,
    help="Rows as near as that to earlier ones are worth nothing, in squared differences (0).",
)
@click.option(
    "--neighbours",
    type=click.IntRange(min=0),
    default=0,
    help="Measure the worth of rows by so many nearest; 0 pays every row the same (0).",
)
@sending_options()
@pass_context
def create(
    context: CliContext,
    name: str,
    element: str,
    shape: tuple[int, ...],
    classes: int,
    licence: str,
    distance: int,
    neighbours: int,
    sending: Sending,
) -> None:
    """Open a dataset NAME for rows of one form.

    Example: noema data create digits --shape 8x8 --classes 10 --from //Alice
    """
    from ai_exec.tensor import DTYPE_NUMBERS

    if element not in DTYPE_NUMBERS:
        known = ", ".join(DTYPE_NUMBERS)
        raise click.BadParameter(f"{element!r} is none of {known}", param_hint="--element")
    arguments = {
        "name": name,
        "element": DTYPE_NUMBERS[element],
        "shape": list(shape),
        "classes": classes,
        "licence": licence,
        "distance": distance,
        "neighbours": neighbours,
    }
    context.show(send(context, sending, "Data.create_dataset", arguments))


@data.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@sending_options()
@pass_context
def contribute(context: CliContext, name: str, file: Path, sending: Sending) -> None:
    """Give the rows in FILE to the dataset NAME.

    A row is its elements, little-endian, with the label behind them (1, 2 or 4
    bytes, as many as the classes need); rows follow one another without a gap.

    Example: noema data contribute digits bob.rows --from //Bob
    """
    content = file.read_bytes()
    rows, root = _rows(context.client.request("ai_dataset", [name]), content)
    put = publish_content(context, sending, content, "rows")
    if sending.estimate:
        return context.show(put)
    arguments = {"dataset": name, "blob": put["root"], "rows": rows, "rows_root": root}
    outcome = send(context, after(sending, put), "Data.contribute", arguments)
    context.show({"rows": rows, **outcome})


@data.command()
@click.argument("name")
@pass_context
def show(context: CliContext, name: str) -> None:
    """Show a dataset and its records.

    Example: noema data show digits
    """
    from ai_exec.tensor import DTYPE_NAMES

    found = context.client.request("ai_dataset", [name])
    if not context.as_json:  # element types in words, for people
        found = {**found, "element": DTYPE_NAMES[found["element"]]}
    context.show(found)


@data.command("list")
@click.option("--after", help="Names after this one.")
@pass_context
def list_(context: CliContext, after: str | None) -> None:
    """List the datasets of the chain.

    Example: noema data list
    """
    context.show(context.client.request("ai_datasets", [after, 100]))


def _rows(dataset: dict[str, Any], content: bytes) -> tuple[int, str]:
    from runtime.frame.rows import row_bytes, rows_root

    width = row_bytes(dataset["element"], dataset["shape"], dataset["classes"])
    if not content or len(content) % width:
        raise click.UsageError(f"{len(content)} bytes are no whole rows of {width} bytes")
    return len(content) // width, "0x" + rows_root(content, width).hex()
