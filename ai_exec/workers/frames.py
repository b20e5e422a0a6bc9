"""Frames between the pool and its worker processes: length, kind, payload over a local socket."""

import socket
import struct
import time
from enum import IntEnum
from typing import Final

HEADER: Final = struct.Struct("<IB")
"""Length of the payload in bytes, then its kind."""

FRAME_BYTES_MAX: Final = 1 << 30
"""Longer frames are a sign of a broken peer; a model or an input is far shorter."""

_CHUNK_BYTES: Final = 1 << 20


class Kind(IntEnum):
    """What a frame says."""

    READY = 0
    """Child: imports are done; send requests."""
    LOAD = 1
    """Parent: root (32 bytes) and the model's bytes, to keep; has no answer."""
    FORGET = 2
    """Parent: drop the model of this root (32 bytes); has no answer."""
    ADMIT = 3
    """Parent: judge the model of this root (32 bytes) with these bounds (encoded)."""
    RUN = 4
    """Parent: engine (1 byte), root (32 bytes), encoded bounds and encoded inputs."""
    DONE = 5
    """Child: the answer's bytes."""
    FAILED = 6
    """Child: this process could not do it; the payload is a sentence in UTF-8."""


class ChannelClosed(Exception):
    """The other process is gone.  Start another one."""


class ChannelTimeout(Exception):
    """The other process did not answer in time.  Kill it and start another one."""


class BadFrame(Exception):
    """A frame is longer than any request needs, or of no known kind.  Close the channel."""


class Channel:
    """One end of a stream of frames; not for use by two threads at once."""

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint

    def send(self, kind: Kind, *parts: bytes, deadline: float | None = None) -> None:
        """Send one frame; `deadline` is a moment of `time.monotonic`, None waits forever."""
        length = sum(map(len, parts))
        if length > FRAME_BYTES_MAX:
            raise BadFrame(f"{length} > {FRAME_BYTES_MAX}")
        self._await(deadline)
        try:
            self._socket.sendall(b"".join((HEADER.pack(length, kind), *parts)))
        except TimeoutError as error:
            raise ChannelTimeout("sending") from error
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self, deadline: float | None = None) -> tuple[Kind, bytes]:
        """Wait for one frame; `deadline` as in `send`."""
        length, kind = HEADER.unpack(self._exactly(HEADER.size, deadline))
        if length > FRAME_BYTES_MAX:
            raise BadFrame(f"{length} > {FRAME_BYTES_MAX}")
        if kind not in Kind.__members__.values():
            raise BadFrame(f"kind {kind}")
        return Kind(kind), self._exactly(length, deadline)

    def close(self) -> None:
        """Hang up; the other end reads the end of the stream."""
        self._socket.close()

    def _exactly(self, length: int, deadline: float | None) -> bytes:
        pieces = bytearray()
        while len(pieces) < length:
            self._await(deadline)
            try:
                piece = self._socket.recv(min(length - len(pieces), _CHUNK_BYTES))
            except TimeoutError as error:
                raise ChannelTimeout("receiving") from error
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not piece:
                raise ChannelClosed("end of stream")
            pieces += piece
        return bytes(pieces)

    def _await(self, deadline: float | None) -> None:
        if deadline is None:
            self._socket.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelTimeout("no time left")
        try:
            self._socket.settimeout(left)
        except OSError as error:
            raise ChannelClosed(str(error)) from error
