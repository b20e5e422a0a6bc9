"""Blobs: content that is too large for a transaction, named by its root.

Bytes travel beside the chain; here stands who wants them kept, and which validators hold them.
A root names its length too (`chain/primitives/merkle.py`).

Invariant: a blob stands as long as somebody has announced it, and its deposits are reserved.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.primitives.block import EXTRINSICS_MAX
from chain.primitives.codec import U8, U32, U64, U128, record, sequence
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.merkle import root_over
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame import (
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    PostInfo,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.ports import Currency, Heights, ValidatorSource
from runtime.pallets.blobs import weights

MODEL, ROWS, PARAMETERS = 0, 1, 2
"""Kinds of blobs: an ONNX file, rows of a dataset, initial parameters of a training."""

KINDS: Final = (MODEL, ROWS, PARAMETERS)

ATTESTERS_MAX: Final = 1024
"""Of one blob: above any validator set."""

Kind = Annotated[int, U8]
Length = Annotated[int, U64]
Count = Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class Blob:
    """Content by its root."""

    length: Length
    """Bytes."""

    announcements: Count
    """Accounts that announced it; without them and without holds the blob goes."""

    available_since: BlockNumber | None = None
    """Block in which validators with more than two thirds of the stake held it; None before."""

    holds: Count = 0
    """What the chain itself needs it for; it stays as long as there is one."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One account's wish that a blob is kept."""

    kind: Kind
    """What the account says it is: 0 model, 1 rows, 2 parameters."""

    deposit: Amount
    """Reserved until the release."""

    uses: Count = 0
    """Models, versions and records of this account that need the blob."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What became available in one block."""

    block: BlockNumber
    roots: Annotated[tuple[bytes, ...], sequence(HASH_32, EXTRINSICS_MAX)]


@dataclass(frozen=True, slots=True)
class BlobsConfig:
    """What a chain decides about blobs."""

    length_max: int
    """Greatest blob in bytes: what a validator fetches and holds at once."""

    deposit_base: int
    """Deposit of any announcement, in the smallest unit: pays for the entry in the state."""

    deposit_per_byte: int
    """Deposit of each byte, in the smallest unit: disks of all validators are not free."""


@dataclass(frozen=True)
class Announced(Event, index=0):
    """An account wants a blob kept; validators fetch it now."""

    root: Hash32
    owner: Address
    length: Length
    kind: Kind
    deposit: Amount


@dataclass(frozen=True)
class Attested(Event, index=1):
    """A validator holds all chunks of a blob."""

    root: Hash32
    validator: Address


@dataclass(frozen=True)
class Available(Event, index=2):
    """Validators with more than two thirds of the stake hold a blob; it may be used."""

    root: Hash32


@dataclass(frozen=True)
class Released(Event, index=3):
    """An account no longer wants a blob kept; its deposit is free again."""

    root: Hash32
    owner: Address
    deposit: Amount


@dataclass(frozen=True)
class Forgotten(Event, index=4):
    """Nobody wants a blob kept any more; nodes may delete it."""

    root: Hash32


class EmptyBlob(DispatchError, index=0):
    """A blob has at least one byte.  Announce the real length."""


class BlobTooLong(DispatchError, index=1):
    """The blob is longer than the chain allows.  Make it smaller."""


class UnknownKind(DispatchError, index=2):
    """Blobs are models (0), rows (1) or parameters (2).  Name one of these."""


class AlreadyAnnounced(DispatchError, index=3):
    """You have announced this blob already.  Use it, or upload its bytes."""


class UnknownBlob(DispatchError, index=4):
    """Nobody has announced this blob.  Announce it first."""


class NotValidator(DispatchError, index=5):
    """Only validators of the current set attest.  Nothing to do."""


class AlreadyAttested(DispatchError, index=6):
    """This validator has attested the blob already.  Nothing to do."""


class NotAnnounced(DispatchError, index=7):
    """You have not announced this blob.  Announce it yourself first."""


class BlobInUse(DispatchError, index=8):
    """A model or record needs the blob.  Retire or withdraw it first."""


class WrongKind(DispatchError, index=9):
    """The blob was announced as another kind.  Release it and announce it anew."""


@dataclass(frozen=True, slots=True)
class BlobStatus:
    """What there is to know about a blob."""

    blob: Blob
    attesters: tuple[Address, ...]
    """Validators that said they hold it, in the order they did."""

    attested_power: int
    """Voting power of those among them that are in the current set."""

    total_power: int
    """Voting power of the current set."""


