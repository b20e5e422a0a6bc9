"""ai_job, ai_jobs: what the chain trains."""

from typing import Any

from chain.rpc.methods.lookup import found, state_of
from chain.rpc.parameters import Count, Hash, Number
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

METHODS = Registry()


@METHODS.method("ai_job")
def job(ports: Ports, number: Number, at: Hash | None = None) -> Any:
    """Give a training: how far it is, what it cost, its loss over the steps, and its model."""
    advice = "`noema train list` shows those there are."
    return found(ports, at, "job", f"No training {number}", advice, number=number)


@METHODS.method("ai_jobs")
def jobs(ports: Ports, first: Number = 0, count: Count = 100, at: Hash | None = None) -> Any:
    """List trainings from number `first` on."""
    return ports.runtime.query(state_of(ports, at), "jobs", first=first, count=count)
