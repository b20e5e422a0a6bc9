"""ai_valuation, ai_valuations, ai_yardstick: what rows were worth."""

from typing import Any

from chain.rpc.methods.lookup import found, state_of
from chain.rpc.parameters import Count, Hash, Number, Text
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

METHODS = Registry()


@METHODS.method("ai_valuation")
def valuation(ports: Ports, number: Number, at: Hash | None = None) -> Any:
    """Give a valuation: how far it is, what it cost, and what each record was worth."""
    advice = "`noema reward valuations` shows those there are."
    return found(ports, at, "valuation", f"No valuation {number}", advice, number=number)


@METHODS.method("ai_valuations")
def valuations(ports: Ports, first: Number = 0, count: Count = 100, at: Hash | None = None) -> Any:
    """List valuations from number `first` on."""
    return ports.runtime.query(state_of(ports, at), "valuations", first=first, count=count)


@METHODS.method("ai_yardstick")
def yardstick(ports: Ports, dataset: Text, at: Hash | None = None) -> Any:
    """Give what was declared to decide how later snapshots of a dataset pay, null for nothing."""
    return ports.runtime.query(state_of(ports, at), "yardstick", dataset=dataset)
