"""What nodes tell each other on their own account: votes, transactions, pieces of blobs."""

from chain.gossip.blobs import BlobFetcher, BlobSender, BlobUnavailable
from chain.gossip.consensus import ConsensusGossip
from chain.gossip.transactions import TransactionGossip, Verdict

__all__ = [
    "BlobFetcher",
    "BlobSender",
    "BlobUnavailable",
    "ConsensusGossip",
    "TransactionGossip",
    "Verdict",
]
