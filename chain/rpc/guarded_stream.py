"""A client's TCP stream with patience that ends: for slow readers and after a refused message."""

from collections.abc import Callable
from typing import Any, Final

import trio

_READ_BYTES_MAX: Final = 16 * 1024
"""Of one read: what an inflated WebSocket frame of this many bytes can grow to stays bounded."""

_CLOSE_FRAME: Final = 0x88
_HTTP2_PREFACE: Final = b"PRI * HTTP/2"


class GuardedStream:
    """What hypercorn reads from and writes to; no write waits longer than the limit."""

    def __init__(
        self, stream: trio.SocketStream, send_timeout_s: float, on_end: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._on_end = on_end
        self._is_upgraded = False
        self._is_closing = False

    @property
    def socket(self) -> Any:
        """Give the socket, for its addresses."""
        return self._stream.socket

    async def receive_some(self, bytes_max: int) -> bytes:
        """Give bytes; none once we have sent a WebSocket close, whatever the client still says."""
        data = b""
        if not self._is_closing:
            data = bytes(await self._stream.receive_some(min(bytes_max, _READ_BYTES_MAX)))
        if not self._is_upgraded and data.startswith(_HTTP2_PREFACE):
            data = b""
        if not data:
            self._on_end()
        return data

    async def send_all(self, data: bytes) -> None:
        """Write; a client that does not read in time is cut off."""
        if self._is_upgraded and data[:1] and data[0] == _CLOSE_FRAME:
            self._is_closing = True
        if data.startswith(b"HTTP/1.1 101"):
            self._is_upgraded = True
        try:
            with trio.fail_after(self._send_timeout_s):
                await self._stream.send_all(data)
        except trio.TooSlowError:
            with trio.CancelScope(shield=True, deadline=trio.current_time()):
                await self._stream.aclose()
            raise trio.BrokenResourceError("the client reads too slowly") from None

    async def send_eof(self) -> None:
        """Say that nothing more comes."""
        await self._stream.send_eof()

    def abort(self) -> None:
        """Close at once, so that a write that waits ends too."""
        self._stream.socket.close()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()
