"""Rewards: what an account earned and has not claimed."""

from typing import Final

import click

from cli.border import Group
from cli.commands.reward_worth import COMMANDS
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS
from cli.sending import Sending, event_fields, send, sender_of, sending_options

SOURCES_PER_CLAIM: Final = 32
"""The chain's bound."""


@click.group(cls=Group)
def reward() -> None:
    """See and claim rewards."""


@reward.command()
@click.argument("address", type=ADDRESS)
@pass_context
def show(context: CliContext, address: str) -> None:
    """Show what ADDRESS can claim, by dataset and by snapshot.

    Example: noema reward show //Bob
    """
    context.show(context.client.request("ai_rewards", [address]))


@reward.command()
@sending_options()
@pass_context
def claim(context: CliContext, sending: Sending) -> None:
    """Move all rewards of the sender to its free funds.

    One claim settles 32 sources, the ones that owe most; send it again for more.

    Example: noema reward claim --from //Bob
    """
    sources = context.client.request("ai_rewards", [sender_of(context, sending)])["sources"]
    owing = sorted(sources, key=lambda each: -int(each["owed"]))[:SOURCES_PER_CLAIM]
    arguments = {"sources": [each["source"] for each in owing if int(each["owed"])]}
    outcome = send(context, sending, "Rewards.claim", arguments)
    claimed = event_fields(outcome, "Rewards.Claimed") if "events" in outcome else None
    context.show({**({"claimed": claimed} if claimed else {}), **outcome})


for _command in COMMANDS:
    reward.add_command(_command)
