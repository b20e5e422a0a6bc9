"""The border of the command line: options every command has, and errors turned into exit codes.

0 done, 1 refused by the chain, 2 wrong use, 3 no node.
"""

import json
from pathlib import Path
from typing import IO, Any, Final

import click

from cli.context import CliContext

REFUSED: Final = 1
UNREACHABLE: Final = 3
START_A_NODE: Final = "Start a local network with `noema testnet up`, or name a node with --url."


class Failed(click.ClickException):
    """A command that did not do what it was asked to do."""

    def __init__(
        self, code: int, name: str, advice: str, detail: str = "", as_json: bool = False
    ) -> None:
        super().__init__(f"{name}: {advice}")
        self.code = code
        self.name = name
        self.advice = advice
        self.detail = detail
        self.as_json = as_json

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """Give the exit code."""
        return self.code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to standard error."""
        if self.as_json:
            error = {"name": self.name, "advice": self.advice, "detail": self.detail}
            click.echo(json.dumps({"error": error}, ensure_ascii=False), err=True)
            return
        click.echo(f"Error: {self.name}", err=True)
        for line in filter(None, (self.advice, self.detail)):
            click.echo(f"  {line}", err=True)


class LocalCommand(click.Command):
    """A command that asks no node, with the option that every command has."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params += self.shared_options()

    def shared_options(self) -> list[click.Parameter]:
        """Give the options that stand after the command's own ones."""
        return [_json_option()]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises becomes an exit code and a text."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort) as error:
            if isinstance(error, Failed):
                error.as_json = ctx.ensure_object(CliContext).as_json
            raise
        except Exception as error:
            failed = _failed(error)
            if failed is None:
                raise
            failed.as_json = ctx.ensure_object(CliContext).as_json
            raise failed from error


class Command(LocalCommand):
    """A command that talks to a node."""

    def shared_options(self) -> list[click.Parameter]:
        """Add which node."""
        return [*super().shared_options(), _url_option()]


class Group(click.Group):
    """A group whose commands have the options that every command has."""

    command_class = Command


class LocalGroup(click.Group):
    """A group whose commands ask no node."""

    command_class = LocalCommand


def _json_option() -> click.Option:
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Print the result as JSON.",
    )


def _url_option() -> click.Option:
    return click.Option(
        ["--url"],
        metavar="URL",
        expose_value=False,
        callback=_set_url,
        help="Node to talk to (NOEMA_URL; http://127.0.0.1:9944).",
    )


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(CliContext).as_json = True


def _set_url(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(CliContext).url = value


def _failed(error: Exception) -> Failed | None:
    """Give the failure that an expected error is; None for a mistake of ours."""
    from chain.node.config import InvalidConfig
    from chain.primitives.codec import DecodeError, EncodeError
    from chain.primitives.key_file import InvalidKeyFile, WrongPassword
    from chain.rpc.client import NodeUnreachable
    from chain.rpc.content import ContentMismatch
    from chain.rpc.description import UnknownName
    from chain.rpc.json_rpc import RpcError
    from chain.rpc.transactions import CallRefused, TransactionLost, TransactionTooSlow
    from chain.rpc.type_descriptions import UnknownDescription

    match error:
        case NodeUnreachable():
            return Failed(UNREACHABLE, "No node", START_A_NODE, str(error))
        case CallRefused():
            detail = (
                f"transaction {error.outcome.get('hash')} in block {error.outcome.get('number')}"
            )
            return Failed(REFUSED, error.name, error.advice, detail)
        case RpcError():
            data = error.data if isinstance(error.data, str | None) else json.dumps(error.data)
            return Failed(REFUSED, error.message, data or "", f"code {error.code}")
        case UnknownName() | EncodeError() | InvalidConfig():
            raise click.UsageError(str(error)) from error
        case TransactionLost() | TransactionTooSlow() | UnknownDescription():
            return Failed(REFUSED, type(error).__name__, _advice(error), str(error))
        case DecodeError() | ContentMismatch():
            return Failed(REFUSED, type(error).__name__, _advice(error), str(error))
        case InvalidKeyFile() | WrongPassword():
            raise click.UsageError(f"{error}. {_advice(error)}") from error
        case OSError() if error.filename:
            raise click.UsageError(f"{Path(str(error.filename))}: {error.strerror}") from error
    return None


def _advice(error: Exception) -> str:
    return (type(error).__doc__ or "").strip()
