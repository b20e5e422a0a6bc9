"""A cluster under one virtual clock: the real core and engine, everything around them simulated."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from heapq import heappop, heappush
from random import Random

from chain.primitives.keys import Keypair, verify
from consensus.core.evidence import offender, proves
from consensus.core.height import Height
from consensus.core.messages import MESSAGE, ConsensusMessage, Proposal, Vote, Votes
from consensus.engine.actions import (
    Action,
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
from consensus.engine.config import EngineConfig, Timeouts
from consensus.engine.machine import Machine
from consensus.engine.ports import Accused, CannotPersist, Decided, Diverged, Report, Withheld
from consensus.engine.replay import LOGGED, replay
from consensus.engine.signer import Signer
from consensus.engine.write_ahead_log import WriteAheadLog, read_records
from tests.simulation.disk import PowerCut, SimulatedDisk
from tests.simulation.invariants import Broken, Watch
from tests.simulation.ledger import GENESIS, SimulatedLedger, is_body_of_header
from tests.simulation.network import SimulatedNetwork
from tests.simulation.scenario import Crash, Scenario, sort_of

TIMEOUTS = Timeouts(propose_ms=200, prevote_ms=60, precommit_ms=60, growth_ms=40, longest_ms=2000)
CONFIG = EngineConfig(
    genesis=GENESIS,
    timeouts=TIMEOUTS,
    block_interval_ms=60,
    rebroadcast_ms=120,
    fetch_ms=60,
    answer_gap_ms=10,
)
HEIGHTS_AFTER_CALM = 3
PATIENCE_MS = 20_000
"""After the last fault: long enough for a round that timed out at its longest, and a few more."""

quick_verify = lru_cache(maxsize=1 << 16)(verify)


Drops = Callable[[int, int, ConsensusMessage], bool]
"""Tells whether a message from one node to another is lost on purpose."""


class Node:
    """One process with its disk; comes and goes."""

    def __init__(self, index: int, keypair: Keypair | None, disk: SimulatedDisk) -> None:
        self.index = index
        self.keypair = keypair
        self.disk = disk
        self.ledger = SimulatedLedger()
        self.machine: Machine | None = None
        self.life = 0
        self.fired: dict[str, int] = {}

    @property
    def name(self) -> str:
        return f"node-{self.index}"

    def start(self) -> None:
        signer = None if self.keypair is None else Signer(self.keypair, self.disk)
        if signer is not None:
            signer.open()
        self.life += 1
        log = WriteAheadLog(self.disk)
        self.machine = Machine(CONFIG, log, signer, is_body_of_header, quick_verify)

    def stop(self) -> None:
        self.machine = None
        self.life += 1


class World:
    """Runs one scenario to its end; raises Broken."""

    def __init__(self, scenario: Scenario, drops: Drops | None = None) -> None:
        self.scenario = scenario
        self._drops = drops
        self.now_ms = 0
        self.random = Random(f"world {scenario.seed}")
        self.validators = lru_cache(maxsize=None)(scenario.validators)
        self.watch = Watch(self.validators)
        self.nodes = self._nodes()
        self.reports: dict[str, int] = {}
        self._network = SimulatedNetwork(scenario, self.random)
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._digest = blake2b(digest_size=16)
        self.events = 0
        self._first_polkas: dict[tuple[int, int], tuple[bytes, int]] = {}

    def run(self) -> str:
        """Give the hash of everything that happened."""
        for node in self.nodes:
            self._at(self.random.randint(0, 50), self._starter(node))
        for crash in self.scenario.crashes:
            self._at(crash.start_ms, lambda crash=crash: self._crash(crash))  # type: ignore[misc]
            self._at(crash.end_ms, self._starter(self.nodes[crash.node]))
        goal: int | None = None
        while goal is None or not self._reached(goal):
            self.now_ms, _, happen = heappop(self._queue)
            happen()
            if goal is None and self.now_ms >= self.scenario.calm_ms:
                goal = max(node.ledger.head().height for node in self.nodes) + HEIGHTS_AFTER_CALM
            if self.now_ms > self.scenario.calm_ms + PATIENCE_MS:
                raise Broken(f"no progress: {self._standing()}")
        return self._digest.hexdigest()

    def fired(self) -> dict[str, int]:
        """Count the lines of the paper that acted."""
        total: dict[str, int] = {}
        for node in self.nodes:
            self._collect(node)
            for line, count in node.fired.items():
                total[line] = total.get(line, 0) + count
        return total

    # Nodes.

    def _nodes(self) -> list[Node]:
        keys: list[Keypair | None] = list(self.scenario.keypairs())
        keys += [keys[twin] for twin in self.scenario.twins]
        keys += [None] * self.scenario.watchers
        return [
            Node(index, key, SimulatedDisk(Random(f"disk {self.scenario.seed} {index}")))
            for index, key in enumerate(keys)
        ]

    def _is_twin(self, node: Node) -> bool:
        size = len(self.scenario.powers)
        return node.index in self.scenario.twins or (
            size <= node.index < size + len(self.scenario.twins)
        )

    def _reached(self, goal: int) -> bool:
        return all(
            node.machine is not None and node.ledger.head().height >= goal for node in self.nodes
        )

    def _standing(self) -> str:
        return ", ".join(
            f"{node.index}: height {node.ledger.head().height} + "
            + (f"round {node.machine.height.round}" if node.machine and node.machine.height else "")
            for node in self.nodes
        )

    def _starter(self, node: Node) -> Callable[[], None]:
        def start() -> None:
            if node.machine is None:
                node.start()
                self._handle(node, self._head_of(node))

        return start

    def _crash(self, crash: Crash) -> None:
        node = self.nodes[crash.node]
        if node.machine is None:
            return
        if crash.kind == "power":
            node.disk.steps_left = self.random.randint(0, 30)
        elif crash.kind == "full":
            node.disk.is_full = True
        else:
            if not self._is_twin(node):
                self._check_replay(node)
            self._stop(node, power=False)

    def _stop(self, node: Node, *, power: bool) -> None:
        self._collect(node)
        node.stop()
        node.disk.cut_power() if power else node.disk.kill()
        back = max(self.scenario.calm_ms - self.now_ms, 1)
        self._at(min(self.random.randint(20, 400), back), self._starter(node))

    def _collect(self, node: Node) -> None:
        if node.machine is not None and node.machine.height is not None:
            self._collect_height(node, node.machine.height)

    def _collect_height(self, node: Node, height: Height) -> None:
        for line, count in height.fired.items():
            node.fired[line] = node.fired.get(line, 0) + count
        height.fired = {}

    def _check_replay(self, node: Node) -> None:
        """Check that the log leads back to where the node stands."""
        live = node.machine.height if node.machine else None
        if live is None:
            return
        records, _ = read_records(node.disk.read(f"height-{live.number:010}.log"))
        again = Height(live.number, live.validators, live.me)
        replay(again, (LOGGED.decode(each) for each in records))
        for name in (
            "round",
            "step_now",
            "locked_block",
            "locked_round",
            "valid_block",
            "valid_round",
            "decision",
            "proposals",
            "validity",
        ):
            if getattr(again, name) != getattr(live, name):
                raise Broken(f"node {node.index}: the log forgot {name}")

    # Events and actions.

    def _at(self, delay_ms: int, happen: Callable[[], None]) -> None:
        self._scheduled += 1
        heappush(self._queue, (self.now_ms + delay_ms, self._scheduled, happen))

    def _later(self, node: Node, delay_ms: int, event: Callable[[], Event]) -> None:
        life = node.life

        def happen() -> None:
            if node.life == life:
                self._handle(node, event())

        self._at(delay_ms, happen)

    def _handle(self, node: Node, event: Event) -> None:
        if node.machine is None:
            return
        self.events += 1
        self._note(node, type(event).__name__)
        before = node.machine.height
        self.watch.hears(node.index, node.life, node.machine.height, event)
        try:
            actions = node.machine.handle(event, self.now_ms)
        except PowerCut:
            self._stop(node, power=True)
            return
        except CannotPersist:
            self._stop(node, power=False)
            return
        if before is not None and node.machine.height is not before:
            self._collect_height(node, before)
        self.watch.stands(node.index, node.life, node.machine.height)
        if self.scenario.are_twins_stale and self._is_twin(node):
            self._grow_stale(node)
        for action in actions:
            self._perform(node, action)

    def _grow_stale(self, node: Node) -> None:
        """Let a faulty node cling to the first block that it saw a polka for."""
        height = node.machine.height if node.machine else None
        if height is not None and height.valid_block is not None:
            first = (height.valid_block, height.valid_round)
            first = self._first_polkas.setdefault((node.index, height.number), first)
            height.valid_block, height.valid_round = first

    def _note(self, node: Node, *words: object) -> None:
        self._digest.update(f"{self.now_ms} {node.index} {words}\n".encode())

    def _perform(self, node: Node, action: Action) -> None:
        match action:
            case Broadcast():
                self._broadcast(node, action.message)
            case Send():
                receiver = self.nodes[int(action.peer.removeprefix("node-"))]
                self._post(node, receiver, action.message)
            case SetTimer():
                self._later(node, action.delay_ms, lambda: Rang(action.alarm))
            case Penalise():
                raise Broken(f"node {node.index} blames {action.peer}: {action.reason}")
            case Tell():
                self._tell(node, action.report)
            case Build() | Check() | Commit():
                self._work(node, action)
            case LoadBlock():
                found = node.ledger.block(action.block_hash)
                self._later(node, 2, lambda: BlockLoaded(action.peer, found))
            case LoadCertificate():
                proof = node.ledger.certificate(action.height)
                self._later(node, 2, lambda: CertificateLoaded(action.peer, proof))

    def _broadcast(self, node: Node, message: ConsensusMessage) -> None:
        if isinstance(message, Proposal | Vote):
            self._digest.update(MESSAGE.encode(message))
            if node.keypair is not None:
                self.watch.sent(node.index, message, node.keypair.address)
        for receiver in self.nodes:
            if receiver is not node:
                self._post(node, receiver, message)

    def _post(self, node: Node, receiver: Node, message: ConsensusMessage) -> None:
        if self._is_twin(receiver) and receiver.keypair is not None:
            message = _without_votes_of(receiver.keypair.address, message)
        if self._drops is not None and self._drops(node.index, receiver.index, message):
            return
        for delay in self._network.arrivals(
            node.index, receiver.index, self.now_ms, sort_of(message)
        ):
            event = Received(node.name, message)
            self._later(receiver, delay, lambda event=event: event)  # type: ignore[misc]

    def _work(self, node: Node, action: Build | Check | Commit) -> None:
        busy = self.random.randint(1, 20)
        calm = self.now_ms >= self.scenario.calm_ms
        fails = not calm and self.random.random() < 0.05
        match action:
            case Build():
                self._later(node, busy, lambda: self._build(node, action, fails=fails))
            case Check():
                self._later(node, busy, lambda: self._check(node, action, fails=fails))
            case Commit():
                self._later(node, busy, lambda: self._commit(node, action, fails=fails))

    def _build(self, node: Node, action: Build, *, fails: bool) -> Event:
        if fails or node.ledger.head().height + 1 != action.height:
            return Built(action.height, action.round, None, "no time")
        bad = self.scenario.bad_builder == node.index and self.random.random() < 0.5
        label = f"{node.name} {action.height} {action.round} {self.random.random()}"
        return Built(action.height, action.round, node.ledger.build(label, valid=not bad))

    def _check(self, node: Node, action: Check, *, fails: bool) -> Event:
        valid = None if fails else node.ledger.check(action.block)
        return Checked(action.height, action.block.hash(), valid)

    def _commit(self, node: Node, action: Commit, *, fails: bool) -> Event:
        height = action.block.header.number
        if fails:
            return CommitFailed(height, "no time")
        block_hash = action.block.hash()
        self.watch.committed(node.index, height, block_hash, action.certificate)
        if node.ledger.check(action.block) is False:
            raise Broken(f"node {node.index} committed an invalid block at height {height}")
        node.ledger.commit(action.block, action.certificate)
        self._note(node, "final", height, block_hash.hex())
        return self._head_of(node)

    def _head_of(self, node: Node) -> HeadMoved:
        head = node.ledger.head()
        return HeadMoved(head, self.validators(head.height + 1))

    def _tell(self, node: Node, report: Report) -> None:
        name = type(report).__name__
        self.reports[name] = self.reports.get(name, 0) + 1
        if isinstance(report, Diverged):
            raise Broken(f"node {node.index} diverged at height {report.height}")
        if isinstance(report, Withheld) and not self._is_twin(node):
            raise Broken(f"node {node.index} forgot what it signed: {report}")
        if isinstance(report, Decided):
            self.reports["rounds"] = max(self.reports.get("rounds", 0), report.round)
        if isinstance(report, Accused):
            twins = [self.scenario.keypairs()[twin].address for twin in self.scenario.twins]
            if offender(report.evidence) not in twins:
                raise Broken(f"node {node.index} accuses an honest one: {report.evidence}")
            if not proves(report.evidence, GENESIS, self.validators(report.evidence.first.height)):
                raise Broken(f"node {node.index} accuses without proof: {report.evidence}")


def _without_votes_of(twin: bytes, message: ConsensusMessage) -> ConsensusMessage:
    """Hide from a twin what its other half says, so that it goes on contradicting it."""
    if isinstance(message, Votes):
        return Votes(tuple(vote for vote in message.votes if vote.validator != twin))
    if isinstance(message, Proposal | Vote) and message.validator == twin:
        return Votes(())
    return message
