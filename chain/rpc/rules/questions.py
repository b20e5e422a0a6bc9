"""Named questions about a state and their answers as JSON; amounts are decimal text."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from chain.primitives.codec import record
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address, ss58_encode
from chain.rpc.rendering import optional_hex
from chain.rpc.rules.referenda import (
    parameters,
    referenda,
    referendum,
    treasury,
    upgrade,
    voter,
)
from chain.rpc.rules.trainings import job, jobs
from chain.rpc.rules.valuations import valuation, valuations, yardstick
from chain.rpc.typed_json import to_json
from runtime.frame.runs import FeeSplit
from runtime.pallets.data.stored import Dataset, Record, Standing
from runtime.pallets.evaluation.pallet import Ordered
from runtime.pallets.inference.stored import DryRun, Receipt
from runtime.pallets.models.stored import Approval, Model, Move, Version
from runtime.pallets.snapshots import StoredSnapshot
from runtime.queries import Queries


def account(queries: Queries, address: Address) -> dict[str, Any]:
    """Give nonce and funds of an account."""
    info = queries.account(address)
    return {
        "nonce": info.nonce,
        "free": str(info.data.free),
        "reserved": str(info.data.reserved),
        "frozen": str(info.data.frozen),
    }


def validators(queries: Queries) -> list[dict[str, Any]]:
    """List who decides the next block."""
    return [
        {"address": ss58_encode(each.address), "power": each.power}
        for each in queries.validators().validators
    ]


def issuance(queries: Queries) -> dict[str, Any]:
    """Give all funds there are."""
    return {"total_issuance": str(queries.pallets.balances.total_issuance.get())}


def blob(queries: Queries, root: Hash32) -> dict[str, Any] | None:
    """Give what the chain knows about content."""
    status = queries.blob(root)
    if status is None:
        return None
    return {
        "length": status.blob.length,
        "announcements": status.blob.announcements,
        "available_since": status.blob.available_since,
        "attesters": [ss58_encode(address) for address in status.attesters],
        "attested_power": status.attested_power,
        "total_power": status.total_power,
    }


def model(queries: Queries, name: str) -> dict[str, Any] | None:
    """Give a model with its newest versions."""
    status = queries.model(name)
    if status is None:
        return None
    shown = to_json(record(Model), status.model)
    versions = [
        {"number": number, **to_json(record(Version), version)}
        for number, version in status.versions
    ]
    moves = [to_json(record(Move), each) for each in status.moves]
    approvals = [to_json(record(Approval), each) for each in status.approvals]
    return {
        "name": name,
        **shown,
        "default": status.default,
        "versions": versions,
        "moves": moves,
        "approvals": approvals,
    }


def models(queries: Queries, after: str | None, count: int) -> list[dict[str, Any]]:
    """List models in the order of their registration."""
    return [
        {
            "name": name,
            "owner": ss58_encode(each.owner),
            "licence": each.licence,
            "price": str(each.policy.price),
            "versions": each.versions,
            "active": list(each.active),
            "channels": {
                channel.name: channel.version
                for channel in each.channels
                if channel.version is not None
            },
        }
        for name, each in queries.pallets.models.page(after, count)
    ]


def dataset(queries: Queries, name: str, first: int) -> dict[str, Any] | None:
    """Give a dataset with 64 of its records from `first` on."""
    status = queries.dataset(name, first)
    if status is None:
        return None
    shown = to_json(record(Dataset), status.dataset)
    records = [
        {"number": number, **to_json(record(Record), each)} for number, each in status.records
    ]
    return {"name": name, **shown, "record_count": shown["records"], "records": records}


def datasets(queries: Queries, after: str | None, count: int) -> list[dict[str, Any]]:
    """List datasets by name."""
    found = sorted(queries.pallets.data.datasets.items())
    return [
        {"name": name, **to_json(record(Dataset), each)}
        for name, each in found
        if after is None or name > after
    ][:count]


def snapshot(queries: Queries, number: int) -> dict[str, Any] | None:
    """Give a snapshot with its records, and which of them were withdrawn since."""
    taken = queries.pallets.snapshots.taken(number)
    if taken is None:
        return None
    records = queries.pallets.data.records
    shown = to_json(record(StoredSnapshot), taken)
    for part, each in zip(taken.parts, shown["parts"], strict=True):
        standing = records[taken.dataset, part.record].standing
        each["counted"] = part.counted
        each["withdrawn"] = standing == Standing.WITHDRAWN
    return {"number": number, **shown, "rows": sum(part.counted for part in taken.parts)}


def evaluation(queries: Queries, number: int) -> dict[str, Any] | None:
    """Give how a model did on a snapshot, so far or in the end."""
    status = queries.pallets.evaluation.status(number)
    if status is None:
        return None
    shown = to_json(record(Ordered), status.evaluation)
    return {"number": number, "open": status.is_open, **shown}


def receipt(queries: Queries, inference: int) -> dict[str, Any] | None:
    """Give the receipt of a run."""
    found = queries.receipt(inference)
    return None if found is None else {"number": inference, **to_json(record(Receipt), found)}


def rewards(queries: Queries, address: Address) -> dict[str, Any]:
    """Give what an account can claim, and from which sources."""
    status = queries.rewards(address)
    return {
        "claimable": str(status.claimable),
        "pending": str(status.pending),
        "sources": [{**asdict(each), "owed": str(each.owed)} for each in status.sources],
    }


QUESTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    question.__name__: question
    for question in (
        account,
        blob,
        dataset,
        datasets,
        evaluation,
        issuance,
        job,
        jobs,
        model,
        models,
        parameters,
        receipt,
        referenda,
        referendum,
        rewards,
        snapshot,
        treasury,
        upgrade,
        validators,
        valuation,
        valuations,
        voter,
        yardstick,
    )
}


def dry_run_json(ran: DryRun) -> dict[str, Any]:
    """Give what a run would give and cost."""
    quote = ran.quote
    return {
        "model": quote.model,
        "version": quote.version,
        "price": str(quote.price),
        "parts": to_json(record(FeeSplit), quote.parts),
        "weight": quote.weight,
        "outputs": optional_hex(ran.outputs),
        "trap": ran.trap,
    }
