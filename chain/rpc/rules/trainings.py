"""Questions about trainings and their answers as JSON."""

import struct
from typing import Any

from chain.primitives.codec import record
from chain.rpc.typed_json import to_json
from runtime.pallets.training.stored import Job
from runtime.queries import Queries


def job(queries: Queries, number: int) -> dict[str, Any] | None:
    """Give a training with the curve of its loss."""
    status = queries.pallets.training.status(number)
    if status is None:
        return None
    curve = [{"step": each.step, "loss": _float(each.loss)} for each in status.curve]
    return {**_shown(number, status.job), "curve": curve}


def jobs(queries: Queries, first: int, count: int) -> list[dict[str, Any]]:
    """List trainings from a number on."""
    training = queries.pallets.training
    numbers = range(first, min(training.next_job.get(), first + count))
    return [_shown(each, training.jobs[each]) for each in numbers]


def _shown(number: int, found: Job) -> dict[str, Any]:
    return {"number": number, **to_json(record(Job), found), "loss": _float(found.loss)}


def _float(bits: int) -> float:
    value: float = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    return value
