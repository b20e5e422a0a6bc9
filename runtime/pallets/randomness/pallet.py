"""Randomness: a seed for each epoch that no single proposer chooses.

Every proposer has committed to a secret before it could know what others would say, and reveals it
in its block, with the next commitment implied (`chain/primitives/hash_chain.py`).  All secrets of
an epoch, mixed in order, give the seed of the next one.  Whoever proposes last before the epoch
ends can only choose between two seeds, by letting its block go; see DECISIONS.md.

Invariant: a block reveals exactly one secret, its proposer's, or commits its proposer for the
first time.
"""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import U32, record
from chain.primitives.hash_chain import reveals
from chain.primitives.hashing import HASH_32, ZERO_HASH, Hash32, blake2_256
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.numbers import BlockNumber
from runtime.frame import (
    Constant,
    DispatchError,
    Event,
    Inherent,
    Overlay,
    Pallet,
    PostInfo,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.ports import Authorship, Heights
from runtime.pallets.randomness import weights

Count = Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a validator reveals next."""

    value: Hash32
    """Hash of the secret."""

    left: Count
    """Secrets in this chain of hashes that are still to come; with the last one a new begins."""

    generation: Count
    """Number of the chain of hashes, from 0 on: from it the validator finds its secrets again."""


@dataclass(frozen=True, slots=True)
class RandomnessConfig:
    """What a chain decides about randomness."""

    epoch_blocks: int
    """Blocks for which a seed holds."""

    chain_length: int
    """Secrets that one commitment stands for: a node hashes so often to find its next one."""


@dataclass(frozen=True)
class EpochBegan(Event, index=0):
    """An epoch began, with the seed that the one before it left."""

    epoch: Count
    seed: Hash32


class AlreadyRevealed(DispatchError, index=0):
    """The block has revealed its proposer's secret.  Reveal one only."""


class WrongSecret(DispatchError, index=1):
    """The secret is not the one committed to, or there is none to reveal.  Look the next up."""


class CommitmentMissing(DispatchError, index=2):
    """A first block, and the last of a chain of secrets, commit to the next.  Add one."""


class CommitmentTooEarly(DispatchError, index=3):
    """Secrets are left in the chain committed to.  Reveal those first."""


class Randomness(
    Pallet,
    events=(EpochBegan,),
    errors=(AlreadyRevealed, WrongSecret, CommitmentMissing, CommitmentTooEarly),
):
    """Seeds of epochs, and what proposers have committed to."""

    commitments = StorageMap(
        ADDRESS, record(Commitment), docs="What each validator that has proposed reveals next."
    )
    mix = StorageValue(HASH_32, default=ZERO_HASH, docs="All secrets so far, hashed in order.")
    seed_now = StorageValue(HASH_32, default=ZERO_HASH, docs="The seed of this epoch.")
    revealed_at = StorageValue(U32, default=0, docs="Height of the last reveal.")

    epoch_blocks = Constant(U32, lambda self: self.config.epoch_blocks, "Blocks of an epoch.")
    chain_length = Constant(
        U32, lambda self: self.config.chain_length, "Secrets that one commitment stands for."
    )

    def __init__(
        self, state: Overlay, config: RandomnessConfig, authorship: Authorship, heights: Heights
    ) -> None:
        super().__init__(state)
        self.config = config
        self._authorship = authorship
        self._heights = heights

    @call(index=0, weight=weights.REVEAL)
    def reveal(
        self, origin: Inherent, secret: Hash32 | None, commitment: Hash32 | None
    ) -> PostInfo:
        """Reveal what the proposer committed to; with the last secret, commit anew."""
        if self.is_revealed():
            raise AlreadyRevealed()
        author = self._authorship.author()
        known = self.commitments.find(author)
        if known is not None or secret is not None:
            if known is None or secret is None or not reveals(secret, known.value):
                raise WrongSecret()
            self.mix.set(blake2_256(self.mix.get() + secret))
        self.commitments[author] = self._following(known, secret, commitment)
        self.revealed_at.set(self._heights.height())
        return PostInfo(pays_fee=False)

    def is_revealed(self) -> bool:
        """Tell whether this block has revealed."""
        return self.revealed_at.get() == self._heights.height()

    def commitment_of(self, author: Address) -> Commitment | None:
        """Give what a validator reveals next, None before its first block."""
        return self.commitments.find(author)

    def epoch(self) -> int:
        """Give the number of the epoch in which this block lies."""
        return self._heights.height() // self.config.epoch_blocks

    def seed(self) -> Hash32:
        """Give the epoch's seed: nobody knew it before the epoch's first block."""
        return self.seed_now.get()

    def begins_now(self) -> bool:
        """Tell whether this block is the first of an epoch."""
        return self._heights.height() % self.config.epoch_blocks == 0

    def begins(self, epoch: int) -> BlockNumber:
        """Give the first block of an epoch."""
        return epoch * self.config.epoch_blocks

    def on_initialize(self, number: int) -> None:
        """Let an epoch begin with what the one before left."""
        if self.begins_now():
            self.seed_now.set(blake2_256(b"seed" + self.mix.get()))
            self.emit(EpochBegan(self.epoch(), self.seed_now.get()))

    def check_invariants(self) -> None:
        """Assert that the block revealed and that every chain of secrets has one left."""
        assert self.is_revealed(), "a block without a secret"
        assert all(1 <= each.left <= self.config.chain_length for each in self.commitments.values())

    def _following(
        self, known: Commitment | None, secret: Hash32 | None, commitment: Hash32 | None
    ) -> Commitment:
        """Give what is revealed after this secret."""
        if known is not None and secret is not None and known.left > 1:
            if commitment is not None:
                raise CommitmentTooEarly(f"{known.left - 1} are left")
            return Commitment(secret, known.left - 1, known.generation)
        if commitment is None:
            raise CommitmentMissing()
        generation = 0 if known is None else known.generation + 1
        return Commitment(commitment, self.config.chain_length, generation)
