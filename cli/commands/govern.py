"""Governance: propose, vote, delegate, object, and look at what was decided."""

from typing import Final

import click

from cli.border import Group
from cli.commands.tx import values_of
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS, AMOUNT, NAMED_VALUE
from cli.sending import Sending, event_fields, send, sending_options

REFERENDUM: Final = click.IntRange(0, 2**32 - 1)


@click.group(cls=Group)
def govern() -> None:
    """Decide together what no key decides alone.

    A proposal is a call that runs as the chain itself once a vote is won and its
    time-lock is over.  Locked funds and stake count, one's own and delegated ones.
    """


@govern.command()
@click.argument("name", metavar="PALLET.CALL")
@click.option(
    "--arg", "arguments", type=NAMED_VALUE, multiple=True, help="An argument, as name=value."
)
@click.option("--note", default="", help="Why, in a few words.")
@sending_options()
@pass_context
def propose(
    context: CliContext,
    name: str,
    arguments: tuple[tuple[str, str], ...],
    note: str,
    sending: Sending,
) -> None:
    """Ask for a vote about a call by its name.

    \b
    Examples:
      noema govern propose parameters.set --arg name=fees.base --arg value=2mNOE \\
        --note "fees are too low" --from //Alice
      noema govern propose treasury.spend --arg beneficiary=//Bob \\
        --arg amount=5NOE --from //Alice
      noema govern propose models.move --arg name=digits --arg channel=stable \\
        --arg version=2 --from //Alice
    """
    encoded = context.transactions.encode(name, values_of(context, name, arguments))
    proposal = {"call": "0x" + encoded.hex(), "note": note}
    outcome = send(context, sending, "Governance.propose", proposal)
    proposed = event_fields(outcome, "Governance.Proposed") if "events" in outcome else None
    context.show({**({"referendum": proposed["referendum"]} if proposed else {}), **outcome})


@govern.command()
@click.argument("referendum", type=REFERENDUM)
@click.argument("choice", type=click.Choice(("aye", "nay")))
@sending_options()
@pass_context
def vote(context: CliContext, referendum: int, choice: str, sending: Sending) -> None:
    """Say aye or nay to REFERENDUM with all power of the sender; a second vote replaces the first.

    Example: noema govern vote 0 aye --from //Alice
    """
    arguments = {"referendum": referendum, "aye": choice == "aye"}
    context.show(send(context, sending, "Governance.vote", arguments))


@govern.command("take-back")
@click.argument("referendum", type=REFERENDUM)
@sending_options()
@pass_context
def take_back(context: CliContext, referendum: int, sending: Sending) -> None:
    """Take the sender's vote on REFERENDUM back.

    Example: noema govern take-back 0 --from //Alice
    """
    context.show(send(context, sending, "Governance.take_back", {"referendum": referendum}))


@govern.command()
@click.argument("amount", type=AMOUNT)
@sending_options()
@pass_context
def lock(context: CliContext, amount: int, sending: Sending) -> None:
    """Let AMOUNT more of the sender's funds count in votes.

    Example: noema govern lock 100NOE --from //Alice
    """
    context.show(send(context, sending, "Governance.lock", {"amount": amount}))


@govern.command()
@click.argument("amount", type=AMOUNT)
@sending_options()
@pass_context
def unlock(context: CliContext, amount: int, sending: Sending) -> None:
    """Free AMOUNT of the sender's lock, once what it decided has taken effect.

    Example: noema govern unlock 100NOE --from //Alice
    """
    context.show(send(context, sending, "Governance.unlock", {"amount": amount}))


@govern.command()
@click.argument("to", type=ADDRESS)
@sending_options()
@pass_context
def delegate(context: CliContext, to: str, sending: Sending) -> None:
    """Let the sender's power count with the votes of TO.

    Example: noema govern delegate //Bob --from //Alice
    """
    context.show(send(context, sending, "Governance.delegate", {"to": to}))


@govern.command()
@sending_options()
@pass_context
def undelegate(context: CliContext, sending: Sending) -> None:
    """Let the sender vote for itself again.

    Example: noema govern undelegate --from //Alice
    """
    context.show(send(context, sending, "Governance.undelegate", {}))


@govern.command()
@click.argument("referendum", type=REFERENDUM)
@sending_options()
@pass_context
def slow(context: CliContext, referendum: int, sending: Sending) -> None:
    """Want a decided REFERENDUM later; more than two thirds of the stake put it off.

    Example: noema govern slow 0 --from validator-1
    """
    context.show(send(context, sending, "Governance.slow", {"referendum": referendum}))


@govern.command()
@click.argument("referendum", type=REFERENDUM)
@sending_options()
@pass_context
def cancel(context: CliContext, referendum: int, sending: Sending) -> None:
    """Want REFERENDUM never; more than two thirds of the stake stop it.

    Example: noema govern cancel 0 --from validator-1
    """
    context.show(send(context, sending, "Governance.cancel", {"referendum": referendum}))


@govern.command("list")
@pass_context
def list_(context: CliContext) -> None:
    """List open referenda and the last ones that are over.

    Example: noema govern list
    """
    names = ("number", "call", "stage", "due", "ayes", "nays", "note")
    found = context.client.request("ai_referenda", [100])
    if context.as_json:
        return context.show(found)
    context.show([{name: each[name] for name in names} for each in found])


@govern.command()
@click.argument("referendum", type=REFERENDUM)
@pass_context
def show(context: CliContext, referendum: int) -> None:
    """Show REFERENDUM: its call in words, its votes and its day.

    Example: noema govern show 0
    """
    context.show(context.client.request("ai_referendum", [referendum]))


@govern.command()
@click.argument("address", type=ADDRESS)
@pass_context
def voter(context: CliContext, address: str) -> None:
    """Show what counts in the votes of ADDRESS, and where it voted.

    Example: noema govern voter //Alice
    """
    context.show(context.client.request("ai_voter", [address]))


@govern.command()
@pass_context
def parameters(context: CliContext) -> None:
    """List the numbers of the rules that a vote may change, with their bounds.

    Example: noema govern parameters
    """
    context.show(context.client.request("ai_parameters", []))


@govern.command()
@pass_context
def treasury(context: CliContext) -> None:
    """Show what a vote could spend.

    Example: noema govern treasury
    """
    context.show(context.client.request("ai_treasury", []))


@govern.command()
@pass_context
def upgrade(context: CliContext) -> None:
    """Show which rules hold, and which are scheduled.

    Example: noema govern upgrade
    """
    context.show(context.client.request("ai_upgrade", []))
