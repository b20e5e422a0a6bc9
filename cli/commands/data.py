"""Datasets: open one, contribute rows, look it up."""

from pathlib import Path
from typing import Any, Final

import click

from cli.border import Group
from cli.contents import after, announce_content, upload_content
from cli.context import CliContext, pass_context
from cli.parameters import NAME, SHAPE
from cli.sending import Sending, event_fields, send, sending_options

ROWS_PER_RECORD_MAX: Final = 4096
"""The chain's bound."""


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
    They are promised by their root before they are uploaded, so that nobody who
    sees them can give them first.  A file of more than 4,096 rows becomes several
    records.

    Example: noema data contribute digits bob.rows --from //Bob
    """
    dataset = context.client.request("ai_dataset", [name])
    given = []
    for content in _records(dataset, file.read_bytes()):
        put = announce_content(context, sending, content, "rows")
        if sending.estimate:
            return context.show(put)
        promised = {"dataset": name, "blob": put["root"], **_promise(dataset, content)}
        outcome = send(context, after(sending, put), "Data.contribute", promised)
        upload_content(context, sending, content, put)
        given.append({"rows": promised["rows"], **outcome})
    total = sum(each["rows"] for each in given)
    context.show(given[0] if len(given) == 1 else {"rows": total, "records": given})


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


@data.command()
@click.argument("name")
@sending_options()
@pass_context
def snapshot(context: CliContext, name: str, sending: Sending) -> None:
    """Fix the rows of the dataset NAME that count now under a number.

    Training, gates and valuations work on snapshots.  The bytes are kept as long as
    the snapshot is, whoever takes them back.

    Example: noema data snapshot digits --from //Alice
    """
    outcome = send(context, sending, "Snapshots.take", {"dataset": name})
    taken = event_fields(outcome, "Snapshots.Taken") if "events" in outcome else None
    context.show({**(taken or {}), **outcome})


@data.command()
@click.argument("number", type=click.IntRange(min=0))
@sending_options()
@pass_context
def drop(context: CliContext, number: int, sending: Sending) -> None:
    """Give the snapshot NUMBER up: its deposit and its bytes are free again.

    Example: noema data drop 3 --from //Alice
    """
    context.show(send(context, sending, "Snapshots.drop", {"snapshot": number}))


@data.command()
@click.argument("name")
@click.argument("record", type=click.IntRange(min=0))
@sending_options()
@pass_context
def withdraw(context: CliContext, name: str, record: int, sending: Sending) -> None:
    """Take consent to RECORD of the dataset NAME back.

    Its rows earn no more and no later snapshot has them; models that were trained
    before show it in their audit.

    Example: noema data withdraw digits 0 --from //Bob
    """
    arguments = {"dataset": name, "record": record}
    context.show(send(context, sending, "Data.withdraw_consent", arguments))


def _width(dataset: dict[str, Any]) -> int:
    from runtime.frame.rows import row_bytes

    return row_bytes(dataset["element"], dataset["shape"], dataset["classes"])


def _records(dataset: dict[str, Any], content: bytes) -> list[bytes]:
    """Cut rows into as many records as the chain takes them in."""
    width = _width(dataset)
    if not content or len(content) % width:
        raise click.UsageError(f"{len(content)} bytes are no whole rows of {width} bytes")
    most = ROWS_PER_RECORD_MAX * width
    return [content[at : at + most] for at in range(0, len(content), most)]


def _promise(dataset: dict[str, Any], content: bytes) -> dict[str, Any]:
    from runtime.frame.rows import rows_root

    width = _width(dataset)
    return {"rows": len(content) // width, "rows_root": "0x" + rows_root(content, width).hex()}
