"""Chain specifications: with what a chain starts."""

from pathlib import Path

import click

from cli.border import LocalGroup
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS, AMOUNT


@click.group(cls=LocalGroup)
def genesis() -> None:
    """Make a chain of your own."""


@genesis.command()
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="File to write."
)
@click.option("--name", default="Noema Private", show_default=True, help="What people call it.")
@click.option("--id", "identifier", default="private", show_default=True, help="For folders.")
@click.option(
    "--type",
    "chain_type",
    type=click.Choice(["Development", "Local", "Live"]),
    default="Live",
    show_default=True,
    help="A live chain refuses development keys.",
)
@click.option(
    "--interval-ms", type=int, default=1000, show_default=True, help="Least time between blocks."
)
@click.option(
    "--validator",
    "validators",
    type=(ADDRESS, AMOUNT),
    multiple=True,
    help="Address and stake of a validator.",
)
@click.option(
    "--endow",
    "endowments",
    type=(ADDRESS, AMOUNT),
    multiple=True,
    help="Address and first funds; a validator gets its stake, and what must stay free, by itself.",
)
@click.option("--preset", type=click.Choice(["dev", "local"]), help="Start from a preset.")
@pass_context
def new(
    context: CliContext,
    output: Path,
    name: str,
    identifier: str,
    chain_type: str,
    interval_ms: int,
    validators: tuple[tuple[str, int], ...],
    endowments: tuple[tuple[str, int], ...],
    preset: str | None,
) -> None:
    """Write a chain specification and show its genesis hash.

    \b
    Example: noema genesis new -o chain.json --name Ours --id ours \\
               --validator alice 100000NOE --endow bob 5000NOE
    """
    from chain.primitives.keys import ss58_decode
    from genesis.build import build_genesis, least_endowment
    from genesis.spec import ChainSpec, InvalidSpec, parse_spec, write_spec
    from genesis.spec import preset as preset_of

    if preset:
        spec = preset_of(preset)
    else:
        stakes = {ss58_decode(address): amount for address, amount in validators}
        funds = dict(stakes)
        for address, amount in endowments:
            raw = ss58_decode(address)
            funds[raw] = funds.get(raw, 0) + amount
        for raw, stake in stakes.items():
            funds[raw] = max(funds[raw], least_endowment(stake))
        spec = ChainSpec(name, identifier, chain_type, interval_ms, funds, stakes)
    content = write_spec(spec)
    try:
        block = build_genesis(parse_spec(content))
    except InvalidSpec as error:
        raise click.UsageError(str(error)) from error
    if output.exists():
        raise click.UsageError(f"{output} exists; choose another file")
    output.write_bytes(content)
    context.show({"file": str(output), "name": spec.name, "genesis_hash": "0x" + block.hash.hex()})


@genesis.command()
@click.argument("chain", default="local")
@pass_context
def show(context: CliContext, chain: str) -> None:
    """Check a specification (dev, local, or a file) and show its genesis hash.

    Example: noema genesis show chain.json
    """
    from chain.primitives.keys import ss58_encode
    from genesis.build import build_genesis
    from genesis.spec import PRESETS, InvalidSpec, parse_spec, preset
    from runtime.queries import Queries

    try:
        spec = preset(chain) if chain in PRESETS else parse_spec(Path(chain).read_bytes())
        block = build_genesis(spec)
        state = Queries(block.state.get)
    except InvalidSpec as error:
        raise click.UsageError(str(error)) from error
    context.show(
        {
            "name": spec.name,
            "id": spec.id,
            "chain_type": spec.chain_type,
            "genesis_hash": "0x" + block.hash.hex(),
            "validators": [
                {"address": ss58_encode(address), "stake": str(stake)}
                for address, stake in sorted(spec.validators.items())
            ],
            "total_issuance": str(state.pallets.balances.total_issuance.get()),
        }
    )
