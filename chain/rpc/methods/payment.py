"""payment_*: what a transaction costs."""

from typing import Any

from chain.rpc.methods.lookup import state_of
from chain.rpc.parameters import Data, Hash
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

METHODS = Registry()


@METHODS.method("payment_queryInfo")
def query_info(ports: Ports, extrinsic: Data, at: Hash | None = None) -> dict[str, Any]:
    """Give weight and fee of a transaction in Substrate's JSON; its signature is not checked."""
    quote = ports.runtime.fee(state_of(ports, at), extrinsic)
    return {
        "weight": {"ref_time": quote.weight, "proof_size": 0},
        "class": "normal",
        "partialFee": str(quote.fee),
    }
