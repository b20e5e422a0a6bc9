"""Who builds blocks: an account, and the secrets that its blocks reveal one after the other."""

from dataclasses import dataclass

from chain.primitives.codec import U32
from chain.primitives.hash_chain import along
from chain.primitives.hashing import Hash32, blake2_256
from chain.primitives.keys import Address, Keypair
from runtime.pallets.randomness import Commitment


@dataclass(frozen=True, slots=True)
class Author:
    """A validator's key as far as building blocks needs it."""

    keypair: Keypair
    genesis_hash: Hash32
    """So that one key on two chains has different secrets."""

    @property
    def address(self) -> Address:
        """Give the account."""
        return self.keypair.address

    def reveal(self, known: Commitment | None, length: int) -> dict[str, Hash32 | None]:
        """Give what a block says: the next secret, and with the last one a new commitment.

        Nothing is stored: a node that lost its disk finds the same secrets.
        """
        if known is None:
            return {"secret": None, "commitment": self._commitment(0, length)}
        secret = along(self._seed(known.generation), known.left - 1)
        if known.left > 1:
            return {"secret": secret, "commitment": None}
        return {"secret": secret, "commitment": self._commitment(known.generation + 1, length)}

    def _commitment(self, generation: int, length: int) -> Hash32:
        return along(self._seed(generation), length)

    def _seed(self, generation: int) -> Hash32:
        words = b"noema-randomness" + self.genesis_hash + U32.encode(generation)
        return blake2_256(self.keypair.sign(words))
