"""System: accounts, heights, block hashes, and what happened in the block.

Invariant: the hashes of genesis and of the last `block_hash_count` blocks are known, no others.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.block import DIGEST, DigestItem
from chain.primitives.codec import U16, U32, U64, Codec, blob, record
from chain.primitives.codec.shapes import Named, Primitive
from chain.primitives.codec.shapes import Sequence as SequenceShape
from chain.primitives.hashing import HASH_32, ZERO_HASH, Hash32, blake2_256
from chain.primitives.keys import ADDRESS, SS58_FORMAT, Address
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    Event,
    Overlay,
    Pallet,
    Signed,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.account import ACCOUNT_INFO, NO_ACCOUNT, AccountInfo
from runtime.frame.failure import FAILURE, Failure
from runtime.frame.weight import DispatchInfo
from runtime.pallets.system import weights
from runtime.pallets.system.version import RuntimeVersion

REMARK_BYTES_MAX: Final = 64 * 1024
"""Of one remark: a transaction that only keeps words must leave room for others."""

Remark = Annotated[bytes, blob(REMARK_BYTES_MAX)]


def _write_encoded(value: bytes, out: bytearray) -> None:
    out += value


def _read_encoded(data: bytes, offset: int) -> tuple[bytes, int]:
    return data[offset:], len(data)


EVENT_RECORDS: Final[Codec[bytes]] = Codec(
    _write_encoded,
    _read_encoded,
    SequenceShape(Named("EventRecord", Primitive("u8")), 1 << 20),
)
"""Event records stay encoded here: only the assembled runtime knows every pallet's events."""


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """What a chain decides about itself."""

    version: RuntimeVersion
    """Which rules these are."""

    block_hash_count: int
    """Hashes of recent blocks that are kept: as long as a transaction can be made to live."""


@dataclass(frozen=True)
class ExtrinsicSuccess(Event, index=0):
    """A transaction did what it was meant to do."""

    dispatch_info: DispatchInfo


@dataclass(frozen=True)
class ExtrinsicFailed(Event, index=1):
    """A transaction changed nothing but its fee and nonce."""

    dispatch_error: Annotated[Failure, FAILURE]
    dispatch_info: DispatchInfo


@dataclass(frozen=True)
class NewAccount(Event, index=3):
    """An account came into being."""

    account: Address


@dataclass(frozen=True)
class KilledAccount(Event, index=4):
    """An account has no funds left."""

    account: Address


@dataclass(frozen=True)
class Remarked(Event, index=5):
    """Somebody put words on the chain."""

    sender: Address
    hash: Hash32


class System(
    Pallet,
    events=(ExtrinsicSuccess, ExtrinsicFailed, NewAccount, KilledAccount, Remarked),
):
    """Accounts, heights, block hashes, and what happened in the block."""

    account = StorageMap(
        ADDRESS, ACCOUNT_INFO, default=NO_ACCOUNT, docs="Nonce and funds of every address."
    )
    number = StorageValue(U32, default=0, docs="Height of the block.")
    parent_hash = StorageValue(HASH_32, default=ZERO_HASH, docs="Hash of the block before.")
    block_hash = StorageMap(
        U32,
        HASH_32,
        default=ZERO_HASH,
        hasher=TWOX_64_CONCAT,
        docs="Hashes of genesis and of recent blocks by height.",
    )
    digest = StorageValue(DIGEST, default=(), docs="Digest of the block's header.")
    events = StorageValue(EVENT_RECORDS, default=b"\0", docs="What happened in the block.")
    extrinsic_count = StorageValue(U32, default=0, docs="Transactions in the block.")
    block_weight = StorageValue(U64, default=0, docs="Weight that the block used, picoseconds.")
    block_author = StorageValue(ADDRESS, default=ZERO_HASH, docs="Proposer of the block.")

    version = Constant(
        record(RuntimeVersion), lambda self: self.config.version, "Which rules these are."
    )
    ss58_prefix = Constant(U16, lambda self: SS58_FORMAT, "Network byte of addresses.")
    block_hash_count = Constant(
        U32, lambda self: self.config.block_hash_count, "Hashes of recent blocks that are kept."
    )

    def __init__(self, state: Overlay, config: SystemConfig) -> None:
        super().__init__(state)
        self.config = config

    @call(index=0, weight=weights.remark)
    def remark(self, origin: Signed, remark: Remark) -> None:
        """Put words on the chain, in the block only."""

    @call(index=7, weight=weights.remark)
    def remark_with_event(self, origin: Signed, remark: Remark) -> None:
        """Put words on the chain and say so in an event."""
        self.emit(Remarked(origin.address, blake2_256(remark)))

    def initialize(
        self, number: int, parent_hash: Hash32, digest: tuple[DigestItem, ...], author: Address
    ) -> None:
        """Begin a block; its parent's hash joins the known ones."""
        self.number.set(number)
        self.parent_hash.set(parent_hash)
        self.block_hash[number - 1] = parent_hash
        self.digest.set(digest)
        self.block_author.set(author)
        forgotten = number - 1 - self.config.block_hash_count
        if forgotten > 0:
            del self.block_hash[forgotten]

    def finalize(
        self, events: bytes, digest: tuple[DigestItem, ...], extrinsics: int, weight: int
    ) -> None:
        """End a block."""
        self.events.set(events)
        self.digest.set(digest)
        self.extrinsic_count.set(extrinsics)
        self.block_weight.set(weight)

    def count_transaction(self, address: Address) -> None:
        """Move an account's nonce on."""
        info = self.account[address]
        self.account[address] = AccountInfo(
            info.nonce + 1, info.consumers, info.providers, info.sufficients, info.data
        )

    def height(self) -> int:
        """Give the height of the block that is being executed."""
        return self.number.get()

    def author(self) -> Address:
        """Give the proposer of the block; zeros outside one."""
        return self.block_author.get()

    def announce_account(self, address: Address) -> None:
        """Say that an account came into being."""
        self.emit(NewAccount(address))

    def announce_death(self, address: Address) -> None:
        """Say that an account has no funds left."""
        self.emit(KilledAccount(address))

    def check_invariants(self) -> None:
        """Assert that exactly genesis and the recent blocks are known by hash."""
        number = self.number.get()
        first = max(1, number - self.config.block_hash_count)
        known = sorted(self.block_hash.keys())
        assert known == ([0, *range(first, number)] if number else [])
