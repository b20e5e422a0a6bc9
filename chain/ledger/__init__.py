"""The head of the chain and its one writer."""

from chain.ledger.author import Author
from chain.ledger.config import LedgerConfig
from chain.ledger.head_view import HeadView
from chain.ledger.ledger import Ledger
from chain.ledger.opening import Head, WrongGenesis
from chain.ledger.queries import BlockUnknown, ChainQueries
from chain.ledger.refusals import BlockRefused, ConflictingBlock, OutOfOrder
from chain.ledger.signatures import SignatureChecker

__all__ = [
    "Author",
    "BlockRefused",
    "BlockUnknown",
    "ChainQueries",
    "ConflictingBlock",
    "Head",
    "HeadView",
    "Ledger",
    "LedgerConfig",
    "OutOfOrder",
    "SignatureChecker",
    "WrongGenesis",
]
