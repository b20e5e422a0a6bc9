"""Models: check a file at home, register and publish it, look it up, retire it; channels."""

from pathlib import Path
from typing import Any, Final

import click

from cli.border import REFUSED, Failed, Group, LocalCommand
from cli.commands.model_channels import COMMANDS
from cli.contents import after, publish_content
from cli.context import CliContext, pass_context
from cli.lineage import control_options, lineage_options
from cli.parameters import AMOUNT, BOUND, NAME, SHARE
from cli.sending import Sending, send, sending_options

EXAMINED_WITHIN_S: Final = 180.0
_POLL_S: Final = 0.3
_FILE = click.Path(path_type=Path, dir_okay=False)


def _once(
    context: click.Context, parameter: click.Parameter, given: tuple[tuple[str, int], ...]
) -> dict[str, int]:
    """Give bounds by axis; one that is named twice is a mistake."""
    bounds = dict(given)
    if len(bounds) < len(given):
        raise click.BadParameter("an axis is named twice")
    return bounds


_bounded = click.option(
    "--bound",
    "bounds",
    type=BOUND,
    multiple=True,
    callback=_once,
    help="Greatest length of an axis that the model leaves open; repeat it for each.",
)


@click.group(cls=Group)
def model() -> None:
    """Register models and look them up."""


@model.command(cls=LocalCommand)
@click.argument("file", type=_FILE)
@_bounded
@pass_context
def check(context: CliContext, file: Path, bounds: dict[str, int]) -> None:
    """Examine the ONNX FILE as the chain would; no node is needed.

    \b
    Examples:
      noema model check digits.onnx
      noema model check encoder.onnx --bound batch=8 --bound seq=128
    """
    context.show(_checked(file.read_bytes(), bounds))


@model.command()
@click.argument("name", type=NAME, metavar="NAME")
@click.argument("file", type=_FILE)
@click.option("--licence", default="Apache-2.0", show_default=True, help="SPDX identifier.")
@lineage_options
@control_options
@click.option("--price", type=AMOUNT, default=0, help="Of one run, on top of the network's fee.")
@click.option("--validators", type=SHARE, default="40%", help="Their share of the price (40%).")
@click.option("--owner", type=SHARE, default="60%", help="Your share of the price (60%).")
@click.option("--contributors", type=SHARE, default="0%", help="Share of who gave the data (0%).")
@click.option("--treasury", type=SHARE, default="0%", help="Share of the treasury (0%).")
@click.option("--royalty", type=SHARE, default="0%", help="What models made from it owe you (0%).")
@_bounded
@click.option("--skip-check", is_flag=True, help="Let only the chain examine the file.")
@sending_options()
@pass_context
def register(
    context: CliContext,
    name: str,
    file: Path,
    licence: str,
    lineage: dict[str, Any],
    control: dict[str, Any],
    price: int,
    validators: int,
    owner: int,
    contributors: int,
    treasury: int,
    royalty: int,
    bounds: dict[str, int],
    skip_check: bool,
    sending: Sending,
) -> None:
    """Register FILE as the first version of a new model NAME, and wait until it can be run.

    Uploads the file first, if that was not done yet.  Shares are percentages or
    parts per million and add up to 100%.  A run costs what one at the bounds costs.
    Who controls the model, its gate and its time-lock never change.

    \b
    Examples:
      noema model register digits digits.onnx --from //Alice --price 0.5NOE \\
        --dataset digits --validators 30% --owner 40% --contributors 30%
      noema model register better better.onnx --from //Bob --parent digits@1 \\
        --control referendum --gate-snapshot 3 --time-lock 100
    """
    shares = validators + owner + contributors + treasury
    if shares != 1_000_000:
        raise click.UsageError(
            f"--validators, --owner, --contributors and --treasury must add up to 100%, "
            f"not {shares / 10_000:g}%"
        )
    policy = {
        "price": price,
        "validators": validators,
        "owner": owner,
        "contributors": contributors,
        "treasury": treasury,
        "royalty": royalty,
    }
    arguments = {
        "name": name,
        "licence": licence,
        "lineage": lineage,
        "policy": policy,
        "control": control,
        "bounds": _encodable(bounds),
    }
    content = _content(context, file, bounds, skip_check)
    context.show(_publish(context, sending, content, "Models.register", arguments))


