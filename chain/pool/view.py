"""What the pool must know of the chain."""

from typing import Protocol

from chain.primitives.extrinsic import Extrinsic
from chain.primitives.keys import Address
from runtime.validation import Validity


class HeadView(Protocol):
    """The head state.  Called from any thread, outside the pool's lock unless said otherwise."""

    def height(self) -> int:
        """Give the height of the head."""
        ...

    def nonce(self, address: Address) -> int:
        """Give how many transactions an account has sent; called inside the pool's lock."""
        ...

    def validate(self, extrinsic: Extrinsic, encoded: bytes) -> Validity:
        """Judge a signed transaction for the next block, its signature included.

        Raises InvalidTransaction, or LocalFailure where this node cannot say.
        """
        ...
