"""Worth of rows: how snapshots pay, valuations of them, and the same computed anew at home."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from cli.border import REFUSED, Command, Failed
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS, AMOUNT
from cli.sending import Sending, event_fields, send, sending_options

OPEN: Final = ("Waiting", "Repeats", "Embedding", "Measuring")
LISTED: Final = 1000
_POLL_S: Final = 0.5
_PATIENCE_S: Final = 3600.0


def _measure_options(function: Any) -> Any:
    for option in (
        click.option("--embedding", help="MODEL@VERSION whose output is compared, not features."),
        click.option("--rows", type=click.IntRange(1), help="Draw so many evaluation rows."),
        click.option("--neighbours", type=click.IntRange(1, 64), help="How many rows decide."),
        click.option("--evaluation", type=click.IntRange(0), help="Snapshot with rows to tell."),
    ):
        function = option(function)
    return function


@click.command(cls=Command)
@click.argument("dataset")
@_measure_options
@click.option("--share", "shares", multiple=True, help="ADDRESS=PARTS of a million; repeat it.")
@sending_options()
@pass_context
def declare(
    context: CliContext,
    dataset: str,
    evaluation: int | None,
    neighbours: int | None,
    rows: int | None,
    embedding: str | None,
    shares: tuple[str, ...],
    sending: Sending,
) -> None:
    """Fix how later snapshots of DATASET pay, which the sender owns.

    By an evaluation snapshot, by fixed shares, or without either the same for each row.

    \b
    Examples:
      noema reward declare digits --evaluation 0 --from //Alice
      noema reward declare digits --share //Bob=900000 --share //Carol=100000 --from //Alice
    """
    if evaluation is not None and neighbours is None:
        neighbours = int(context.client.request("ai_dataset", [dataset, 0])["neighbours"])
    arguments = {
        "dataset": dataset,
        "measure": _measure(evaluation, neighbours, rows, embedding),
        "shares": [_share(each) for each in shares],
    }
    context.show(send(context, sending, "Attribution.declare", arguments))


@click.command(cls=Command)
@click.argument("snapshot", type=click.IntRange(0))
@_measure_options
@click.option("--max-price", type=AMOUNT, required=True, help="What it may cost.")
@click.option("--follow", is_flag=True, help="Wait until it has ended.")
@sending_options()
@pass_context
def value(
    context: CliContext,
    snapshot: int,
    evaluation: int | None,
    neighbours: int | None,
    rows: int | None,
    embedding: str | None,
    max_price: int,
    follow: bool,
    sending: Sending,
) -> None:
    """Have the worth of the rows of SNAPSHOT measured, by what was declared unless told otherwise.

    Example: noema reward value 1 --max-price 2NOE --follow --from //Dave
    """
    measure = _measure(evaluation, neighbours, rows, embedding)
    if measure is None:
        dataset = context.client.request("ai_snapshot", [snapshot])["dataset"]
        declared = context.client.request("ai_yardstick", [dataset])
        measure = declared["measure"] if declared else None
    arguments = {"snapshot": snapshot, "measure": measure, "max_price": max_price}
    outcome = send(context, sending, "Attribution.value", arguments)
    started = event_fields(outcome, "Attribution.Started") if "events" in outcome else None
    shown = {**({"valuation": started["valuation"]} if started else {}), **outcome}
    if follow and started:
        shown["found"] = _summary(_follow(context, int(started["valuation"])))
    context.show(shown)


@click.command(cls=Command)
@click.argument("snapshot", type=click.IntRange(0))
@sending_options()
@pass_context
def share(context: CliContext, snapshot: int, sending: Sending) -> None:
    """Let SNAPSHOT pay by the fixed shares that were declared before it was taken.

    Example: noema reward share 1 --from //Bob
    """
    context.show(send(context, sending, "Attribution.share", {"snapshot": snapshot}))


@click.command(cls=Command)
@click.option("--first", type=click.IntRange(0), default=0, help="Number of the first one.")
@click.option("--count", type=click.IntRange(1, LISTED), default=100, help="At most so many.")
@pass_context
def valuations(context: CliContext, first: int, count: int) -> None:
    """List valuations, the oldest first.

    Example: noema reward valuations
    """
    found = context.client.request("ai_valuations", [first, count])
    context.show([_summary(each) for each in found])


@click.command(cls=Command)
@click.argument("whose")
@click.option("--valuation", type=click.IntRange(0), help="Its number; else the newest that pays.")
@click.option("--rows", is_flag=True, help="Show the rows that were worth most and least.")
@click.option("--most", type=click.IntRange(1, 1000), default=5, help="So many rows of each kind.")
@pass_context
def explain(context: CliContext, whose: str, valuation: int | None, rows: bool, most: int) -> None:
    """Show what the records of an ADDRESS or a DATASET were worth, computed anew here.

    Rows come from the node, each blob checked against its root; the exact fractions must be those
    of the chain.

    \b
    Examples:
      noema reward explain digits --rows
      noema reward explain //Bob
    """
    address, name = _whose(context, whose)
    found = _chosen(context, address, name, valuation)
    here = _recomputed(context, found, rows)
    exact = "0x" + here.exact.hex()
    if exact != found["exact"]:
        detail = f"{found['exact']} on the chain, {exact} here"
        raise Failed(REFUSED, "Another worth", "Compare this release with the chain's.", detail)
    shown = [each for each in found["records"] if address in (None, each["contributor"])]
    result = {**_summary(found), "exact": exact, "same_here": True, "records": shown}
    if rows:
        mine = [address in (None, each["contributor"]) for each in found["records"]]
        result |= _row_tables(found["records"], here, mine, most)
    context.show(result)


def _row_tables(
    records: Sequence[Mapping[str, Any]], here: Any, mine: Sequence[bool], most: int
) -> dict[str, Any]:
    """Give the rows that were worth most and least, and how many repeat others."""
    firsts: dict[int, int] = {}
    table = []
    for row, (owner, value, counted, label) in enumerate(
        zip(here.owners, here.rows, here.counted, here.labels, strict=True)
    ):
        first = firsts.setdefault(owner, row)
        if mine[owner]:
            table.append(
                {
                    "record": records[owner]["record"],
                    "row": row - first,
                    "label": label,
                    "worth": f"{float(value):.3e}",
                    "repeats_another": not counted,
                    "_": value,
                }
            )
    played = sorted((each for each in table if not each["repeats_another"]), key=lambda r: -r["_"])
    repeating = [each for each in table if each["repeats_another"]]

    def plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: each for name, each in row.items() if name != "_"} for row in rows]

    return {
        "most_valuable": plain(played[:most]),
        "least_valuable": plain(played[::-1][:most]),
        "repeating": plain(repeating[:most]),
        "repeating_rows": len(repeating),
    }


def _recomputed(context: CliContext, found: Mapping[str, Any], by_rows: bool) -> Any:
    from ai_exec.backend import InProcess
    from cli.attribution.recompute import recompute, snapshot_of, valuation_of
    from cli.contents import fetch_content
    from runtime.execution import BackendExecutor

    job = valuation_of(found)
    answers = [context.client.request("ai_snapshot", [job.snapshot])]
    if job.measure is not None:
        answers.append(context.client.request("ai_snapshot", [job.measure.evaluation]))
    datasets = [context.client.request("ai_dataset", [each["dataset"], 0]) for each in answers]
    names = [part["blob"] for answer in answers for part in answer["parts"]]
    if job.embedder is not None:
        names.append("0x" + job.embedder.root.hex())
    contents = {
        bytes.fromhex(name[2:]): fetch_content(context, name) for name in dict.fromkeys(names)
    }
    snapshots = [snapshot_of(*each) for each in zip(answers, datasets, strict=True)]
    executor = BackendExecutor(InProcess(), contents.__getitem__)
    with context.progress("valuing") as update:
        evaluation = snapshots[1] if job.measure is not None else None
        return recompute(
            *(job, snapshots[0], evaluation, executor), by_rows=by_rows, progress=update
        )


def _whose(context: CliContext, whose: str) -> tuple[str | None, str | None]:
    """Give an address or the name of a dataset."""
    try:
        return ADDRESS.convert(whose, None, None), None
    except click.UsageError:
        return None, whose


def _chosen(
    context: CliContext, address: str | None, name: str | None, number: int | None
) -> dict[str, Any]:
    """Give the valuation that is asked for, or the newest one, those that pay before others."""
    if number is not None:
        found: dict[str, Any] = context.client.request("ai_valuation", [number])
        if found["stage"] != "Finished":
            raise Failed(REFUSED, f"Valuation {number} is {found['stage'].lower()}", "Wait for it.")
        return found
    listed = context.client.request("ai_valuations", [0, LISTED])
    ended = [each for each in listed if each["stage"] == "Finished"]
    for each in sorted(ended, key=lambda one: (not one["counts"], -one["number"])):
        if name in (None, each["dataset"]):
            found = context.client.request("ai_valuation", [each["number"]])
            if address is None or address in [one["contributor"] for one in found["records"]]:
                return found
    advice = "`noema reward valuations` shows those there are."
    raise Failed(REFUSED, f"Nothing was valued of {name or address}", advice)


def _follow(context: CliContext, number: int) -> dict[str, Any]:
    with context.waiting(f"valuation {number}") as tell:
        for _ in context.looks(_PATIENCE_S, _POLL_S):
            found: dict[str, Any] = context.client.request("ai_valuation", [number])
            tell(f"{found['stage'].lower()}, {found['done']} rows done")
            if found["stage"] not in OPEN:
                return found
    raise click.ClickException("not ended yet; ask again with `noema reward valuations`")


def _measure(
    evaluation: int | None, neighbours: int | None, rows: int | None, embedding: str | None
) -> dict[str, Any] | None:
    if evaluation is None:
        if neighbours or rows or embedding:
            raise click.UsageError("name the --evaluation snapshot")
        return None
    if neighbours is None:
        raise click.UsageError("say how many --neighbours decide")
    model, _, version = (embedding or "").partition("@")
    if embedding and not version.isdecimal():
        raise click.BadParameter("write it as MODEL@VERSION, such as encoder@1")
    compared = {"model": model, "version": int(version)} if embedding else None
    return {
        "evaluation": evaluation,
        "neighbours": neighbours,
        "rows": rows,
        "embedding": compared,
    }


def _share(text: str) -> dict[str, Any]:
    account, _, parts = text.rpartition("=")
    if not account or not parts.isdecimal():
        raise click.BadParameter(f"{text!r}: write it as ADDRESS=PARTS, such as //Bob=1000000")
    return {"account": ADDRESS.convert(account, None, None), "parts": int(parts)}


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    names = ("number", "dataset", "snapshot", "stage", "counts", "rows", "counted", "done", "paid")
    shown = {name: found[name] for name in names}
    records = {"records": found["records"]} if "records" in found else {}
    return {**shown, **records, **({"reason": found["reason"]} if found["reason"] else {})}


COMMANDS: Final = (declare, value, share, valuations, explain)
