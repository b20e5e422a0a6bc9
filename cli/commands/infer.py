"""Running a model, on the chain or without a trace."""

from pathlib import Path
from typing import Any

import click

from cli.border import Command
from cli.context import CliContext, pass_context
from cli.parameters import AMOUNT, name_and_version
from cli.sending import Sending, event_fields, send, sending_options


@click.command(cls=Command)
@click.argument("model", metavar="MODEL[@VERSION]")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Show output and exact cost, send nothing.")
@click.option("--max-fee", type=AMOUNT, help="Most to pay to the model; its price now, if missing.")
@click.option(
    "--white",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Value of a white pixel of a PNG.",
)
@sending_options(required=False)
@pass_context
def infer(
    context: CliContext,
    model: str,
    file: Path,
    dry_run: bool,
    max_fee: int | None,
    white: float,
    sending: Sending | None,
) -> None:
    """Run MODEL on the tensors in FILE (.npy, .npz, .json or .png).

    A PNG is turned to grey (or kept in colour for three channels), scaled to the
    input's height and width by area, and a level of 0 to 255 becomes
    level * white / 255, rounded to a whole number where white is above 1.

    \b
    Examples:
      noema infer digits dave.png --white 16 --dry-run
      noema infer digits@1 dave.json --from //Dave
    """
    name, number = name_and_version(model, "MODEL")
    version = _version(context, name, number)
    if not dry_run and sending is None:
        raise click.UsageError("give --from KEY, or --dry-run")
    from cli.tensors import InputType, encoded_inputs

    types = [InputType.of(each) for each in version["inputs"]]
    inputs = "0x" + encoded_inputs(file, types, white).hex()
    arguments = {"model": name, "version": version["number"], "input": inputs}
    if dry_run:
        return context.show(_dry_run(context, arguments, sending))
    assert sending is not None
    arguments["max_fee"] = version["price"] if max_fee is None else str(max_fee)
    context.show(_infer(context, sending, arguments))


def _infer(context: CliContext, sending: Sending, arguments: dict[str, Any]) -> dict[str, Any]:
    outcome = send(context, sending, "Inference.infer", arguments)
    if "events" not in outcome:
        return outcome
    receipt = event_fields(outcome, "Inference.Inferred")
    del outcome["events"]
    if receipt["output"] is None:
        context.say("The output is too long for an event; --dry-run shows it")
    shown = {
        "model": f"{receipt['model']}@{receipt['version']}",
        "receipt": receipt["receipt"],
        "outputs": _outputs(context, receipt["output"]),
        "output_hash": receipt["output_hash"],
        "price": receipt["price"],
        **outcome,
    }
    shown["total"] = str(int(receipt["price"]) + int(outcome["fee"]))
    return shown


def _dry_run(
    context: CliContext, arguments: dict[str, Any], sending: Sending | None
) -> dict[str, Any]:
    name, number, inputs = arguments["model"], arguments["version"], arguments["input"]
    ran = context.client.request("ai_dryRun", [name, number, inputs])
    fee = _network_fee(context, {**arguments, "max_fee": ran["price"]}, sending)
    return {
        "model": f"{ran['model']}@{ran['version']}",
        "outputs": _outputs(context, ran["outputs"]),
        **({"trap": ran["trap"]} if ran["trap"] else {}),
        "price": ran["price"],
        "parts": ran["parts"],
        "network_fee": str(fee),
        "total": str(int(ran["price"]) + fee),
    }


def _network_fee(context: CliContext, arguments: dict[str, Any], sending: Sending | None) -> int:
    """Give the fee of the transaction that would be sent, signed with zeros."""
    from chain.primitives.extrinsic import Era, Extrinsic, SignedPart, encode_extrinsic
    from chain.primitives.keys import ss58_decode
    from cli.keys import address_of

    ctx = click.get_current_context()
    sender = address_of(ctx, sending.sender) if sending else None
    nonce = context.client.request("system_accountNextIndex", [sender]) if sender else 0
    address = ss58_decode(sender) if sender else bytes(32)
    tip = sending.tip if sending else 0
    signed = SignedPart(address, 0, bytes(64), Era.mortal(64, 0), nonce, tip)
    call = context.transactions.encode("Inference.infer", arguments)
    encoded = encode_extrinsic(Extrinsic(call, signed))
    return int(context.client.request("ai_fee", ["0x" + encoded.hex()])["fee"]) + tip


def _version(context: CliContext, name: str, number: int | None) -> dict[str, Any]:
    """Give a version of a model with the model's price; its default one for None."""
    model = context.client.request("ai_model", [name])
    if number is None:
        number = model["default"]
        if number is None:
            raise click.UsageError(
                f"{name} runs no version by default; see `noema model show {name}`"
            )
    for version in model["versions"]:
        if version["number"] == number:
            return {**version, "price": model["policy"]["price"]}
    raise click.UsageError(f"{name} has no version {number}")


def _outputs(context: CliContext, encoded: str | None) -> Any:
    from cli.tensors import outputs_json

    return None if encoded is None else outputs_json(encoded, whole=context.as_json)
