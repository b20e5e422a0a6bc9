"""One question, one answer: a stream of its own for each."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from chain.network.failures import RequestFailed, RequestRefused, StreamFailed
from chain.network.frames import framed
from chain.network.peers import PeerId
from chain.network.session import read_frame
from chain.network.transport import Link, Stream

REQUEST_BYTES_MAX: Final = 64 * 1024
RESPONSE_BYTES_MAX: Final = 2 * 1024 * 1024
REFUSAL_BYTES_MAX: Final = 256

REQUEST_READ_S: Final = 10.0
"""How long a peer may take to put its question."""

ANSWERED, REFUSED = b"\0", b"\1"
"""First byte of every answer."""

Handler = Callable[[PeerId, bytes], Awaitable[bytes]]


async def send_request(link: Link, protocol: str, payload: bytes, timeout_s: float) -> bytes:
    """Ask over a connection; raises RequestFailed, RequestRefused."""
    assert len(payload) <= REQUEST_BYTES_MAX, f"{len(payload)} bytes"
    stream: Stream | None = None
    is_done = False
    try:
        with trio.fail_after(timeout_s):
            stream = await link.open_stream(protocol)
            await stream.write(framed(payload))
            answer = await read_frame(stream, RESPONSE_BYTES_MAX + 1)
            await stream.close()
            is_done = True
    except trio.TooSlowError as error:
        raise RequestFailed(f"no answer in {timeout_s:g} s") from error
    except StreamFailed as error:
        raise RequestFailed(str(error)) from error
    finally:
        if stream is not None and not is_done:
            with trio.CancelScope(shield=True):
                await stream.reset()
    if answer[:1] == REFUSED:
        raise RequestRefused(answer[1 : 1 + REFUSAL_BYTES_MAX].decode(errors="replace"))
    if answer[:1] != ANSWERED:
        raise RequestFailed("neither an answer nor a refusal")
    return answer[1:]


async def answer_request(stream: Stream, handle: Callable[[bytes], Awaitable[bytes]]) -> None:
    """Read a question and answer it; raises StreamFailed."""
    try:
        with trio.fail_after(REQUEST_READ_S):
            payload = await read_frame(stream, REQUEST_BYTES_MAX)
    except trio.TooSlowError as error:
        raise StreamFailed("no question in time") from error
    try:
        answer = ANSWERED + await handle(payload)
    except RequestRefused as refusal:
        answer = REFUSED + str(refusal).encode()[:REFUSAL_BYTES_MAX]
    assert len(answer) <= RESPONSE_BYTES_MAX + 1, f"{len(answer)} bytes"
    await stream.write(framed(answer))
    await stream.close()