class Blobs(
    Pallet,
    events=(Announced, Attested, Available, Released, Forgotten),
    errors=(
        EmptyBlob,
        BlobTooLong,
        UnknownKind,
        AlreadyAnnounced,
        UnknownBlob,
        NotValidator,
        AlreadyAttested,
        NotAnnounced,
        BlobInUse,
        WrongKind,
    ),
):
    """Announcements, attestations and uses of content."""

    blobs = StorageMap(HASH_32, record(Blob), docs="Content by its root.")
    announcements = StorageDoubleMap(
        HASH_32, ADDRESS, record(Announcement), docs="Who wants a blob kept, and for what."
    )
    attesters = StorageMap(
        HASH_32,
        sequence(ADDRESS, ATTESTERS_MAX),
        default=(),
        docs="Validators that hold all chunks of a blob, in the order they said so.",
    )

    arrivals = StorageValue(
        record(Arrivals), default=Arrivals(0, ()), docs="What became available last, by block."
    )

    length_max = Constant(U64, lambda self: self.config.length_max, "Greatest blob in bytes.")
    deposit_base = Constant(U128, lambda self: self.config.deposit_base, "Deposit of any blob.")
    deposit_per_byte = Constant(
        U128, lambda self: self.config.deposit_per_byte, "Deposit of each byte."
    )

    def __init__(
        self,
        state: Overlay,
        config: BlobsConfig,
        currency: Currency,
        validators: ValidatorSource,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.validators = validators
        self.heights = heights

    @call(index=0, weight=weights.ANNOUNCE)
    def announce(self, origin: Signed, top: Hash32, length: Length, kind: Kind) -> None:
        """Ask all validators to keep content; a deposit by its length is set aside.

        The content is given by the top of its tree, not by its root: so nobody can announce a root
        with a wrong length, which would stand in the way of the right one.
        """
        root = root_over(top, length)
        self._check_announcement(root, origin.address, length, kind)
        blob = self.blobs.find(root) or Blob(length, announcements=0)
        self._announce(root, blob, origin.address, kind)

    @call(index=1, weight=weights.ATTEST)
    def attest(self, origin: Signed, root: Hash32) -> PostInfo:
        """Say, as a validator, that all chunks of a blob are held and verified; free of charge."""
        blob = self._known(root)
        powers = self._powers()
        if origin.address not in powers:
            raise NotValidator()
        # Who validates no more makes room, so that the list stays as short as a validator set.
        attesters = tuple(each for each in self.attesters[root] if each in powers)
        if origin.address in attesters:
            raise AlreadyAttested()
        attesters = (*attesters, origin.address)
        self.attesters[root] = attesters
        self.emit(Attested(root, origin.address))
        if blob.available_since is None and _enough(attesters, powers):
            self.blobs[root] = replace(blob, available_since=self.heights.height())
            self._note_arrival(root)
            self.emit(Available(root))
        return PostInfo(pays_fee=False)

    @call(index=2, weight=weights.RELEASE)
    def release(self, origin: Signed, root: Hash32) -> None:
        """Take an announcement back; the deposit is free again."""
        announcement = self._announced(root, origin.address)
        if announcement.uses:
            raise BlobInUse(f"{announcement.uses} uses")
        self.currency.unreserve(origin.address, announcement.deposit)
        del self.announcements[root, origin.address]
        self.emit(Released(root, origin.address, announcement.deposit))
        blob = self._known(root)
        self._keep_or_forget(root, replace(blob, announcements=blob.announcements - 1))

    def provide(self, root: Hash32, length: int, owner: Address, kind: int) -> None:
        """Make content available that every node made itself; the owner's deposit is set aside.

        Where the owner has announced it before, that announcement stands.  Raises DispatchError.
        """
        blob = self.blobs.find(root) or Blob(length, announcements=0)
        if (root, owner) not in self.announcements:
            self._announce(root, blob, owner, kind)
        blob = self._known(root)
        if blob.available_since is None:
            self.blobs[root] = replace(blob, available_since=self.heights.height())
            self._note_arrival(root)
            self.emit(Available(root))

    def deposit_of(self, length: int) -> Amount:
        """Give what is set aside for a blob of so many bytes."""
        return self.config.deposit_base + self.config.deposit_per_byte * length

    def use(self, root: Hash32, owner: Address, kind: int) -> int:
        """Hold an owner's announcement until `unuse`; gives the blob's length in bytes.

        Only one's own announcement: nobody can keep another's deposit from coming back.
        """
        announcement = self._announced(root, owner)
        if announcement.kind != kind:
            raise WrongKind(f"{announcement.kind}, not {kind}")
        self.announcements[root, owner] = replace(announcement, uses=announcement.uses + 1)
        return self._known(root).length

    def unuse(self, root: Hash32, owner: Address) -> None:
        """Give one `use` back."""
        announcement = self.announcements[root, owner]
        assert announcement.uses > 0, "given back more often than used"
        self.announcements[root, owner] = replace(announcement, uses=announcement.uses - 1)

    def hold(self, root: Hash32) -> int:
        """Keep available content for the chain itself until `unhold`; gives its bytes."""
        blob = self.blobs[root]
        assert blob.available_since is not None, "only available content is held"
        self.blobs[root] = replace(blob, holds=blob.holds + 1)
        return blob.length

    def unhold(self, root: Hash32) -> None:
        """Give one `hold` back."""
        blob = self.blobs[root]
        assert blob.holds > 0, "given back more often than held"
        self._keep_or_forget(root, replace(blob, holds=blob.holds - 1))

    def arrived(self) -> tuple[Hash32, ...]:
        """Give the blobs that became available in the block before this one."""
        arrivals = self.arrivals.get()
        return arrivals.roots if arrivals.block == self.heights.height() - 1 else ()

    def is_available(self, root: Hash32) -> bool:
        """Tell whether transactions may use the blob's bytes."""
        blob = self.blobs.find(root)
        return blob is not None and blob.available_since is not None

    def status(self, root: Hash32) -> BlobStatus | None:
        """Give what there is to know about a blob, None for an unknown one."""
        blob = self.blobs.find(root)
        if blob is None:
            return None
        powers, attesters = self._powers(), self.attesters[root]
        attested = sum(powers.get(address, 0) for address in attesters)
        return BlobStatus(blob, attesters, attested, sum(powers.values()))

    def check_invariants(self) -> None:
        """Assert that announcements are counted and their deposits set aside."""
        counts: dict[bytes, int] = {}
        deposits: dict[bytes, int] = {}
        for (root, owner), announcement in self.announcements.items():
            counts[root] = counts.get(root, 0) + 1
            deposits[owner] = deposits.get(owner, 0) + announcement.deposit
        blobs = dict(self.blobs.items())
        assert all(root in blobs for root in counts), "an announced blob was forgotten"
        for root, blob in blobs.items():
            assert blob.announcements == counts.get(root, 0)
            assert blob.announcements or blob.holds, "kept for nobody"
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"
        assert all(root in self.blobs for root, _ in self.attesters.items())

    def _announce(self, root: Hash32, blob: Blob, owner: Address, kind: int) -> None:
        deposit = self.deposit_of(blob.length)
        self.currency.reserve(owner, deposit)
        self.blobs[root] = replace(blob, announcements=blob.announcements + 1)
        self.announcements[root, owner] = Announcement(kind, deposit)
        self.emit(Announced(root, owner, blob.length, kind, deposit))

    def _check_announcement(self, root: Hash32, owner: Address, length: int, kind: int) -> None:
        if length == 0:
            raise EmptyBlob()
        if length > self.config.length_max:
            raise BlobTooLong(f"{length} bytes, at most {self.config.length_max}")
        if kind not in KINDS:
            raise UnknownKind(f"kind {kind}")
        if (root, owner) in self.announcements:
            raise AlreadyAnnounced()

    def _note_arrival(self, root: Hash32) -> None:
        arrivals, now = self.arrivals.get(), self.heights.height()
        before = arrivals.roots if arrivals.block == now else ()
        self.arrivals.set(Arrivals(now, (*before, root)))

    def _keep_or_forget(self, root: Hash32, blob: Blob) -> None:
        if blob.announcements or blob.holds:
            self.blobs[root] = blob
            return
        del self.blobs[root]
        if root in self.attesters:
            del self.attesters[root]
        self.emit(Forgotten(root))

    def _known(self, root: Hash32) -> Blob:
        blob = self.blobs.find(root)
        if blob is None:
            raise UnknownBlob(root.hex())
        return blob

    def _announced(self, root: Hash32, owner: Address) -> Announcement:
        self._known(root)
        announcement = self.announcements.find((root, owner))
        if announcement is None:
            raise NotAnnounced(root.hex())
        return announcement

    def _powers(self) -> dict[Address, int]:
        return {each.address: each.power for each in self.validators.current_set()}


def _enough(attesters: tuple[Address, ...], powers: dict[Address, int]) -> bool:
    attested = sum(powers.get(address, 0) for address in attesters)
    return 3 * attested > 2 * sum(powers.values())
