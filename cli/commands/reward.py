"""Rewards: what an account earned and has not claimed."""

import click

from cli.border import Group
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS
from cli.sending import Sending, event_fields, send, sending_options


@click.group(cls=Group)
def reward() -> None:
    """See and claim rewards."""


@reward.command()
@click.argument("address", type=ADDRESS)
@pass_context
def show(context: CliContext, address: str) -> None:
    """Show what ADDRESS can claim, by dataset.

    Example: noema reward show //Bob
    """
    context.show(context.client.request("ai_rewards", [address]))


@reward.command()
@sending_options()
@pass_context
def claim(context: CliContext, sending: Sending) -> None:
    """Move all rewards of the sender to its free funds.

    Example: noema reward claim --from //Bob
    """
    outcome = send(context, sending, "Rewards.claim", {})
    claimed = event_fields(outcome, "Rewards.Claimed") if "events" in outcome else None
    context.show({**({"claimed": claimed} if claimed else {}), **outcome})
