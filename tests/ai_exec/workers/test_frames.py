import socket
import time
from collections.abc import Iterator

import pytest

from ai_exec.workers.frames import (
    FRAME_BYTES_MAX,
    HEADER,
    BadFrame,
    Channel,
    ChannelClosed,
    ChannelTimeout,
    Kind,
)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


def test_frames_arrive_as_they_were_sent(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    Channel(theirs).send(Kind.RUN, b"root", b"", b"inputs")
    Channel(theirs).send(Kind.DONE)

    assert channel.receive() == (Kind.RUN, b"rootinputs")
    assert channel.receive(time.monotonic() + 1) == (Kind.DONE, b"")


def test_end_of_stream_in_the_middle_of_a_frame(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.sendall(HEADER.pack(100, Kind.DONE) + b"only this")
    theirs.close()

    with pytest.raises(ChannelClosed, match="end of stream"):
        channel.receive()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER.pack(FRAME_BYTES_MAX + 1, Kind.DONE), "1073741825 > 1073741824"),
        (HEADER.pack(1, 77), "kind 77"),
    ],
)
def test_bad_frames_are_refused(
    ends: tuple[Channel, socket.socket], header: bytes, reason: str
) -> None:
    channel, theirs = ends
    theirs.sendall(header)

    with pytest.raises(BadFrame, match=reason):
        channel.receive()


def test_waiting_ends_at_the_deadline(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.sendall(HEADER.pack(100, Kind.DONE) + b"slow")

    with pytest.raises(ChannelTimeout):
        channel.receive(time.monotonic() + 0.05)
    with pytest.raises(ChannelTimeout):
        channel.send(Kind.LOAD, bytes(10_000_000), deadline=time.monotonic() + 0.05)


def test_sending_to_a_process_that_is_gone(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.close()

    with pytest.raises(ChannelClosed):
        channel.send(Kind.LOAD, bytes(10))
