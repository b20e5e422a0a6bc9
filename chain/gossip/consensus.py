"""Carries the messages of the consensus engine; what is no message costs its sender a ban."""

from collections.abc import Callable
from functools import partial
from typing import Final

from chain.gossip.ports import FramePort
from chain.network import BLOCKS, VOTES, Channel, PeerId
from chain.primitives.codec import DecodeError
from consensus.core.messages import MESSAGE, ConsensusMessage, is_for_block_channel

POINTS_MALFORMED: Final = 100
"""No honest node sends bytes that are no message, or a message on the wrong channel."""

Receive = Callable[[PeerId, ConsensusMessage], None]


class ConsensusGossip:
    """The engine's transport: sends without waiting, drops what does not fit."""

    def __init__(self, network: FramePort) -> None:
        self._network = network

    def deliver_to(self, receive: Receive) -> None:
        """Hand every well-formed message to the engine; once, before the network runs."""
        for channel in (VOTES, BLOCKS):
            self._network.on_frame(channel, partial(self._decode, channel, receive))

    def broadcast(self, message: ConsensusMessage) -> None:
        """Send to every connected peer."""
        self._network.broadcast(_channel_of(message), MESSAGE.encode(message))

    def send(self, peer: PeerId, message: ConsensusMessage) -> None:
        """Send to one peer, if it is connected."""
        self._network.send(peer, _channel_of(message), MESSAGE.encode(message))

    def peers(self) -> tuple[PeerId, ...]:
        """Give the connected peers."""
        return self._network.peers()

    def penalise(self, peer: PeerId, points: int, reason: str) -> None:
        """Hold a broken rule against a peer; at 100 points it is dropped for a while."""
        self._network.penalise(peer, points, reason)

    def _decode(self, channel: Channel, receive: Receive, peer: PeerId, frame: bytes) -> None:
        try:
            message = MESSAGE.decode(frame)
        except DecodeError as error:
            self._network.penalise(peer, POINTS_MALFORMED, f"consensus message: {error}")
            return
        if _channel_of(message) is not channel:
            kind = type(message).__name__
            self._network.penalise(peer, POINTS_MALFORMED, f"{kind} among {channel.name}")
            return
        receive(peer, message)


def _channel_of(message: ConsensusMessage) -> Channel:
    return BLOCKS if is_for_block_channel(message) else VOTES
