"""The engine's shell: carries out what the machine wants, with trio's time and the node's ports."""

from collections import deque
from heapq import heappop, heappush

import trio

from chain.primitives.hashing import Hash32
from chain.primitives.keys import Keypair
from consensus.core.messages import ConsensusMessage
from consensus.engine.actions import (
    Action,
    Alarm,
    BlockLoaded,
    Broadcast,
    Build,
    Built,
    CertificateLoaded,
    Check,
    Checked,
    Commit,
    CommitFailed,
    Event,
    HeadMoved,
    LoadBlock,
    LoadCertificate,
    Penalise,
    Rang,
    Received,
    Send,
    SetTimer,
    Tell,
)
from consensus.engine.config import EngineConfig
from consensus.engine.machine import Machine
from consensus.engine.ports import CannotNow, Disk, Ledger, Peer, Reporter, Transport
from consensus.engine.signer import Signer
from consensus.engine.view import EngineView, view_of
from consensus.engine.write_ahead_log import WriteAheadLog

INBOX_MAX = 4096
"""Messages that wait; beyond them the newest is dropped: everything is said again."""

INBOX_PEER_MAX = 512
"""Of one peer, so that none can fill the inbox alone."""


class Engine:
    """Keeps a node in agreement with the others; without a key it only follows."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        ledger: Ledger,
        transport: Transport,
        disk: Disk,
        keypair: Keypair | None,
        report: Reporter,
    ) -> None:
        """Assign; nothing is read or sent before `run`."""
        self._ledger = ledger
        self._transport = transport
        self._report = report
        self._signer = None if keypair is None else Signer(keypair, disk)
        self._machine = Machine(config, WriteAheadLog(disk), self._signer, ledger.is_body_of_header)
        self._inbox: deque[Received] = deque()
        self._inbox_of: dict[Peer, int] = {}
        self._answers: deque[Event] = deque()
        self._timers: list[tuple[int, int, Alarm]] = []
        self._timers_set = 0
        self._head_moved = False
        self._wake = trio.Event()

    def receive(self, peer: Peer, message: ConsensusMessage) -> None:
        """Take a decoded message of a peer; never waits, drops what does not fit."""
        waiting = self._inbox_of.get(peer, 0)
        if len(self._inbox) < INBOX_MAX and waiting < INBOX_PEER_MAX:
            self._inbox_of[peer] = waiting + 1
            self._inbox.append(Received(peer, message))
            self._wake.set()

    def advance(self, height: int, block_hash: Hash32) -> None:
        """Note that somebody else moved the ledger's head; never waits."""
        head = self._machine.head
        if head is None or height > head.height:
            self._head_moved = True
            self._wake.set()

    def view(self) -> EngineView | None:
        """Give where the engine stands; None before it has read the head."""
        return view_of(self._machine)

    async def run(self) -> None:
        """Decide heights until cancelled.

        Raises CannotPersist, LogDamaged, SignerDamaged or what the ledger raised: the node must
        then stop.
        """
        if self._signer is not None:
            self._signer.open()
        async with trio.open_nursery() as nursery:
            await self._load_head()
            while True:
                await self._wait()
                if self._head_moved:
                    self._head_moved = False
                    nursery.start_soon(self._load_head)
                event = self._next_event()
                if event is not None:
                    for action in self._machine.handle(event, _now_ms()):
                        self._perform(action, nursery)

    async def _wait(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._answers or self._inbox or self._head_moved:
            return
        self._wake = trio.Event()
        due = self._timers[0][0] if self._timers else None
        with trio.move_on_after(float("inf") if due is None else max(due - _now_ms(), 0) / 1000):
            await self._wake.wait()

    def _next_event(self) -> Event | None:
        """Give what the ledger answered first, then timers that are due, then messages."""
        if self._answers:
            return self._answers.popleft()
        if self._timers and self._timers[0][0] <= _now_ms():
            return Rang(heappop(self._timers)[2])
        if not self._inbox:
            return None
        received = self._inbox.popleft()
        self._inbox_of[received.peer] -= 1
        if not self._inbox_of[received.peer]:
            del self._inbox_of[received.peer]
        return received

    def _perform(self, action: Action, nursery: trio.Nursery) -> None:
        match action:
            case Broadcast():
                self._transport.broadcast(action.message)
            case Send():
                self._transport.send(action.peer, action.message)
            case Penalise():
                self._transport.penalise(action.peer, action.points, action.reason)
            case SetTimer():
                self._timers_set += 1
                due = _now_ms() + action.delay_ms
                heappush(self._timers, (due, self._timers_set, action.alarm))
            case Tell():
                self._report(action.report)
            case Build():
                nursery.start_soon(self._build, action)
            case Check():
                nursery.start_soon(self._check, action)
            case Commit():
                nursery.start_soon(self._commit, action)
            case LoadBlock():
                nursery.start_soon(self._load_block, action)
            case LoadCertificate():
                nursery.start_soon(self._load_certificate, action)

    def _answer(self, event: Event) -> None:
        self._answers.append(event)
        self._wake.set()

    # Slow calls, each beside the loop.

    async def _load_head(self) -> None:
        head = self._ledger.head()
        self._answer(HeadMoved(head, await self._ledger.validators(head.height + 1)))

    async def _build(self, action: Build) -> None:
        try:
            block = await self._ledger.propose(action.height, action.round)
        except CannotNow as error:
            self._answer(Built(action.height, action.round, None, str(error)))
        else:
            self._answer(Built(action.height, action.round, block))

    async def _check(self, action: Check) -> None:
        block_hash = action.block.hash()
        try:
            valid = await self._ledger.check(action.block)
        except CannotNow as error:
            self._answer(Checked(action.height, block_hash, None, str(error)))
        else:
            self._answer(Checked(action.height, block_hash, valid))

    async def _commit(self, action: Commit) -> None:
        try:
            await self._ledger.commit(action.block, action.certificate)
        except CannotNow as error:
            self._answer(CommitFailed(action.block.header.number, str(error)))
        else:
            await self._load_head()

    async def _load_block(self, action: LoadBlock) -> None:
        self._answer(BlockLoaded(action.peer, await self._ledger.block(action.block_hash)))

    async def _load_certificate(self, action: LoadCertificate) -> None:
        certificate = await self._ledger.certificate(action.height)
        self._answer(CertificateLoaded(action.peer, certificate))


def _now_ms() -> int:
    return int(trio.current_time() * 1000)
