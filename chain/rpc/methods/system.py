"""system_*: what the node says of itself and of the network."""

from typing import Any

from chain.primitives.keys import SS58_FORMAT
from chain.rpc.methods.lookup import state_of
from chain.rpc.parameters import AddressParameter
from chain.rpc.ports import Ports
from chain.rpc.registry import Registry

METHODS = Registry(at_once=True)

SYNCING_BEHIND = 3
"""Blocks behind the best peer at which a node calls itself syncing."""


@METHODS.method("system_name")
def name(ports: Ports) -> str:
    """Give the name of the software."""
    return ports.identity.name


@METHODS.method("system_version")
def version(ports: Ports) -> str:
    """Give the version of the software."""
    return ports.identity.version


@METHODS.method("system_chain")
def chain(ports: Ports) -> str:
    """Give the name of the chain."""
    return ports.identity.chain


@METHODS.method("system_chainType")
def chain_type(ports: Ports) -> str:
    """Say whether this is a live chain."""
    return ports.identity.chain_type


@METHODS.method("system_properties")
def properties(ports: Ports) -> dict[str, Any]:
    """Give what wallets need to show addresses and amounts."""
    return {"ss58Format": SS58_FORMAT, "tokenDecimals": 12, "tokenSymbol": "NOE"}


@METHODS.method("system_health")
def health(ports: Ports) -> dict[str, Any]:
    """Give the number of peers and whether the node catches up."""
    return health_of(ports)


def health_of(ports: Ports) -> dict[str, Any]:
    """Give the answer of system_health and of GET /health."""
    behind = ports.peers.highest_block() - ports.chain.head().number
    return {
        "peers": len(ports.peers.peers()),
        "isSyncing": behind >= SYNCING_BEHIND,
        "shouldHavePeers": ports.identity.chain_type != "Development",
    }


@METHODS.method("system_localPeerId")
def local_peer_id(ports: Ports) -> str:
    """Give the name of this node in the network."""
    return ports.peers.local_peer_id()


@METHODS.method("system_localListenAddresses")
def local_listen_addresses(ports: Ports) -> list[str]:
    """Give the addresses at which other nodes reach this one."""
    return list(ports.peers.listen_addresses())


@METHODS.method("system_peers")
def peers(ports: Ports) -> list[dict[str, Any]]:
    """List the connected peers."""
    return [dict(peer) for peer in ports.peers.peers()]


@METHODS.method("system_nodeRoles")
def node_roles(ports: Ports) -> list[str]:
    """Say whether the node is a validator."""
    return list(ports.identity.roles)


@METHODS.method("system_syncState")
def sync_state(ports: Ports) -> dict[str, int]:
    """Give where the node started, where it is, and where the network is."""
    current = ports.chain.head().number
    return {
        "startingBlock": ports.identity.started_at,
        "currentBlock": current,
        "highestBlock": max(current, ports.peers.highest_block()),
    }


@METHODS.method("system_accountNextIndex", "account_nextIndex")
def account_next_index(ports: Ports, account: AddressParameter) -> int:
    """Give the nonce for an account's next transaction, waiting ones counted."""
    nonce = ports.runtime.nonce(state_of(ports, None), account)
    return ports.pool.next_nonce(account, nonce)
