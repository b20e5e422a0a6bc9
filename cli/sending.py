"""What all transaction commands share: their options, signing, sending, and waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.context import CliContext
from cli.keys import address_of, load_key
from cli.parameters import AMOUNT

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Sending:
    """How a transaction is signed and sent."""

    sender: str
    password_file: Path | None
    tip: int
    nonce: int | None
    wait: bool
    estimate: bool
    """Show the fee and send nothing."""


def sending_options(*, required: bool = True) -> Callable[[Function], Function]:
    """Add --from, --password-file, --tip, --nonce, --no-wait and --estimate as `sending`."""

    def gather(ctx: click.Context, _: click.Parameter, sender: str | None) -> Sending | None:
        given = ctx.params
        sending = Sending(
            sender or "",
            given.pop("password_file"),
            given.pop("tip"),
            given.pop("nonce"),
            not given.pop("no_wait"),
            given.pop("estimate"),
        )
        return sending if sender else None

    options = (
        click.option(
            "--from",
            "sending",
            required=required,
            metavar="KEY",
            callback=gather,
            help="Key that signs and pays: a key file's name, or //Alice on a test network.",
        ),
        click.option("--password-file", type=Path, is_eager=True, help="File with the password."),
        click.option("--tip", type=AMOUNT, default=0, is_eager=True, help="Pay more to be first."),
        click.option("--nonce", type=int, is_eager=True, help="Nonce, if not the next one."),
        click.option("--no-wait", is_flag=True, is_eager=True, help="Do not wait until final."),
        click.option("--estimate", is_flag=True, is_eager=True, help="Show the fee, send nothing."),
    )

    def add(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def send(
    context: CliContext, sending: Sending, call: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Send a call by name and give what became of it; raises CallRefused and RpcError."""
    encoded = context.transactions.encode(call, arguments)
    keypair = load_key(context, sending.sender, sending.password_file)
    signed = context.transactions.sign(keypair, encoded, tip=sending.tip, nonce=sending.nonce)
    if sending.estimate:
        return {"call": call, **context.transactions.fee(signed)}
    transaction = context.transactions.submit(signed)
    if not sending.wait:
        return {"transaction": transaction, "status": "sent"}
    with context.waiting(call) as tell:
        outcome = context.transactions.wait(transaction, tell)
    return outcome_of(outcome)


def sender_of(context: CliContext, sending: Sending) -> str:
    """Give the address that signs, without its password where that is possible."""
    if not sending.sender.startswith("0x"):
        return address_of(click.get_current_context(), sending.sender)
    from chain.primitives.keys import ss58_encode

    return ss58_encode(load_key(context, sending.sender).address)


def outcome_of(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a person wants to know of a final transaction."""
    shown = {
        "transaction": outcome["hash"],
        "status": outcome["status"],
        "block": outcome["number"],
        "block_hash": outcome["block"],
    }
    fee = event_fields(outcome, "TransactionPayment.TransactionFeePaid")
    if fee is not None:
        shown["fee"] = fee["actual_fee"]
    hidden = ("System.ExtrinsicSuccess", "TransactionPayment.TransactionFeePaid")
    shown["events"] = [event for event in outcome["events"] if event["name"] not in hidden]
    return shown


def event_fields(outcome: Mapping[str, Any], name: str) -> Any:
    """Give the fields of a transaction's first event of a name, None without one."""
    fields = (event["fields"] for event in outcome["events"] if event["name"] == name)
    return next(fields, None)
