"""Addresses of nodes: their text form, and the book that survives restarts."""

import json
import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chain.network.peers import PeerId


class InvalidPeerAddress(ValueError):
    """The text is no node's address.  Write /ip4/<ip>/tcp/<port>/p2p/<id>."""


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where one node listens."""

    location: str
    """Such as /ip4/192.0.2.1/tcp/30333; dns4 and ip6 are fine too."""
    peer: PeerId

    @classmethod
    def parse(cls, text: str) -> "PeerAddress":
        """Read /ip4/<ip>/tcp/<port>/p2p/<id>; raises InvalidPeerAddress."""
        parts = text.split("/")
        if (
            len(parts) != 7
            or parts[0]
            or parts[1] not in ("ip4", "ip6", "dns4", "dns6")
            or (parts[3], parts[5]) != ("tcp", "p2p")
            or not (parts[4].isascii() and parts[4].isdigit() and 0 < int(parts[4]) < 65536)
            or not all((parts[2], parts[6].isascii(), parts[6].isalnum()))
        ):
            raise InvalidPeerAddress(f"{text!r}")
        return cls("/".join(parts[:5]), parts[6])

    def __str__(self) -> str:
        return f"{self.location}/p2p/{self.peer}"


ADDRESSES_MAX: Final = 256
"""Learned addresses that are kept, one a peer; enough for every validator."""

HEARSAY_MAX: Final = ADDRESSES_MAX // 2
"""A book this full takes no more hearsay: false addresses cannot crowd out good ones."""


@dataclass(slots=True)
class AddressBook:
    """Known addresses: configured ones stay for ever, learned ones while they are of use."""

    configured: dict[PeerId, PeerAddress]
    _learned: OrderedDict[PeerId, PeerAddress] = field(default_factory=OrderedDict)

    def learn(self, address: PeerAddress) -> bool:
        """Remember where a peer listens; tell whether that is new."""
        if address.peer in self.configured or self._learned.get(address.peer) == address:
            return False
        self._learned[address.peer] = address
        self._learned.move_to_end(address.peer)
        if len(self._learned) > ADDRESSES_MAX:
            self._learned.popitem(last=False)
        return True

    def hear(self, address: PeerAddress) -> bool:
        """Remember what somebody else said about a peer; never at the cost of better knowledge."""
        if self.address_of(address.peer) or len(self._learned) >= HEARSAY_MAX:
            return False
        self._learned[address.peer] = address
        self._learned.move_to_end(address.peer, last=False)
        return True

    def forget(self, peer: PeerId) -> bool:
        """Drop a learned address that has not worked for long; tell whether there was one."""
        return self._learned.pop(peer, None) is not None

    def address_of(self, peer: PeerId) -> PeerAddress | None:
        """Give where a peer listens, as far as is known."""
        return self.configured.get(peer) or self._learned.get(peer)

    @property
    def peers(self) -> tuple[PeerId, ...]:
        """Give every peer with a known address, configured ones first."""
        return (*self.configured, *self._learned)

    @property
    def learned(self) -> tuple[PeerAddress, ...]:
        """Give what is worth keeping on disk."""
        return tuple(self._learned.values())


def load_addresses(path: Path) -> tuple[PeerAddress, ...]:
    """Read a book's file; what is missing or unreadable counts as nothing."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(texts, list):
            return ()
        return tuple(PeerAddress.parse(text) for text in texts[:ADDRESSES_MAX])
    except (OSError, ValueError, TypeError, AttributeError):
        return ()


def save_addresses(path: Path, addresses: Iterable[PeerAddress]) -> None:
    """Write a book's file whole or not at all; raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps([str(each) for each in addresses], indent=1), encoding="utf-8")
    os.replace(beside, path)
