"""What one client may cost the node: every bound of the RPC server, in one place."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """Bounds on clients; whoever goes beyond one gets an error or loses the connection."""

    message_bytes_max: int = 2 * MIB
    """Longest request, as body or as WebSocket message, in bytes: a chunk or a transaction is less
    than a quarter of it, and every connection may hold one in memory."""

    values_max: int = 100_000
    """Most JSON values in one request; parsed values take far more memory than their text."""

    depth_max: int = 64
    """Deepest nesting of JSON arrays and objects."""

    batch_max: int = 100
    """Most calls in one batch."""

    connections_max: int = 256
    """Most open connections; one more is closed at once."""

    subscriptions_max: int = 64
    """Most subscriptions of one connection."""

    concurrency_max: int = 16
    """Calls of one connection that run at the same time; further ones wait."""

    threads: int = 1
    """Calls of all connections that are computed at the same time; more would take the interpreter
    from blocks and votes."""

    outbox_bytes_max: int = 32 * MIB
    """Bytes that wait for one reader; beyond it the reader is too slow and is dropped."""

    outbox_messages_max: int = 4096
    """Messages that wait for one reader; beyond it the reader is too slow and is dropped."""

    request_timeout_s: float = 60.0
    """Seconds one call may take."""

    read_timeout_s: float = 30.0
    """Seconds in which a request body has to arrive."""

    send_timeout_s: float = 20.0
    """Seconds in which a client has to take what is written to it."""

    idle_timeout_s: float = 20.0
    """Seconds a connection may stay open without a request (WebSockets excepted)."""
