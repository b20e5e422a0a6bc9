"""chain_*: blocks and heads.  A committed block is final, so best and final are the same."""

from typing import Any

from chain.rpc.feed import Head
from chain.rpc.methods.lookup import block_hash_or_head, header_of
from chain.rpc.parameters import Hash, Numbers
from chain.rpc.ports import Ports
from chain.rpc.registry import Notify, Pump, Registry
from chain.rpc.rendering import block_json, header_json, optional_hex
from chain.rpc.typed_json import hex_of

METHODS = Registry()

CATCH_UP_MAX = 512
"""Blocks that a subscription of final heads fills in at once; a longer gap is skipped."""


@METHODS.method("chain_getBlockHash", "chain_getHead")
def get_block_hash(ports: Ports, number: Numbers | None = None) -> Any:
    """Give the hash at a height, at each of several heights, or of the head."""
    if number is None:
        return hex_of(ports.chain.head().hash)
    if isinstance(number, list):
        return [optional_hex(ports.chain.hash_at(each)) for each in number]
    return optional_hex(ports.chain.hash_at(number))


@METHODS.method("chain_getHeader")
def get_header(ports: Ports, block_hash: Hash | None = None) -> dict[str, Any] | None:
    """Give a header, or null."""
    header = ports.chain.header(block_hash_or_head(ports, block_hash))
    return None if header is None else header_json(header)


@METHODS.method("chain_getBlock")
def get_block(ports: Ports, block_hash: Hash | None = None) -> dict[str, Any] | None:
    """Give a block with its certificate, or null."""
    wanted = block_hash_or_head(ports, block_hash)
    block = ports.chain.block(wanted)
    return None if block is None else block_json(block, ports.chain.certificate(wanted))


@METHODS.method("chain_getFinalizedHead", "chain_getFinalisedHead")
def get_finalized_head(ports: Ports) -> str:
    """Give the hash of the newest final block."""
    return hex_of(ports.chain.head().hash)


def _every_head(ports: Ports) -> Pump:
    async def pump(notify: Notify) -> None:
        told: Head | None = None
        while True:
            head = await ports.feed.after(told)
            first = head.number if told is None else told.number + 1
            for number in range(max(first, head.number - CATCH_UP_MAX), head.number + 1):
                block_hash = ports.chain.hash_at(number)
                if block_hash is not None:
                    notify(header_json(header_of(ports, block_hash)))
            told = head

    return pump


@METHODS.subscription(
    "chain_subscribeNewHeads",
    "chain_subscribeNewHead",
    "subscribe_newHead",
    notification="chain_newHead",
    unsubscribe=("chain_unsubscribeNewHeads", "chain_unsubscribeNewHead", "unsubscribe_newHead"),
)
def subscribe_new_heads(ports: Ports) -> Pump:
    """Tell every new head, the present one first."""
    return _every_head(ports)


@METHODS.subscription(
    "chain_subscribeAllHeads",
    notification="chain_allHead",
    unsubscribe=("chain_unsubscribeAllHeads",),
)
def subscribe_all_heads(ports: Ports) -> Pump:
    """Tell every block; there are no forks."""
    return _every_head(ports)


@METHODS.subscription(
    "chain_subscribeFinalizedHeads",
    "chain_subscribeFinalisedHeads",
    notification="chain_finalizedHead",
    unsubscribe=("chain_unsubscribeFinalizedHeads", "chain_unsubscribeFinalisedHeads"),
)
def subscribe_finalized_heads(ports: Ports) -> Pump:
    """Tell every final block in order, the present one first."""
    return _every_head(ports)
