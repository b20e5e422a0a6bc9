"""Spreads transactions that the pool took to peers who lack them, and offers theirs to the pool."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from typing import Final

import trio

from chain.gossip.ports import FramePort
from chain.gossip.seen import Known, Recent
from chain.network import TRANSACTIONS, PeerId
from chain.primitives.codec import DecodeError, blob, sequence
from chain.primitives.extrinsic import EXTRINSIC_BYTES_MAX, extrinsic_hash

BATCH_MAX: Final = 4096
BATCH_BYTES_MAX: Final = 480 * 1024
"""Of one frame, with room below the channel's limit for lengths."""

SUBMITTED_AT_ONCE: Final = 64
"""Transactions offered to the pool together: worth a thread's start, soon over."""

INBOX_MAX: Final = 8192
"""Received transactions that wait for the pool; beyond them the newest is dropped."""

OUTBOX_MAX: Final = 16384
"""Taken transactions that wait to be spread; beyond them the oldest is left to the repetition."""

GATHER_S: Final = 0.02
"""How long transactions wait for company before they are sent."""

REPEAT_S: Final = 15.0
"""How often peers get what they still lack: queues and connections lose things."""

KNOWN_MAX: Final = 32768
SEEN_MAX: Final = 32768
SEEN_S: Final = 30.0
"""A transaction is not offered to the pool again within this time."""

POINTS_MALFORMED: Final = 100
POINTS_NEVER_VALID: Final = 20

_BATCH: Final = sequence(blob(EXTRINSIC_BYTES_MAX), BATCH_MAX)


class Verdict(Enum):
    """What the pool made of a transaction that a peer sent."""

    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    """Known already, no room, wrong nonce: may happen between honest nodes."""
    NEVER_VALID = "never valid"
    """Encoding or signature: no honest node's pool can have taken it."""


Submit = Callable[[Sequence[bytes]], Awaitable[Sequence[Verdict]]]


class TransactionGossip:
    """Both directions of transactions between this node's pool and its peers."""

    def __init__(
        self,
        network: FramePort,
        submit: Submit,
        pending: Callable[[], Iterable[bytes]],
    ) -> None:
        """`pending` gives what the pool holds."""
        self._network = network
        self._submit = submit
        self._pending = pending
        self._known: dict[PeerId, Known] = {}
        self._seen = Recent(SEEN_MAX, SEEN_S)
        self._inbox: deque[tuple[PeerId, bytes]] = deque()
        self._outbox: deque[bytes] = deque(maxlen=OUTBOX_MAX)
        self._newcomers: list[PeerId] = []
        self._received = trio.Event()
        self._taken = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        network.on_frame(TRANSACTIONS, self._receive)
        network.on_connected(self._meet)
        network.on_disconnected(self._part)

    def announce(self, encoded: bytes) -> None:
        """Spread a transaction that the pool took.  May be called from any thread."""
        self._outbox.append(encoded)
        if self._token is not None:
            self._token.run_sync_soon(self._note_taken)

    async def run(self) -> None:
        """Spread and offer until cancelled."""
        self._token = trio.lowlevel.current_trio_token()
        self._taken.set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._spread)
            nursery.start_soon(self._repeat)
            nursery.start_soon(self._offer)

    def _note_taken(self) -> None:
        self._taken.set()

    def _meet(self, peer: PeerId, hello: bytes) -> None:
        self._known[peer] = Known(KNOWN_MAX)
        self._newcomers.append(peer)
        self._taken.set()

    def _part(self, peer: PeerId) -> None:
        self._known.pop(peer, None)

    def _receive(self, peer: PeerId, frame: bytes) -> None:
        try:
            batch = _BATCH.decode(frame)
        except DecodeError as error:
            self._network.penalise(peer, POINTS_MALFORMED, f"transactions: {error}")
            return
        known, now = self._known.get(peer), trio.current_time()
        for encoded in batch:
            identity = extrinsic_hash(encoded)
            if known is not None:
                known.add(identity)
            if len(self._inbox) < INBOX_MAX and self._seen.add(identity, now):
                self._inbox.append((peer, encoded))
        self._received.set()

    async def _offer(self) -> None:
        while True:
            await self._received.wait()
            self._received = trio.Event()
            while self._inbox:
                count = min(SUBMITTED_AT_ONCE, len(self._inbox))
                offered = [self._inbox.popleft() for _ in range(count)]
                verdicts = await self._submit([encoded for _, encoded in offered])
                for (peer, encoded), verdict in zip(offered, verdicts, strict=True):
                    if verdict is Verdict.NEVER_VALID:
                        name = extrinsic_hash(encoded).hex()
                        reason = f"transaction 0x{name} can never be valid"
                        self._network.penalise(peer, POINTS_NEVER_VALID, reason)

    async def _spread(self) -> None:
        while True:
            await self._taken.wait()
            self._taken = trio.Event()
            await trio.sleep(GATHER_S)
            newcomers, self._newcomers = self._newcomers, []
            taken = [self._outbox.popleft() for _ in range(len(self._outbox))]
            self._send_lacking(taken, [each for each in self._known if each not in newcomers])
            if newcomers:
                self._send_lacking(self._pending(), newcomers)

    async def _repeat(self) -> None:
        while True:
            await trio.sleep(REPEAT_S)
            self._send_lacking(self._pending(), list(self._known))

    def _send_lacking(self, transactions: Iterable[bytes], peers: Sequence[PeerId]) -> None:
        """Send to each peer what it is not known to have, in frames as full as may be."""
        if not peers:
            return
        hashed = [(extrinsic_hash(encoded), encoded) for encoded in transactions]
        for peer in peers:
            known = self._known.get(peer)
            if known is None:
                continue
            lacking = [each for each in hashed if each[0] not in known]
            for batch in _batches(lacking):
                frame = _BATCH.encode(tuple(encoded for _, encoded in batch))
                if not self._network.send(peer, TRANSACTIONS, frame):
                    break
                for identity, _ in batch:
                    known.add(identity)


def _batches(
    transactions: Sequence[tuple[bytes, bytes]],
) -> Iterable[Sequence[tuple[bytes, bytes]]]:
    batch: list[tuple[bytes, bytes]] = []
    length = 0
    for each in transactions:
        more = len(each[1]) + 4
        if batch and (length + more > BATCH_BYTES_MAX or len(batch) == BATCH_MAX):
            yield batch
            batch, length = [], 0
        batch.append(each)
        length += more
    if batch:
        yield batch
