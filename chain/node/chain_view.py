"""What looking after content needs to know of the head."""

from collections.abc import Iterable

from chain.ledger import Ledger
from chain.node.availability import AnnouncedBlob
from chain.pool import Pool
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address


class ChainView:
    """Reads the head of the ledger, and the pool, for one account."""

    def __init__(self, ledger: Ledger, pool: Pool, address: Address) -> None:
        self._ledger = ledger
        self._pool = pool
        self._address = address

    def height(self) -> int:
        """Give the height of the head."""
        return self._ledger.head.height

    def block_hash(self) -> Hash32:
        """Give the hash of the head."""
        return self._ledger.head.hash

    def announced_blobs(self) -> Iterable[tuple[Hash32, AnnouncedBlob]]:
        """Give every blob that the chain knows."""
        blobs = self._ledger.queries.state(self._ledger.head.hash).pallets.blobs
        for root, blob in blobs.blobs.items():
            yield root, AnnouncedBlob(blob.length, self._address in blobs.attesters[root])

    def next_nonce(self) -> int:
        """Give the account's next nonce, waiting transactions counted."""
        nonce = self._ledger.queries.nonce(self._ledger.head.hash, self._address)
        return self._pool.next_nonce(self._address, nonce)