@model.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@lineage_options
@_bounded
@click.option("--skip-check", is_flag=True, help="Let only the chain examine the file.")
@sending_options()
@pass_context
def publish(
    context: CliContext,
    name: str,
    file: Path,
    lineage: dict[str, Any],
    bounds: dict[str, int],
    skip_check: bool,
    sending: Sending,
) -> None:
    """Add FILE as a new version of your model NAME, and wait until it can be run.

    \b
    Examples:
      noema model publish digits better.onnx --from //Alice
      noema model publish digits trained.onnx --job 0 --from //Alice
    """
    arguments = {"name": name, "lineage": lineage, "bounds": _encodable(bounds)}
    content = _content(context, file, bounds, skip_check)
    context.show(_publish(context, sending, content, "Models.publish", arguments))


@model.command()
@click.argument("name")
@pass_context
def show(context: CliContext, name: str) -> None:
    """Show a model, its channels, and its versions with what they were made from.

    Example: noema model show digits
    """
    from cli.model_view import model_for_people

    found = context.client.request("ai_model", [name])
    context.show(found if context.as_json else model_for_people(found))


@model.command("list")
@click.option("--after", help="Models that were registered after this one.")
@pass_context
def list_(context: CliContext, after: str | None) -> None:
    """List the models of the chain.

    Example: noema model list
    """
    context.show(context.client.request("ai_models", [after, 100]))


@model.command()
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
@sending_options()
@pass_context
def retire(context: CliContext, name: str, version: int, sending: Sending) -> None:
    """Let no new calls run VERSION of model NAME; its deposit comes back.

    Move the channels that point at it first.  Signatories of a model all make this call.

    Example: noema model retire digits 1 --from //Alice
    """
    context.show(send(context, sending, "Models.retire", {"name": name, "version": version}))


for _command in COMMANDS:
    model.add_command(_command)


def _encodable(bounds: dict[str, int]) -> list[dict[str, Any]]:
    from ai_exec.axes import bounds_of

    return [{"axis": bound.axis, "most": bound.most} for bound in bounds_of(bounds)]


def _content(context: CliContext, file: Path, bounds: dict[str, int], skip_check: bool) -> bytes:
    content = file.read_bytes()
    if not skip_check:
        with context.waiting("examining") as tell:
            tell(str(file))
            _checked(content, bounds)
    return content


def _checked(content: bytes, bounds: dict[str, int]) -> dict[str, Any]:
    import ai_exec
    from chain.primitives.merkle import root_of

    if not content:
        raise click.UsageError("the file is empty")
    admission = ai_exec.admit(content, bounds=bounds)
    if not admission.admitted:
        raise Failed(
            REFUSED, "Not admitted", "Mend what is listed.", "\n  ".join(admission.reasons)
        )
    return {
        "admitted": True,
        "root": "0x" + root_of(content).hex(),
        "length": len(content),
        "inputs": [str(each) for each in admission.inputs],
        "outputs": [str(each) for each in admission.outputs],
        "gas": admission.cost,
        "peak_bytes": admission.peak_bytes,
    }


def _publish(
    context: CliContext, sending: Sending, content: bytes, call: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    put = publish_content(context, sending, content, "model")
    if sending.estimate:
        return put
    outcome = send(context, after(sending, put), call, {**arguments, "blob": put["root"]})
    if not sending.wait:
        return outcome
    number = next(
        event["fields"]["version"]
        for event in outcome["events"]
        if event["name"] == "Models.Published"
    )
    version = _await_examined(context, arguments["name"], number)
    return {"model": f"{arguments['name']}@{number}", **outcome, **version}


def _await_examined(context: CliContext, name: str, number: int) -> dict[str, Any]:
    with context.waiting(f"{name}@{number}") as tell:
        for _ in context.looks(EXAMINED_WITHIN_S, _POLL_S):
            versions = context.client.request("ai_model", [name])["versions"]
            version = next(each for each in versions if each["number"] == number)
            if version["status"] == "Rejected":
                reasons = "\n  ".join(version["reasons"])
                raise Failed(REFUSED, "Rejected", "Mend what is listed and publish again.", reasons)
            if version["status"] == "Active":
                return {key: version[key] for key in ("status", "gas", "peak_bytes")} | {
                    "root": version["blob"]
                }
            tell("waits to be examined")
    raise click.ClickException(f"not examined yet; ask again with `noema model show {name}`")
