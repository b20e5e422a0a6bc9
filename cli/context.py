"""The one place that prints, and what every command gets: settings, a client, progress."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.layout import lines_of

if TYPE_CHECKING:  # importing the client takes longer than all of --help may take
    from chain.rpc.client import Client
    from chain.rpc.transactions import Transactions

DEFAULT_URL: Final = "http://127.0.0.1:9944"


def _connect(url: str) -> "Client":
    from chain.rpc.client import Client

    return Client(url)


def keys_folder() -> Path:
    """Give the folder of key files: NOEMA_KEYS, or keys in ~/.noema."""
    return Path(os.environ.get("NOEMA_KEYS") or Path.home() / ".noema" / "keys")


@dataclass
class CliContext:
    """Settings of one run of the command line."""

    as_json: bool = False
    url: str = field(default_factory=lambda: os.environ.get("NOEMA_URL") or DEFAULT_URL)
    keys: Path = field(default_factory=keys_folder)
    connect: Callable[[str], Any] = _connect
    """Gives a client for an address; tests hand in a fake one."""

    sleep: Callable[[float], None] | None = None
    """How waiting for a block waits; tests do not wait."""

    unlocked: dict[str, Any] = field(default_factory=dict)
    """Keys whose password was given, by name, so that it is asked for once."""

    @cached_property
    def client(self) -> "Client":
        """Give the client of the node, made at first use."""
        client: Client = self.connect(self.url)
        return client

    @cached_property
    def transactions(self) -> "Transactions":
        """Give what builds and sends transactions."""
        from chain.rpc.transactions import Transactions

        return Transactions(self.client, **({"sleep": self.sleep} if self.sleep else {}))

    def show(self, result: Any) -> None:
        """Print a result: JSON in one piece, or lines and tables for people."""
        if self.as_json:
            click.echo(json.dumps(result, indent=2, ensure_ascii=False))
        else:
            click.echo("\n".join(lines_of(result)) or "nothing")

    def say(self, words: str) -> None:
        """Tell something that is no result."""
        click.echo(words, err=True)

    def looks(self, within_s: float, pause_s: float) -> Iterator[None]:
        """Give a turn for each look at what is waited for, with a pause behind it."""
        waited, sleep = 0.0, self.sleep or time.sleep
        while waited < within_s:
            yield
            sleep(pause_s)
            waited += pause_s

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Show how many of how many are done; on a terminal only."""
        if not sys.stderr.isatty():
            yield lambda done, of: None
            return
        with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

            def update(done: int, of: int) -> None:
                bar.length = max(of, 1)
                bar.update(done - bar.pos)

            yield update

    @contextmanager
    def waiting(self, label: str) -> Iterator[Callable[[str], None]]:
        """Show what is waited for, in a line that goes away; on a terminal only."""
        if not sys.stderr.isatty():
            yield lambda words: None
            return
        yield lambda words: click.echo(f"\r\033[K{label}: {words}", err=True, nl=False)
        click.echo("\r\033[K", err=True, nl=False)


pass_context = click.make_pass_decorator(CliContext, ensure=True)
