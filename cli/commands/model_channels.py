"""Channels of models: move them, approve and cancel moves, look at them and at a model's family."""

from typing import Any, Final

import click

from cli.border import Command
from cli.context import CliContext, pass_context
from cli.parameters import NAME, name_and_version
from cli.sending import Sending, send, sending_options

NOTHING: Final = "nothing"


class AimType(click.ParamType[int | None]):
    """Where a channel shall point: the number of a version, or nothing."""

    name = "version"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Give the number, None for nothing."""
        if value == NOTHING:
            return None
        if not (value.isdigit() and value.isascii()) or not 0 < len(value) < 10 or int(value) == 0:
            self.fail(f"{value!r} is no version: a number, or {NOTHING!r}", param, ctx)
        return int(value)


@click.command(cls=Command)
@click.argument("name", type=NAME, metavar="NAME")
@click.argument("channel", type=NAME, metavar="CHANNEL")
@click.argument("version", type=AimType())
@sending_options()
@pass_context
def move(
    context: CliContext, name: str, channel: str, version: int | None, sending: Sending
) -> None:
    """Let CHANNEL of model NAME point at VERSION, or at nothing.

    It happens as the model's control says: at once, or after gate and time-lock.
    Signatories of a multisig all make this call; a governed model needs a vote.
    Moving back to a version that was there before needs no gate.

    \b
    Examples:
      noema model move digits stable 2 --from //Alice
      noema model move digits next nothing --from //Alice
    """
    arguments = {"name": name, "channel": channel, "version": version}
    context.show(send(context, sending, "Models.move", arguments))


@click.command(cls=Command)
@click.argument("name", type=NAME, metavar="NAME")
@click.argument("channel", type=NAME, metavar="CHANNEL")
@click.argument("version", type=AimType(), required=False, default=None)
@sending_options()
@pass_context
def approve(
    context: CliContext, name: str, channel: str, version: int | None, sending: Sending
) -> None:
    """Approve the move of CHANNEL that other signatories of model NAME want.

    Name the VERSION where they want several.

    Example: noema model approve digits stable --from //Bob
    """
    from cli.model_view import open_actions

    wanted = open_actions(context.client.request("ai_model", [name]), channel)
    if version is not None:
        wanted = [each for each in wanted if each == version]
    if len(wanted) != 1:
        found = ", ".join(NOTHING if each is None else str(each) for each in wanted)
        raise click.UsageError(
            f"signatories want {channel} at {found}: name one"
            if wanted
            else f"nobody wants to move {channel} there; see `noema model channels {name}`"
        )
    arguments = {"name": name, "channel": channel, "version": wanted[0]}
    context.show(send(context, sending, "Models.move", arguments))


@click.command("cancel-move", cls=Command)
@click.argument("name", type=NAME, metavar="NAME")
@click.argument("channel", type=NAME, metavar="CHANNEL")
@sending_options()
@pass_context
def cancel_move(context: CliContext, name: str, channel: str, sending: Sending) -> None:
    """Let the open move of CHANNEL of model NAME not happen.

    Of a multisig so many must say so that the others could not decide.

    Example: noema model cancel-move digits stable --from //Alice
    """
    arguments = {"name": name, "channel": channel}
    context.show(send(context, sending, "Models.cancel_move", arguments))


@click.command(cls=Command)
@click.argument("name", metavar="NAME")
@pass_context
def channels(context: CliContext, name: str) -> None:
    """Show where the channels of model NAME point, and their open moves.

    Example: noema model channels digits
    """
    from cli.model_view import channel_rows

    found = context.client.request("ai_model", [name])
    if context.as_json:
        kept = ("control", "channels", "moves", "approvals")
        return context.show({key: found[key] for key in kept})
    context.show(channel_rows(found))


@click.command(cls=Command)
@click.argument("version", metavar="NAME[@VERSION]")
@click.option(
    "--generations",
    type=click.IntRange(0, 32),
    default=8,
    show_default=True,
    help="How far back to look.",
)
@pass_context
def lineage(context: CliContext, version: str, generations: int) -> None:
    """Show what a version was made from, as a tree.

    Without a VERSION: the one that a call without one runs.

    Example: noema model lineage digits@2
    """
    from cli.model_view import lineage_of, tree_lines

    name, number = name_and_version(version, "NAME[@VERSION]")

    def ask(model: str) -> dict[str, Any]:
        found: dict[str, Any] = context.client.request("ai_model", [model])
        return found

    chosen = ask(name)["default"] if number is None else number
    if chosen is None:
        raise click.UsageError(f"{name} runs no version by default; name one")
    tree = lineage_of(name, chosen, ask, generations)
    context.show(tree if context.as_json else "\n".join(tree_lines(tree)))


@click.command(cls=Command)
@click.argument("name", type=NAME, metavar="NAME")
@sending_options()
@pass_context
def release(context: CliContext, name: str, sending: Sending) -> None:
    """Give model NAME up; the deposit of its name comes back.

    All its versions must be retired.  The name stays empty for ever, so that old
    receipts keep their meaning.

    Example: noema model release digits --from //Alice
    """
    context.show(send(context, sending, "Models.release_name", {"name": name}))


COMMANDS: Final = (move, approve, cancel_move, channels, lineage, release)
