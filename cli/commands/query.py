"""Reading the chain."""

from typing import Any

import click

from cli.border import Group
from cli.context import CliContext, pass_context
from cli.parameters import ADDRESS, BLOCK


@click.group(cls=Group)
def query() -> None:
    """Read the chain."""


def block_hash_of(context: CliContext, block: int | str | None) -> str:
    """Give the hash of a block named by height or hash, the head's for None."""
    if isinstance(block, str):
        return block
    found = context.client.request("chain_getBlockHash", [] if block is None else [block])
    if found is None:
        raise click.UsageError(f"the chain has no block {block} yet")
    return str(found)


@query.command()
@click.argument("address", type=ADDRESS)
@click.option("--at", type=BLOCK, help="In this block; the newest otherwise.")
@pass_context
def account(context: CliContext, address: str, at: int | str | None) -> None:
    """Show funds and nonce of ADDRESS.

    Example: noema query account //Alice
    """
    found = context.client.request("ai_account", [address, block_hash_of(context, at)])
    context.show({"address": address, **found})


@query.command()
@click.argument("block", type=BLOCK, required=False)
@pass_context
def block(context: CliContext, block: int | str | None) -> None:
    """Show a BLOCK by height or hash, the newest without one.

    Example: noema query block 1
    """
    block_hash = block_hash_of(context, block)
    found = context.client.request("chain_getBlock", [block_hash])
    if found is None:
        raise click.UsageError(f"no block {block_hash} is known here")
    header = found["block"]["header"]
    context.show(
        {
            "number": int(header["number"], 16),
            "hash": block_hash,
            "parent_hash": header["parentHash"],
            "state_root": header["stateRoot"],
            "extrinsics_root": header["extrinsicsRoot"],
            "certificate": found["justifications"] is not None,
            "transactions": [_hash_of(each) for each in found["block"]["extrinsics"]],
        }
    )


@query.command()
@click.argument("name", metavar="PALLET.ITEM")
@click.argument("keys", nargs=-1)
@click.option("--at", type=BLOCK, help="In this block; the newest otherwise.")
@pass_context
def storage(context: CliContext, name: str, keys: tuple[str, ...], at: int | str | None) -> None:
    """Show a storage item by name; a map without all its KEYS is counted and listed by raw key.

    Example: noema query storage system.account //Alice
    """
    from cli.values import typed_value

    item = context.transactions.description.storage(name)
    if len(keys) > len(item.keys):
        raise click.UsageError(f"{name} takes {len(item.keys)} keys at most")
    ctx = click.get_current_context()
    values = tuple(
        typed_value(shape, text, ctx) for shape, text in zip(item.keys, keys, strict=False)
    )
    raw_key, block_hash = "0x" + item.raw_key(values).hex(), block_hash_of(context, at)
    if len(keys) == len(item.keys):
        raw = context.client.request("state_getStorage", [raw_key, block_hash])
        value = item.decode(None if raw is None else bytes.fromhex(raw[2:]))
        return context.show({"value": value, "stored": raw is not None})
    found = context.client.request("state_getKeysPaged", [raw_key, 1000, None, block_hash])
    context.show({"keys": found, "count": len(found), "more": len(found) == 1000})


@query.command()
@click.argument("block", type=BLOCK, required=False)
@pass_context
def events(context: CliContext, block: int | str | None) -> None:
    """Show what happened in a BLOCK, the newest without one.

    Example: noema query events 12 --json
    """
    context.show(context.client.request("ai_events", [block_hash_of(context, block)]))


@query.command()
@click.option("--at", type=BLOCK, help="In this block; the newest otherwise.")
@pass_context
def validators(context: CliContext, at: int | str | None) -> None:
    """List the validators with their voting power.

    Example: noema query validators
    """
    context.show(context.client.request("ai_validators", [block_hash_of(context, at)]))


@query.command()
@click.option("--at", type=BLOCK, help="In this block; the newest otherwise.")
@pass_context
def issuance(context: CliContext, at: int | str | None) -> None:
    """Show how many coins there are.

    Example: noema query issuance
    """
    context.show(context.client.request("ai_issuance", [block_hash_of(context, at)]))


@query.command()
@click.argument("pallet", required=False)
@pass_context
def calls(context: CliContext, pallet: str | None) -> None:
    """List the calls of the chain, or of one PALLET, with their arguments.

    Example: noema query calls balances
    """
    description = context.transactions.description
    pallets = description.pallets()
    names = [each["name"] for each in pallets]
    if pallet is not None and pallet.lower() not in map(str.lower, names):
        raise click.UsageError(f"no pallet {pallet!r}; there are {', '.join(names)}")
    found: list[dict[str, Any]] = []
    for each in pallets:
        if pallet is None or each["name"].lower() == pallet.lower():
            described = [description.call(f"{each['name']}.{one['name']}") for one in each["calls"]]
            found += [
                {"call": one.signature(), "does": (one.docs.splitlines() or [""])[0]}
                for one in described
            ]
    context.show(found)


@query.command()
@click.argument("inference", type=int)
@pass_context
def receipt(context: CliContext, inference: int) -> None:
    """Show the receipt of an INFERENCE by its number.

    Example: noema query receipt 0
    """
    context.show(context.client.request("ai_receipt", [inference]))


@query.command()
@pass_context
def node(context: CliContext) -> None:
    """Show what the node says of itself.

    Example: noema query node --url http://127.0.0.1:9945
    """
    ask = context.client.request
    head = ask("chain_getFinalizedHead")
    context.show(
        {
            "name": ask("system_name"),
            "version": ask("system_version"),
            "chain": ask("system_chain"),
            "roles": ", ".join(ask("system_nodeRoles")),
            "peer_id": ask("system_localPeerId"),
            "head": int(ask("chain_getHeader", [head])["number"], 16),
            "head_hash": head,
            "genesis_hash": ask("chain_getBlockHash", [0]),
            **ask("system_health"),
        }
    )


def _hash_of(extrinsic: str) -> str:
    from chain.primitives.extrinsic import extrinsic_hash

    return "0x" + extrinsic_hash(bytes.fromhex(extrinsic[2:])).hex()
