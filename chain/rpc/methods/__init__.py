"""Every method a client can call, one file per namespace."""

from chain.rpc.methods import (
    ai,
    attribution,
    author,
    chain,
    governance,
    payment,
    state,
    system,
    training,
)
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

_INDEX = Registry()


@_INDEX.method("rpc_methods")
def rpc_methods(ports: Ports) -> dict[str, list[str]]:
    """List the methods of this node."""
    return {"methods": list(METHODS)}


METHODS = _INDEX.merged(
    ai.METHODS,
    attribution.METHODS,
    author.METHODS,
    chain.METHODS,
    governance.METHODS,
    payment.METHODS,
    state.METHODS,
    system.METHODS,
    training.METHODS,
)
