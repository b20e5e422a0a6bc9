"""Sees that the height has the blocks it waits for: fetched, executed, made final."""

from collections.abc import Sequence

from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from consensus.core.height import Height
from consensus.core.inputs import Decide
from consensus.core.messages import BlockRequest, Kind
from consensus.core.tally import ROUNDS_AHEAD_MAX, Quorum
from consensus.engine.actions import Action, Build, Check, Commit, FetchAlarm, Send, SetTimer
from consensus.engine.bodies import Bodies
from consensus.engine.ports import Peer


class Supply:
    """Blocks of the current height and what the ledger is doing with them.

    The ledger does one thing of a kind at a time.  `seek` asks for whatever is missing now; it may
    be called at any moment, and is called after every event.
    """

    def __init__(self, fetch_ms: int) -> None:
        self.bodies = Bodies()
        self._fetch_ms = fetch_ms
        self._executed: dict[Hash32, None] = {}
        self._postponed: dict[Hash32, None] = {}
        self._checking = False
        self._building = False
        self._build_next: int | None = None
        self._committing = False

    def begin_height(self) -> None:
        """Forget the blocks of the height before; what the ledger still does goes on."""
        self.bodies = Bodies()
        self._executed = {}
        self._postponed = {}
        self._build_next = None
        self._committing = False

    def seek(self, height: Height, peers: Sequence[Peer]) -> list[Action]:
        """Give what to ask of peers and ledger now."""
        if height.decision is not None:
            return self._finish(height, height.decision, peers)
        actions: list[Action] = []
        for block_hash in needed(height):
            block = self.bodies.get(block_hash)
            if block is not None and block_hash not in height.validity:
                actions += self._check(height, block_hash, block)
            elif block is None and not self.bodies.is_asked_for(block_hash):
                actions += self.ask(block_hash, peers)
        return actions

    def ask(self, block_hash: Hash32, peers: Sequence[Peer]) -> list[Action]:
        """Give the question to the next peer for a block."""
        actions: list[Action] = [SetTimer(FetchAlarm(block_hash), self._fetch_ms)]
        peer = self.bodies.next_to_ask(block_hash, peers)
        if peer is not None:
            actions.append(Send(peer, BlockRequest(block_hash)))
        return actions

    def build(self, height: Height, round_number: int) -> list[Action]:
        """Give the order to build, or keep it until the ledger is free."""
        if self._building:
            self._build_next = round_number
            return []
        self._building = True
        return [Build(height.number, round_number)]

    def built(self, height: Height) -> list[Action]:
        """Note that the ledger is free to build; gives the order that waited."""
        self._building = False
        waiting, self._build_next = self._build_next, None
        return self.build(height, waiting) if waiting == height.round else []

    def executed(self, block_hash: Hash32) -> None:
        """Note that the ledger keeps the outcome of a valid block."""
        self._executed[block_hash] = None

    def check_ended(self) -> None:
        """Note that the ledger is free to execute."""
        self._checking = False

    def postpone(self, block_hash: Hash32) -> None:
        """Note that a block cannot be executed now."""
        self._postponed[block_hash] = None

    def try_again(self) -> None:
        """Let everything that could not be done be tried once more."""
        self._postponed = {}

    def commit_failed(self) -> None:
        """Note that the decided block is not the head yet."""
        self._committing = False

    def _check(self, height: Height, block_hash: Hash32, block: Block) -> list[Action]:
        if self._checking or block_hash in self._postponed:
            return []
        self._checking = True
        return [Check(height.number, block)]

    def _finish(self, height: Height, decision: Decide, peers: Sequence[Peer]) -> list[Action]:
        block_hash = decision.block_hash
        if self._committing or block_hash in self._postponed:
            return []
        block = self.bodies.get(block_hash)
        if block is None:
            asked = self.bodies.is_asked_for(block_hash)
            return [] if asked else self.ask(block_hash, peers)
        if block_hash not in self._executed:
            return self._check(height, block_hash, block)
        certificate = height.tally.certificate(Kind.PRECOMMIT, decision.round, block_hash)
        assert certificate is not None
        self._committing = True
        return [Commit(block, certificate)]


def needed(height: Height) -> tuple[Hash32, ...]:
    """Give the blocks that the height waits for, the most urgent first."""
    wanted: dict[Hash32, None] = {}
    for quorum in height.tally.reached:
        final = isinstance(quorum, Quorum) and quorum.kind is Kind.PRECOMMIT
        polka = isinstance(quorum, Quorum) and quorum.round == height.round
        if isinstance(quorum, Quorum) and quorum.block_hash is not None and (final or polka):
            wanted[quorum.block_hash] = None
    for number in range(max(height.round, 0), height.round + ROUNDS_AHEAD_MAX + 1):
        if number in height.proposals:
            wanted[height.proposals[number].block_hash] = None
    if height.valid_block is not None:
        wanted[height.valid_block] = None
    return tuple(wanted)
