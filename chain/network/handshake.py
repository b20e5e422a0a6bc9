"""The first words between two nodes, and whether they have anything to say to each other."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U16, DecodeError, record, text
from chain.primitives.hashing import Hash32
from chain.primitives.numbers import BlockNumber

PROTOCOL_VERSION: Final = 1
"""Raised when messages between nodes change in a way that old nodes cannot read."""

_NAME = text(64)


@dataclass(frozen=True, slots=True)
class Hello:
    """Which chain a node runs, and how far it is."""

    protocol_version: Annotated[int, U16]
    genesis_hash: Hash32
    chain_name: Annotated[str, _NAME]
    head_height: BlockNumber
    head_hash: Hash32


HELLO: Final = record(Hello)


def refusal_of(ours: Hello, received: bytes) -> str | None:
    """Say why the sender of a hello is no peer of ours; None when it is one."""
    try:
        theirs = HELLO.decode(received)
    except DecodeError as error:
        return f"unreadable hello: {error}"
    if theirs.protocol_version != ours.protocol_version:
        return f"protocol version {theirs.protocol_version}, ours is {ours.protocol_version}"
    if theirs.genesis_hash != ours.genesis_hash:
        return f"other chain: {theirs.chain_name!r}, genesis 0x{theirs.genesis_hash.hex()}"
    return None
