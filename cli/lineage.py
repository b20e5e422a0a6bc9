"""Options that say where a version comes from, and who controls a model."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from cli.parameters import ADDRESS

Function = Callable[..., Any]


class VersionType(click.ParamType[tuple[str, int]]):
    """A version of a model: NAME@VERSION."""

    name = "name@version"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Give name and number."""
        name, _, number = value.partition("@")
        if not name or not (number.isdigit() and number.isascii()) or len(number) > 9:
            self.fail(f"{value!r} is no version: NAME@VERSION, such as digits@1", param, ctx)
        return name, int(number)


VERSION = VersionType()


def lineage_options(function: Function) -> Function:
    """Add --parent, --job and --dataset; the command gets them as `lineage`."""

    @wraps(function)
    def command(
        *arguments: Any,
        parents: tuple[tuple[str, int], ...],
        job: int | None,
        datasets: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        if job is not None and datasets:
            raise click.UsageError("the job says what it was trained on: leave --dataset out")
        named = [{"model": name, "version": version} for name, version in parents]
        lineage = {"parents": named, "job": job, "datasets": list(datasets)}
        return function(*arguments, lineage=lineage, **rest)

    return _with(command, _LINEAGE)


def control_options(function: Function) -> Function:
    """Add --control and what belongs to it; the command gets them as `control`."""

    @wraps(function)
    def command(
        *arguments: Any,
        authority: str,
        signatories: tuple[str, ...],
        threshold: int | None,
        gate: int | None,
        time_lock: int,
        **rest: Any,
    ) -> Any:
        control = {
            "authority": _authority(authority, signatories, threshold),
            "gate": gate,
            "time_lock": time_lock,
        }
        return function(*arguments, control=control, **rest)

    return _with(command, _CONTROL)


def _authority(authority: str, signatories: tuple[str, ...], threshold: int | None) -> Any:
    if authority != "multisig":
        if signatories or threshold is not None:
            raise click.UsageError("--signatory and --threshold belong to --control multisig")
        return authority.capitalize()
    if threshold is None or not 2 <= threshold <= len(signatories):
        raise click.UsageError(
            f"--control multisig needs --threshold from 2 to the {len(signatories)} --signatory"
        )
    if len(set(signatories)) < len(signatories):
        raise click.UsageError("a --signatory is named twice")
    from chain.primitives.keys import ss58_decode

    ascending = sorted(signatories, key=ss58_decode)
    return {"Multisig": {"threshold": threshold, "signatories": ascending}}


def _with(command: Callable[..., Any], options: tuple[Callable[[Any], Any], ...]) -> Function:
    for option in reversed(options):
        command = option(command)
    return command


_LINEAGE = (
    click.option(
        *("--parent", "parents"),
        type=VERSION,
        multiple=True,
        help="Version that it was made from, as NAME@VERSION; repeat it for each.",
    ),
    click.option(
        "--job", type=click.IntRange(min=0), help="Training job of yours that made the file."
    ),
    click.option(
        *("--dataset", "datasets"), multiple=True, help="Dataset that it was trained on elsewhere."
    ),
)

_CONTROL = (
    click.option(
        *("--control", "authority"),
        type=click.Choice(("owner", "multisig", "referendum")),
        default="owner",
        show_default=True,
        help="Who moves its channels and retires its versions.",
    ),
    click.option(
        *("--signatory", "signatories"),
        type=ADDRESS,
        multiple=True,
        help="Key of a multisig; repeat it for each.",
    ),
    click.option(
        "--threshold", type=click.IntRange(min=2), help="How many signatories must say the same."
    ),
    click.option(
        *("--gate-snapshot", "gate"),
        type=click.IntRange(min=0),
        help="Snapshot on which a new version must not do worse than the one before.",
    ),
    click.option(
        "--time-lock",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Blocks in which a move can be objected to.",
    ),
)
