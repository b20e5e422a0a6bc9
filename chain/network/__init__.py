"""Connections to other nodes: framed channels, requests, keep-alive, reconnecting, bans."""

from chain.network.channels import BLOCKS, TRANSACTIONS, VOTES, Channel
from chain.network.failures import ListenFailed, RequestFailed, RequestRefused
from chain.network.handshake import HELLO, Hello, refusal_of
from chain.network.host import Network, NetworkConfig
from chain.network.peers import PeerId

__all__ = [
    "BLOCKS",
    "HELLO",
    "TRANSACTIONS",
    "VOTES",
    "Channel",
    "Hello",
    "ListenFailed",
    "Network",
    "NetworkConfig",
    "PeerId",
    "RequestFailed",
    "RequestRefused",
    "refusal_of",
]
