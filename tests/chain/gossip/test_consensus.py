from typing import Any

import pytest

from chain.gossip.consensus import ConsensusGossip
from chain.network import BLOCKS, VOTES
from chain.primitives.block import Block, Header
from consensus.core.messages import MESSAGE, BlockBody, BlockRequest, Kind, Status, Vote

VOTE = Vote(Kind.PREVOTE, 7, 0, b"\1" * 32, None, b"\2" * 32, b"\3" * 64)
BODY = BlockBody(Block(Header(bytes(32), 1, bytes(32), bytes(32), ()), (), ()))
STATUS = Status(7, 0, None, False, b"", b"")


def test_messages_leave_on_their_channel(fake_network: Any) -> None:
    network = fake_network("one", "two")
    gossip = ConsensusGossip(network)
    gossip.broadcast(VOTE)
    gossip.send("two", BODY)
    gossip.send("nobody", VOTE)
    assert network.sent == [
        ("one", VOTES, MESSAGE.encode(VOTE)),
        ("two", VOTES, MESSAGE.encode(VOTE)),
        ("two", BLOCKS, MESSAGE.encode(BODY)),
    ]
    assert gossip.peers() == ("one", "two")


def test_messages_arrive_as_they_were(fake_network: Any) -> None:
    network, received = fake_network("one"), []
    ConsensusGossip(network).deliver_to(lambda peer, message: received.append((peer, message)))
    for message in (VOTE, STATUS, BlockRequest(bytes(32))):
        network.callbacks[VOTES]("one", MESSAGE.encode(message))
    network.callbacks[BLOCKS]("one", MESSAGE.encode(BODY))
    assert received == [("one", each) for each in (VOTE, STATUS, BlockRequest(bytes(32)), BODY)]
    assert network.faults == []


@pytest.mark.parametrize(
    ("channel", "frame", "reason"),
    [
        (VOTES, b"\xff", "consensus message: ConsensusMessage: no case 255"),
        (VOTES, MESSAGE.encode(VOTE) + b"x", "consensus message: 1 bytes too many"),
        (VOTES, MESSAGE.encode(BODY), "BlockBody among votes"),
        (BLOCKS, MESSAGE.encode(VOTE), "Vote among blocks"),
    ],
)
def test_what_is_no_message_there_is_a_ban_and_reaches_nobody(
    fake_network: Any, channel: Any, frame: bytes, reason: str
) -> None:
    network, received = fake_network("one"), []
    ConsensusGossip(network).deliver_to(lambda peer, message: received.append(message))
    network.callbacks[channel]("one", frame)
    assert network.faults == [("one", 100, reason)]
    assert received == []


def test_the_largest_block_fits_into_a_frame() -> None:
    assert len(MESSAGE.encode(BODY)) + 1024 * 1024 + 8192 * 32 < BLOCKS.frame_bytes_max
