"""Transactions: transfers, and any call by its name."""

from typing import Any

import click

from cli.border import Group
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS, AMOUNT, HASH, NAMED_VALUE
from cli.sending import Sending, outcome_of, send, sending_options


@click.group(cls=Group)
def tx() -> None:
    """Send transactions."""


@tx.command()
@click.argument("recipient", type=ADDRESS)
@click.argument("amount", type=AMOUNT)
@click.option("--allow-death", is_flag=True, help="Let the sender's account be emptied.")
@sending_options()
@pass_context
def transfer(
    context: CliContext, recipient: str, amount: int, allow_death: bool, sending: Sending
) -> None:
    """Move AMOUNT (1.5NOE, 20mNOE, or smallest units) to RECIPIENT.

    Example: noema tx transfer //Bob 2.5NOE --from //Alice
    """
    call = "Balances.transfer_allow_death" if allow_death else "Balances.transfer_keep_alive"
    context.show(send(context, sending, call, {"dest": recipient, "value": amount}))


@tx.command()
@click.argument("name", metavar="PALLET.CALL")
@click.option(
    "--arg", "arguments", type=NAMED_VALUE, multiple=True, help="An argument, as name=value."
)
@sending_options()
@pass_context
def call(
    context: CliContext, name: str, arguments: tuple[tuple[str, str], ...], sending: Sending
) -> None:
    """Send any call of the chain by its name.

    Values: numbers, coins (1.5NOE), addresses, 0x bytes, @file, text; JSON for
    lists and structures.  `noema query calls` lists the calls with their arguments.

    \b
    Example: noema tx call balances.transfer_all --arg dest=//Bob \\
               --arg keep_alive=true --from //Alice
    """
    context.show(send(context, sending, name, values_of(context, name, arguments)))


@tx.command()
@click.argument("transaction", type=HASH)
@click.option("--wait", is_flag=True, help="Wait until it is final.")
@pass_context
def status(context: CliContext, transaction: str, wait: bool) -> None:
    """Show what became of TRANSACTION (its hash).

    Example: noema tx status 0x4f... --wait
    """
    if wait:
        with context.waiting("transaction") as tell:
            return context.show(outcome_of(context.transactions.wait(transaction, tell)))
    context.show(context.client.request("ai_transaction", [transaction]))


def values_of(
    context: CliContext, name: str, arguments: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """Give the arguments of a call by name, read by their types; raises click.UsageError."""
    from cli.values import typed_value

    call = context.transactions.description.call(name)
    shapes = dict(call.arguments)
    ctx = click.get_current_context()
    for argument, _ in arguments:
        if argument not in shapes:
            raise click.UsageError(f"no argument {argument}: {call.signature()}")
    return {argument: typed_value(shapes[argument], text, ctx) for argument, text in arguments}
