"""Questions about what rows were worth and their answers as JSON."""

from typing import Any

from chain.primitives.codec import record
from chain.rpc.typed_json import to_json
from runtime.pallets.attribution.stored import Valuation, Worth, Yardstick
from runtime.queries import Queries


def valuation(queries: Queries, number: int) -> dict[str, Any] | None:
    """Give a valuation with what it found of each record."""
    status = queries.pallets.attribution.status(number)
    if status is None:
        return None
    records = [to_json(record(Worth), each) for each in status.records]
    return {**_shown(number, status.valuation), "records": records}


def valuations(queries: Queries, first: int, count: int) -> list[dict[str, Any]]:
    """List valuations from a number on."""
    attribution = queries.pallets.attribution
    numbers = range(first, min(attribution.next_valuation.get(), first + count))
    return [_shown(each, attribution.valuations[each]) for each in numbers]


def yardstick(queries: Queries, dataset: str) -> dict[str, Any] | None:
    """Give what was declared to decide how later snapshots of a dataset pay."""
    found = queries.pallets.attribution.yardsticks.find(dataset)
    return None if found is None else {"dataset": dataset, **to_json(record(Yardstick), found)}


def _shown(number: int, found: Valuation) -> dict[str, Any]:
    return {"number": number, **to_json(record(Valuation), found)}
