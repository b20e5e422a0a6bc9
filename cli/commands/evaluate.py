"""Measuring a model on a snapshot, by the chain."""

from typing import Any, Final

import click

from cli.border import REFUSED, Command, Failed
from cli.context import CliContext, pass_context
from cli.parameters import name_and_version
from cli.sending import Sending, event_fields, send, sending_options

MEASURED_WITHIN_S: Final = 600.0
_POLL_S: Final = 0.5


@click.command(cls=Command)
@click.argument("model", metavar="MODEL[@VERSION]")
@click.argument("snapshot", type=click.IntRange(min=0))
@sending_options()
@pass_context
def evaluate(context: CliContext, model: str, snapshot: int, sending: Sending) -> None:
    """Let the chain run MODEL over all rows of SNAPSHOT and count the labels that are right.

    All runs are paid in advance, at the network's price of their weight.

    Example: noema evaluate digits@2 1 --from //Alice
    """
    name, version = name_and_version(model, "MODEL")
    arguments = {"model": name, "version": version, "snapshot": snapshot}
    outcome = send(context, sending, "Evaluation.evaluate", arguments)
    ordered = event_fields(outcome, "Evaluation.EvaluationOrdered") if "events" in outcome else None
    if ordered is not None:
        outcome = {**_measured(context, int(ordered["evaluation"])), **outcome}
    context.show(outcome)


def _measured(context: CliContext, number: int) -> dict[str, Any]:
    """Wait until an evaluation has ended; raises Failed where it gave no score."""
    with context.progress("measuring") as update:
        for _ in context.looks(MEASURED_WITHIN_S, _POLL_S):
            found = context.client.request("ai_evaluation", [number])
            update(found["done"], found["rows"])
            if found["failure"] is not None:
                raise Failed(
                    REFUSED, "No score", "Try the model on a row.", found["failure"]["reason"]
                )
            if not found["open"]:
                accuracy = found["correct"] / found["rows"]
                return {**found, "accuracy": round(accuracy, 4)}
    raise click.ClickException(
        f"evaluation {number} has not ended yet; ask for it by ai_evaluation"
    )
