"""A validator that lost the record of what it signed, while the chain shows that it did sign."""

from typing import Final

from chain.ledger import ChainQueries
from chain.primitives.keys import Address
from consensus.engine.ports import Disk
from consensus.engine.signer import FILE, SignerDamaged

LOOKED_BACK: Final = 64
"""Final blocks whose certificates are searched for the validator's own signature."""


def refuse_lost_record(
    disk: Disk, queries: ChainQueries, head_height: int, address: Address
) -> None:
    """Raise SignerDamaged where signing afresh could contradict what this key has signed."""
    if FILE in disk.names():
        return
    for height in range(head_height, max(head_height - LOOKED_BACK, 0), -1):
        if _signed(queries, height, address):
            raise SignerDamaged(f"{FILE} is gone, yet this key has signed block {height}")


def _signed(queries: ChainQueries, height: int, address: Address) -> bool:
    block_hash, parent_hash = queries.hash_at(height), queries.hash_at(height - 1)
    certificate = None if block_hash is None else queries.certificate(block_hash)
    if certificate is None or parent_hash is None:
        return False
    validators = queries.validators_after(parent_hash).validators
    return any(validators[entry.place].address == address for entry in certificate.entries)
