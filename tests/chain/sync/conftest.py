"""A small certified chain, ledgers that hold it, and networks in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from chain.network import HELLO, Hello, RequestFailed
from chain.primitives.block import BLOCK, Block, Header
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Keypair
from consensus.core.certificate import certify
from consensus.core.messages import CERTIFICATE, Certificate, Kind, Vote, vote_bytes
from consensus.core.validators import Validator, ValidatorSet
from consensus.engine.ports import Head

GENESIS = b"\x77" * 32
KEYS = [Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob", "Charlie", "Dave")]
VALIDATORS = ValidatorSet.of(Validator(key.address, 1) for key in KEYS)


def certificate_of(block: Block, keys: list[Keypair] = KEYS[:3]) -> Certificate:
    """Give a commit certificate by some keys."""
    votes = []
    for key in keys:
        said = vote_bytes(
            GENESIS,
            Kind.PRECOMMIT,
            height=block.header.number,
            round_number=0,
            block_hash=block.hash(),
            valid_round=None,
        )
        votes.append(
            Vote(
                Kind.PRECOMMIT,
                block.header.number,
                0,
                block.hash(),
                None,
                key.address,
                key.sign(said),
            )
        )
    return certify(votes, VALIDATORS)


def grow(parent: bytes, number: int, salt: bytes = b"") -> Block:
    """Give a block whose body is bound to its header by a hash."""
    body = (bytes([8]) + number.to_bytes(2, "little"),)
    header = Header(parent, number, blake2_256(salt), blake2_256(b"".join(body)), ())
    return Block(header, body, ())


@dataclass
class Chain:
    """Certified blocks from height 1."""

    blocks: list[Block]
    certificates: list[Certificate]

    @classmethod
    def of(cls, height: int) -> "Chain":
        parent, blocks, certificates = GENESIS, [], []
        for number in range(1, height + 1):
            block = grow(parent, number)
            blocks.append(block)
            certificates.append(certificate_of(block))
            parent = block.hash()
        return cls(blocks, certificates)


@dataclass
class MemoryLedger:
    """What a node holds."""

    blocks: list[Block] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)

    def head(self) -> Head:
        return Head(len(self.blocks), self.blocks[-1].hash() if self.blocks else GENESIS)

    def is_body_of_header(self, block: Block) -> bool:
        return block.header.extrinsics_root == blake2_256(b"".join(block.extrinsics))

    async def validators(self, height: int) -> ValidatorSet:
        assert height == len(self.blocks) + 1
        return VALIDATORS

    def stored(self, height: int) -> tuple[bytes, bytes] | None:
        if not 0 < height <= len(self.blocks):
            return None
        return (
            BLOCK.encode(self.blocks[height - 1]),
            CERTIFICATE.encode(self.certificates[height - 1]),
        )

    async def import_block(self, block: Block, certificate: Certificate) -> None:
        if self.refusals:
            raise self.refusals.pop()
        if block.header.number == len(self.blocks) + 1:
            self.blocks.append(block)
            self.certificates.append(certificate)

    @classmethod
    def holding(cls, chain: Chain) -> "MemoryLedger":
        return cls(list(chain.blocks), list(chain.certificates))


class Wire:
    """Networks in memory that hear each other."""

    def __init__(self) -> None:
        self.ends: dict[str, WireEnd] = {}

    def end(self, name: str) -> "WireEnd":
        self.ends[name] = WireEnd(self, name)
        return self.ends[name]


class WireEnd:
    """One node's network."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name
        self.connected: list[str] = []
        self.faults: list[tuple[str, int, str]] = []
        self.asked: list[str] = []
        self.handlers: dict[str, Callable[[str, bytes], Awaitable[bytes]]] = {}
        self.meet: Callable[[str, bytes], None] = lambda peer, hello: None
        self.part: Callable[[str], None] = lambda peer: None

    async def request(self, peer: str, protocol: str, payload: bytes, timeout_s: float) -> bytes:
        self.asked.append(peer)
        if peer not in self.connected:
            raise RequestFailed(f"{peer} is not connected")
        return await self.wire.ends[peer].handlers[protocol](self.name, payload)

    def serve(self, protocol: str, handler: Callable[[str, bytes], Awaitable[bytes]]) -> None:
        self.handlers[protocol] = handler

    def peers(self) -> tuple[str, ...]:
        return tuple(self.connected)

    def penalise(self, peer: str, points: int, reason: str) -> None:
        self.faults.append((peer, points, reason))
        if points >= 100 and peer in self.connected:
            self.connected.remove(peer)
            self.part(peer)

    def on_connected(self, callback: Callable[[str, bytes], None]) -> None:
        self.meet = callback

    def on_disconnected(self, callback: Callable[[str], None]) -> None:
        self.part = callback

    def connect(self, peer: str, height: int) -> None:
        """Meet a peer that says it is at a height."""
        self.connected.append(peer)
        self.meet(peer, HELLO.encode(Hello(1, GENESIS, "test", height, bytes(32))))


class World:
    """What tests of this folder build with."""

    genesis = GENESIS
    chain = Chain
    ledger = MemoryLedger
    wire = Wire
    keys = KEYS
    certificate_of = staticmethod(certificate_of)
    grow = staticmethod(grow)
    replace = staticmethod(replace)


@pytest.fixture
def world() -> type[World]:
    """Give the building blocks."""
    return World
