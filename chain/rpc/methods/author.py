"""author_*: sending transactions and watching what becomes of them."""

from chain.pool import PoolRefused
from chain.primitives.hashing import Hash32
from chain.rpc.json_rpc import RpcError
from chain.rpc.parameters import Data
from chain.rpc.ports import Ports
from chain.rpc.registry import Notify, Pump, Registry
from chain.rpc.typed_json import hex_of

METHODS = Registry()


@METHODS.method("author_submitExtrinsic")
async def submit_extrinsic(ports: Ports, extrinsic: Data) -> str:
    """Hand in a transaction; the answer is its hash."""
    return hex_of(await _submit(ports, extrinsic))


@METHODS.method("author_pendingExtrinsics")
def pending_extrinsics(ports: Ports) -> list[str]:
    """List the transactions that wait."""
    return [hex_of(encoded) for encoded in ports.pool.pending()]


@METHODS.subscription(
    "author_submitAndWatchExtrinsic",
    notification="author_extrinsicUpdate",
    unsubscribe=("author_unwatchExtrinsic",),
)
async def submit_and_watch_extrinsic(ports: Ports, extrinsic: Data) -> Pump:
    """Hand in a transaction and tell its fate until it is final or gone."""
    submitted = await _submit(ports, extrinsic)

    async def pump(notify: Notify) -> None:
        await _watch(ports, submitted, notify)

    return pump


async def _submit(ports: Ports, extrinsic: bytes) -> Hash32:
    try:
        return await ports.pool.submit(extrinsic)
    except PoolRefused as refused:
        raise RpcError(refused.code, refused.message, refused.data or None) from refused


async def _watch(ports: Ports, submitted: Hash32, notify: Notify) -> None:
    """Look after each block: included is final; neither included nor waiting is dropped."""
    told, head = None, None
    while True:
        head = await ports.feed.after(head)
        place = ports.chain.place_of(submitted)
        if place is not None:
            if told is None:
                notify("ready")
            notify({"inBlock": hex_of(place[0])})
            return notify({"finalized": hex_of(place[0])})
        standing = ports.pool.standing(submitted)
        if standing is None:
            return notify("dropped")
        if standing != told:
            notify(standing)
            told = standing
