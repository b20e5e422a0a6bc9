"""Who may connect, how often, and for how long not: bookkeeping without clock or socket."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import base58

from chain.primitives.keys import Keypair

PeerId = str
"""Name of a node: its ed25519 public key in base 58, as libp2p writes it (12D3Koo...)."""

_PEER_ID_PREFIX: Final = bytes.fromhex("002408011220")
"""Identity multihash of 36 bytes, in which an ed25519 key of 32 bytes."""


def peer_id_of(identity_seed: bytes) -> PeerId:
    """Give the name of the node with this ed25519 seed."""
    return base58.b58encode(_PEER_ID_PREFIX + Keypair.from_seed(identity_seed).address).decode()


FORGIVEN_PER_SECOND: Final = 0.1
"""Points a peer loses by time: an honest slip a minute is never a ban."""


@dataclass(slots=True)
class _Standing:
    points: float = 0.0
    counted_at: float = 0.0
    banned_until: float = 0.0


@dataclass(slots=True)
class Standings:
    """Fault points of peers, and the bans that follow from them."""

    ban_points: int = 100
    """A peer with this many points is banned."""
    ban_seconds: float = 600.0
    peers_max: int = 1024
    """How many peers are remembered; the one longest without a fault is forgotten first."""
    _standings: OrderedDict[PeerId, _Standing] = field(default_factory=OrderedDict)

    def penalise(self, peer: PeerId, points: int, now: float) -> bool:
        """Add fault points at a time in seconds; tell whether the peer is banned by them."""
        standing = self._standings.setdefault(peer, _Standing(counted_at=now))
        self._standings.move_to_end(peer)
        if len(self._standings) > self.peers_max:
            self._standings.popitem(last=False)
        forgiven = (now - standing.counted_at) * FORGIVEN_PER_SECOND
        standing.points = max(0.0, standing.points - forgiven) + points
        standing.counted_at = now
        if standing.points < self.ban_points:
            return False
        standing.points = 0.0
        standing.banned_until = now + self.ban_seconds
        return True

    def is_banned(self, peer: PeerId, now: float) -> bool:
        """Tell whether the peer is banned at a time in seconds."""
        standing = self._standings.get(peer)
        return standing is not None and now < standing.banned_until


@dataclass(slots=True)
class Doorman:
    """Counts incoming connections, in all and by address; each admission is released once."""

    total_max: int
    per_address_max: int
    """Counted from the first byte to the end, so it bounds half-open connections too."""
    pending_max: int
    """Connections in all that have not yet shown who they are."""
    _by_address: dict[str, int] = field(default_factory=dict)
    _total: int = 0
    _pending: int = 0

    def admit(self, address: str) -> bool:
        """Count a connection that begins, unless there are too many already."""
        held = self._by_address.get(address, 0)
        if self._total >= self.total_max or self._pending >= self.pending_max:
            return False
        if held >= self.per_address_max:
            return False
        self._by_address[address] = held + 1
        self._total += 1
        self._pending += 1
        return True

    def settle(self) -> None:
        """Count a connection as past its handshake, or as failed in it."""
        self._pending -= 1

    def release(self, address: str) -> None:
        """Uncount a connection that has ended."""
        self._total -= 1
        held = self._by_address.pop(address) - 1
        if held:
            self._by_address[address] = held

    @property
    def total(self) -> int:
        """Give how many connections are counted."""
        return self._total


DIAL_AGAIN_MIN_S: Final = 0.3
DIAL_AGAIN_MAX_S: Final = 10.0


def dial_again_after(failures: int, jitter: float) -> float:
    """Give the seconds to wait after so many failures in a row; jitter lies in [0, 1)."""
    full = min(DIAL_AGAIN_MAX_S, DIAL_AGAIN_MIN_S * 2.0 ** min(failures, 16))
    return max(DIAL_AGAIN_MIN_S, full * (0.5 + jitter / 2))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of perhaps several connections to the same peer."""

    is_inbound: bool
    opened: int
    """Position in the order in which this node saw its connections."""


def is_better(own: PeerId, peer: PeerId, new: Candidate, old: Candidate) -> bool:
    """Tell whether a new connection replaces an old one; both ends decide alike.

    The connection dialled by the smaller id stays; of two from the same side, the later one, since
    its sender would not have dialled if the earlier one still worked.
    """
    if new.is_inbound == old.is_inbound:
        return new.opened > old.opened
    return new.is_inbound == (peer < own)
