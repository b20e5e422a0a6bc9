"""One connection with one peer, from the first hello to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import trio

from chain.network.channels import CHANNELS, VOTES, Channel, SendQueue
from chain.network.failures import StreamFailed
from chain.network.frames import PING, FrameCutter, FrameTooLong, framed
from chain.network.peers import Candidate
from chain.network.transport import READ_BYTES, Link, Stream
from chain.primitives.codec import blob, record, sequence, text

HELLO_BYTES_MAX: Final = 4096
GREETING_BYTES_MAX: Final = 8192


@dataclass(frozen=True, slots=True)
class Greeting:
    """What both ends say first; the dialling one begins."""

    hello: Annotated[bytes, blob(HELLO_BYTES_MAX)]
    """Which chain, as the node above describes it."""
    listens_on: Annotated[tuple[str, ...], sequence(text(256), 4)]
    """Addresses without id, such as /ip4/0.0.0.0/tcp/30333 (0.0.0.0: where I came from)."""


GREETING: Final = record(Greeting)


def protocol_of(name: str) -> str:
    """Give the name under which a protocol is negotiated."""
    return f"/noema/{name}/1"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection may be quiet or unfinished, in seconds."""

    hello_s: float = 5.0
    ping_s: float = 2.0
    silence_s: float = 8.0
    """A peer from which nothing came for so long is disconnected."""


async def read_frame(stream: Stream, frame_bytes_max: int) -> bytes:
    """Read the one frame of a stream; raises StreamFailed."""
    cutter = FrameCutter(frame_bytes_max)
    while True:
        try:
            payloads = cutter.feed(await stream.read(READ_BYTES))
        except FrameTooLong as error:
            raise StreamFailed(str(error)) from error
        if payloads:
            if len(payloads) > 1 or not cutter.is_between_frames:
                raise StreamFailed("more than one frame")
            return payloads[0]


class Session:
    """State of one connection, its queues, and the tasks that empty them."""

    def __init__(self, link: Link, opened: int, patience: Patience) -> None:
        self.link = link
        self.peer = link.peer
        self.candidate = Candidate(link.is_inbound, opened)
        self.greeted = trio.Event()
        """Set when the greeting of a peer that dialled us is there, or never will be."""
        self.greeting = b""
        self.accepted = trio.Event()
        """Set when both ends know each other; nothing is read before."""
        self.over = trio.Event()
        self.why_over = ""
        self.serving = 0
        """Requests of the peer that are being answered."""
        self.heard_at = trio.current_time()
        self._patience = patience
        self._queues = {channel: SendQueue(channel) for channel in CHANNELS}
        self._reading: list[Channel] = []

    def send(self, channel: Channel, frame: bytes) -> bool:
        """Queue a frame, length in front; False if the queue refused it."""
        return self._queues[channel].put(frame)

    def end(self, why: str) -> None:
        """Let the connection end; the first reason is kept."""
        if not self.over.is_set():
            self.why_over = why
            self.over.set()
            self.greeted.set()

    def heard(self) -> None:
        """Note that the peer lives."""
        self.heard_at = trio.current_time()

    async def exchange_greetings(self, ours: bytes, protocol: str) -> bytes:
        """Say hello if we dialled, wait for it if we did not; raises StreamFailed."""
        try:
            with trio.fail_after(self._patience.hello_s):
                if self.link.is_inbound:
                    await self.greeted.wait()
                    if self.over.is_set():
                        raise StreamFailed(self.why_over)
                    return self.greeting
                stream = await self.link.open_stream(protocol)
                await stream.write(framed(ours))
                greeting = await read_frame(stream, GREETING_BYTES_MAX)
                await stream.close()
                return greeting
        except trio.TooSlowError as error:
            raise StreamFailed("no hello in time") from error

    async def answer_greeting(self, stream: Stream, ours: bytes) -> None:
        """Take the greeting of a peer that dialled us, and give ours; raises StreamFailed."""
        if not self.link.is_inbound or self.greeting:
            raise StreamFailed("a hello out of turn")
        with trio.move_on_after(self._patience.hello_s):
            self.greeting = await read_frame(stream, GREETING_BYTES_MAX)
            await stream.write(framed(ours))
            await stream.close()
            self.greeted.set()

    async def serve_channels(self) -> None:
        """Write what is queued until the session is over."""
        async with trio.open_nursery() as nursery:
            for channel in CHANNELS:
                nursery.start_soon(self._write_channel, channel)
            nursery.start_soon(self._watch_silence)
            await self.over.wait()
            # Ended first: a writer may be inside a write that only this wakes.
            await self.link.abort()
            nursery.cancel_scope.cancel()

    async def read_channel(
        self, channel: Channel, stream: Stream, deliver: Callable[[bytes], None]
    ) -> None:
        """Hand over what the peer sends on one channel; raises FrameTooLong, StreamFailed."""
        if channel in self._reading:
            raise StreamFailed(f"a second stream for {channel.name}")
        self._reading.append(channel)
        cutter = FrameCutter(channel.frame_bytes_max)
        while True:
            received = await stream.read(READ_BYTES)
            self.heard()
            for payload in cutter.feed(received):
                if payload:
                    deliver(payload)

    async def _write_channel(self, channel: Channel) -> None:
        queue = self._queues[channel]
        pause_s = self._patience.ping_s if channel is VOTES else float("inf")
        try:
            stream = await self.link.open_stream(protocol_of(channel.name))
            while True:
                chunk = PING
                with trio.move_on_after(pause_s):
                    chunk = await queue.take()
                await stream.write(chunk)
        except StreamFailed as error:
            self.end(f"cannot write to {channel.name}: {error}")

    async def _watch_silence(self) -> None:
        limit_s = self._patience.silence_s
        while not self.over.is_set():
            quiet_s = trio.current_time() - self.heard_at
            if quiet_s >= limit_s:
                self.end(f"silent for {limit_s:g} s")
            await trio.sleep(max(0.0, limit_s - quiet_s))
