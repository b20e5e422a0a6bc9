"""Frames on a stream: four bytes of length, then the payload; empty frames say "still here"."""

from typing import Final

LENGTH_BYTES: Final = 4
"""Little-endian length in front of every payload."""


class FrameTooLong(Exception):
    """A frame is longer than its channel allows.  Send it in parts, or not at all."""


def framed(payload: bytes) -> bytes:
    """Give the bytes that carry one payload."""
    return len(payload).to_bytes(LENGTH_BYTES, "little") + payload


PING: Final = framed(b"")
"""Keeps a quiet connection alive."""


class FrameCutter:
    """Cuts incoming bytes into payloads; holds at most one unfinished frame."""

    def __init__(self, frame_bytes_max: int) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Give the payloads that are complete now; raises FrameTooLong before it buffers one."""
        buffer = self._buffer
        buffer += received
        payloads = []
        at = 0
        while len(buffer) - at >= LENGTH_BYTES:
            length = int.from_bytes(buffer[at : at + LENGTH_BYTES], "little")
            if length > self._frame_bytes_max:
                raise FrameTooLong(f"{length} bytes announced, {self._frame_bytes_max} allowed")
            end = at + LENGTH_BYTES + length
            if end > len(buffer):
                break
            payloads.append(bytes(buffer[at + LENGTH_BYTES : end]))
            at = end
        del buffer[:at]
        return payloads

    @property
    def is_between_frames(self) -> bool:
        """Tell whether nothing is half received."""
        return not self._buffer
