"""ai_referendum and others: what several decide together."""

from typing import Any

from chain.rpc.methods.lookup import found, state_of
from chain.rpc.parameters import AddressParameter, Count, Hash, Number
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

METHODS = Registry()


@METHODS.method("ai_referendum")
def referendum(ports: Ports, number: Number, at: Hash | None = None) -> Any:
    """Give a referendum: its call in words, its votes, its day."""
    advice = "`noema govern list` shows those there are."
    return found(ports, at, "referendum", f"No referendum {number}", advice, number=number)


@METHODS.method("ai_referenda")
def referenda(ports: Ports, count: Count = 100, at: Hash | None = None) -> Any:
    """List open referenda and the last ones that are over, newest first."""
    return ports.runtime.query(state_of(ports, at), "referenda", count=count)


@METHODS.method("ai_voter")
def voter(ports: Ports, account: AddressParameter, at: Hash | None = None) -> Any:
    """Give what counts in an account's votes: locked, staked, delegated; and where it voted."""
    return ports.runtime.query(state_of(ports, at), "voter", address=account)


@METHODS.method("ai_parameters")
def parameters(ports: Ports, at: Hash | None = None) -> Any:
    """List the numbers of the rules that a vote may change, with their bounds."""
    return ports.runtime.query(state_of(ports, at), "parameters")


@METHODS.method("ai_treasury")
def treasury(ports: Ports, at: Hash | None = None) -> Any:
    """Give what a vote could spend."""
    return ports.runtime.query(state_of(ports, at), "treasury")


@METHODS.method("ai_upgrade")
def upgrade(ports: Ports, at: Hash | None = None) -> Any:
    """Give the version of the rules that hold, and of those that are scheduled."""
    return ports.runtime.query(state_of(ports, at), "upgrade")
