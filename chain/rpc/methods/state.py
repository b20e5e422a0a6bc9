"""state_*: storage, its proofs and changes, the runtime's version, runtime calls."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from chain.primitives.hashing import Hash32, blake2_256
from chain.rpc.feed import Head
from chain.rpc.json_rpc import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from chain.rpc.methods.lookup import block_hash_or_head, header_of, state_of
from chain.rpc.parameters import Count, Data, Hash, Keys, Text
from chain.rpc.ports import Ports
from chain.rpc.registry import Notify, Pump, Registry
from chain.rpc.rendering import optional_hex
from chain.rpc.typed_json import hex_of

METHODS = Registry()

WATCHED_KEYS_MAX = 256
"""Keys of one storage subscription; each is read after every block."""


@METHODS.method("state_getStorage", "state_getStorageAt")
def get_storage(ports: Ports, key: Data, at: Hash | None = None) -> str | None:
    """Give the value of a key, or null."""
    return optional_hex(state_of(ports, at).get(key))


@METHODS.method("state_getStorageHash", "state_getStorageHashAt")
def get_storage_hash(ports: Ports, key: Data, at: Hash | None = None) -> str | None:
    """Give the hash of a key's value, or null."""
    value = state_of(ports, at).get(key)
    return None if value is None else hex_of(blake2_256(value))


@METHODS.method("state_getStorageSize", "state_getStorageSizeAt")
def get_storage_size(ports: Ports, key: Data, at: Hash | None = None) -> int | None:
    """Give the length of a key's value in bytes, or null."""
    value = state_of(ports, at).get(key)
    return None if value is None else len(value)


@METHODS.method("state_getKeysPaged", "state_getKeysPagedAt")
def get_keys_paged(
    ports: Ports,
    prefix: Data,
    count: Count,
    start_key: Data | None = None,
    at: Hash | None = None,
) -> list[str]:
    """List keys with a prefix that come after `start_key`."""
    return [hex_of(key) for key in state_of(ports, at).keys(prefix, start_key, count)]


@METHODS.method("state_queryStorageAt")
def query_storage_at(ports: Ports, keys: Keys, at: Hash | None = None) -> list[dict[str, Any]]:
    """Give the values of several keys in one block."""
    block_hash = block_hash_or_head(ports, at)
    state = state_of(ports, block_hash)
    changes = [[hex_of(key), optional_hex(state.get(key))] for key in keys]
    return [{"block": hex_of(block_hash), "changes": changes}]


@METHODS.method("state_getReadProof")
def get_read_proof(ports: Ports, keys: Keys, at: Hash | None = None) -> dict[str, Any]:
    """Prove the values of keys against the state root of a block."""
    block_hash = block_hash_or_head(ports, at)
    proof = state_of(ports, block_hash).proof(keys)
    return {"at": hex_of(block_hash), "proof": [hex_of(node) for node in proof]}


@METHODS.method("state_getRuntimeVersion", "chain_getRuntimeVersion")
def get_runtime_version(ports: Ports, at: Hash | None = None) -> dict[str, Any]:
    """Give name and version of the rules."""
    if at is not None:
        state_of(ports, at)
    return dict(ports.runtime.version())


@METHODS.method("state_call", "state_callAt")
def call(ports: Ports, name: Text, arguments: Data, at: Hash | None = None) -> str:
    """Ask the runtime, arguments and answer as SCALE."""
    answer = ports.runtime.call(state_of(ports, at), header_of(ports, at), name, arguments)
    if answer is None:
        raise RpcError(METHOD_NOT_FOUND, f"The runtime has no {name}")
    return hex_of(answer)


@METHODS.subscription(
    "state_subscribeRuntimeVersion",
    "chain_subscribeRuntimeVersion",
    notification="state_runtimeVersion",
    unsubscribe=("state_unsubscribeRuntimeVersion", "chain_unsubscribeRuntimeVersion"),
)
def subscribe_runtime_version(ports: Ports) -> Pump:
    """Tell the version of the rules now and whenever it changes."""

    async def pump(notify: Notify) -> None:
        told, head = None, None
        while True:
            head = await ports.feed.after(head)
            version = dict(ports.runtime.version())
            if version != told:
                notify(version)
                told = version

    return pump


@METHODS.subscription(
    "state_subscribeStorage",
    notification="state_storage",
    unsubscribe=("state_unsubscribeStorage",),
)
def subscribe_storage(ports: Ports, keys: Keys) -> Pump:
    """Tell the values of keys now, later those that changed."""
    if not 0 < len(keys) <= WATCHED_KEYS_MAX:
        raise RpcError(INVALID_PARAMS, f"Invalid params: 1 to {WATCHED_KEYS_MAX} keys")

    async def pump(notify: Notify) -> None:
        told: dict[bytes, bytes | None] = {}
        head: Head | None = None
        while True:
            head = await ports.feed.after(head)
            values = await ports.feed.read(partial(_values, ports, head.hash, keys))
            changed = [key for key in values if key not in told or told[key] != values[key]]
            if changed:
                changes = [[hex_of(key), optional_hex(values[key])] for key in changed]
                notify({"block": hex_of(head.hash), "changes": changes})
            told = values

    return pump


def _values(ports: Ports, block_hash: Hash32, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
    state = state_of(ports, block_hash)
    return {key: state.get(key) for key in keys}
