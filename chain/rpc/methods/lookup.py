"""Finding the block and the state that a caller means; the head where it names none."""

from typing import Any

from chain.primitives.block import Header
from chain.primitives.hashing import Hash32
from chain.rpc.json_rpc import NOT_FOUND, UNKNOWN_BLOCK, RpcError
from chain.rpc.ports import Ports, State, StateUnavailable
from chain.rpc.typed_json import hex_of


def block_hash_or_head(ports: Ports, at: bytes | None) -> Hash32:
    """Give the hash itself, or the head's."""
    return ports.chain.head().hash if at is None else at


def header_of(ports: Ports, at: bytes | None) -> Header:
    """Give a header that must exist; raises RpcError."""
    block_hash = block_hash_or_head(ports, at)
    header = ports.chain.header(block_hash)
    if header is None:
        raise RpcError(UNKNOWN_BLOCK, f"Unknown block: {hex_of(block_hash)}")
    return header


def found(
    ports: Ports, at: bytes | None, question: str, otherwise: str, advice: str, **arguments: Any
) -> Any:
    """Give the answer to a question about a state; raises RpcError where there is none."""
    value = ports.runtime.query(state_of(ports, at), question, **arguments)
    if value is None:
        raise RpcError(NOT_FOUND, otherwise, advice)
    return value


def state_of(ports: Ports, at: bytes | None) -> State:
    """Give the state after a block; raises RpcError where block or state is not here."""
    block_hash = block_hash_or_head(ports, at)
    try:
        return ports.chain.state(block_hash)
    except StateUnavailable as error:
        message = f"State of block {hex_of(block_hash)} is not here: {error}"
        raise RpcError(UNKNOWN_BLOCK, message) from error
