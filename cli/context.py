"""The one place that prints, and what every command gets: settings, a client, progress."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:  # importing the client takes longer than all of --help may take
    from chain.rpc.client import Client
    from chain.rpc.transactions import Transactions

DEFAULT_URL: Final = "http://127.0.0.1:9944"
COIN: Final = 10**12
AMOUNTS: Final = frozenset(
    (
        *("amount", "claimable", "deposit", "endowment", "fee", "free", "frozen", "owed", "paid"),
        *("pending", "price", "reserved", "stake", "tip", "total_issuance", "treasury"),
        *("base_fee", "len_fee", "adjusted_weight_fee", "network_fee", "total"),
        *("actual_fee", "existential_deposit", "free_balance"),
    )
)
"""Names of values that people are shown in coins."""


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
            click.echo("\n".join(_lines(result)) or "nothing")

    def say(self, words: str) -> None:
        """Tell something that is no result."""
        click.echo(words, err=True)

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


def amount_text(amount: int) -> str:
    """Give an amount in coins, exactly."""
    coins, rest = divmod(abs(amount), COIN)
    decimals = f".{rest:012d}".rstrip("0") if rest else ""
    return f"{'-' if amount < 0 else ''}{coins:,}{decimals} NOE".replace(",", "_")


def _lines(value: Any, name: str = "") -> list[str]:
    if isinstance(value, Mapping):
        return _record_lines(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(each, Mapping) for each in value):
            return _table_lines(value)
        return [f"- {_cell(each, name)}" for each in value]
    return [_cell(value, name)]


def _record_lines(record: Mapping[str, Any]) -> list[str]:
    width = max((len(name) for name in record), default=0)
    lines = []
    for name, value in record.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping | list | tuple) and value:
            lines += [label, *("  " + line for line in _lines(value, name))]
        else:
            lines.append(f"{label.ljust(width)}  {_cell(value, name)}")
    return lines


def _table_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name), name) for name in names] for row in rows]
    head = [name.replace("_", " ") for name in names]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *cells)
    ]


def _cell(value: Any, name: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in AMOUNTS and isinstance(value, int | str) and str(value).lstrip("-").isdigit():
        return amount_text(int(value))
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False) if value else "-"
    return str(value)
