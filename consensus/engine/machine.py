"""The engine without time, threads or sockets: events in, actions out.

Verified in, unsigned out: signatures are checked before the rules of the height see a message, and
made after the rules ask for one.  An input is logged before it takes effect; the log is on disk
before anything is signed; the signer's record is on disk before anything is sent.
"""

from collections import deque
from collections.abc import Callable

from chain.primitives.block import Block
from chain.primitives.hashing import Hash32
from chain.primitives.keys import verify as verify_ed25519
from consensus.core.certificate import InvalidCertificate, Verify, check_certificate
from consensus.core.height import NONE, Height
from consensus.core.inputs import (
    Accuse,
    Begin,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    Effect,
    Input,
    RoundBegan,
    SendProposal,
    SendVote,
    StartTimeout,
    TimedOut,
)
from consensus.core.messages import (
    BlockBody,
    BlockRequest,
    Certificate,
    CertificateMessage,
    ConsensusMessage,
    Kind,
    Proposal,
    Status,
    Vote,
    Votes,
    signed_bytes,
)
from consensus.core.tally import ROUNDS_AHEAD_MAX
from consensus.engine import exchange
from consensus.engine.actions import (
    Action,
    BeginAlarm,
    BlockLoaded,
    Broadcast,
    Built,
    CertificateLoaded,
    Checked,
    CommitFailed,
    Event,
    FetchAlarm,
    HeadMoved,
    LoadBlock,
    LoadCertificate,
    Penalise,
    Rang,
    RebroadcastAlarm,
    Received,
    Send,
    SetTimer,
    StepAlarm,
    Tell,
)
from consensus.engine.config import EngineConfig
from consensus.engine.peers import Peers
from consensus.engine.ports import (
    Accused,
    CouldNot,
    Decided,
    Diverged,
    Head,
    Peer,
    RoundStarted,
    Withheld,
)
from consensus.engine.replay import LOGGED, Logged, LoggedBlock, LoggedInput, replay
from consensus.engine.signer import Signer, SigningRefused
from consensus.engine.supply import Supply, needed
from consensus.engine.voice import Voice
from consensus.engine.write_ahead_log import WriteAheadLog


class Machine:
    """Decides one height after the other; every call of `handle` is one event."""

    def __init__(
        self,
        config: EngineConfig,
        log: WriteAheadLog,
        signer: Signer | None,
        is_body_of_header: Callable[[Block], bool],
        verify: Verify = verify_ed25519,
    ) -> None:
        """Wait for the first HeadMoved; without a signer only watch."""
        self.head: Head | None = None
        self.height: Height | None = None
        self.is_halted = False
        self._config = config
        self._log = log
        self._me = None if signer is None else signer.address
        self._voice = None if signer is None else Voice(config.genesis, signer)
        self._is_body_of_header = is_body_of_header
        self._verify = verify
        self._supply = Supply(config.fetch_ms)
        self._peers = Peers()
        self._now_ms = 0
        self._begun_ms: int | None = None
        self._guide: Peer | None = None
        self._actions: list[Action] = []

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take one event to its conclusion; raises CannotPersist or LogDamaged, both fatal."""
        self._now_ms = now_ms
        if isinstance(event, HeadMoved):
            self._move_head(event)
        elif self.height is not None:
            self._dispatch(event, self.height)
        if self.height is not None:
            self._halt_if_diverged(self.height)
        if self.height is not None and not self.is_halted:
            self._actions += self._supply.seek(self.height, self._peers.names())
        actions, self._actions = self._actions, []
        return actions

    def _dispatch(self, event: Event, height: Height) -> None:
        match event:
            case Received():
                self._peers.heard(event.peer)
                self._receive(event.peer, event.message, height)
            case Built():
                self._take_built(event, height)
            case Checked():
                self._take_checked(event, height)
            case CommitFailed():
                self._could_not(event.height, "commit", event.reason)
                if height.decision is not None:
                    self._supply.postpone(height.decision.block_hash)
                    self._supply.commit_failed()
            case BlockLoaded():
                self._peers.end_load(event.peer)
                if event.block is not None:
                    self._send(event.peer, BlockBody(event.block))
            case CertificateLoaded():
                self._peers.end_load(event.peer)
                if event.certificate is not None:
                    self._send(event.peer, CertificateMessage(event.certificate))
            case Rang():
                self._ring(event, height)

    # Heights.

    def _move_head(self, event: HeadMoved) -> None:
        first = self.head is None
        if self.head is not None and event.head.height <= self.head.height:
            return
        before, guide, self._guide = self.height, self._guide, None
        self.head = event.head
        self.is_halted = False
        height = Height(event.head.height + 1, event.validators, self._me)
        self.height = height
        self._supply.begin_height()
        self._report_decision(before)
        if first:
            self._actions.append(SetTimer(RebroadcastAlarm(), self._config.rebroadcast_ms))
        self._resume(height)
        if guide is not None:
            self._send(guide, exchange.status_of(height))
        for peer, message in self._peers.take_early():
            self._receive(peer, message, height)

    def _report_decision(self, before: Height | None) -> None:
        if before is not None and before.decision is not None:
            decision = before.decision
            self._tell(Decided(before.number, decision.round, decision.block_hash))

    def _resume(self, height: Height) -> None:
        """Bring the height to where its log left it, and let it begin in time."""
        records = (LOGGED.decode(each) for each in self._log.begin(height.number))
        replayed = replay(height, records)
        for block in replayed.blocks:
            self._supply.bodies.keep(block, needed(height))
        if self._voice is not None:
            self._voice.forget()
            for message in replayed.own:
                self._voice.remember(message)
        if height.round == NONE:
            begun = self._now_ms if self._begun_ms is None else self._begun_ms
            due = max(begun + self._config.block_interval_ms - self._now_ms, 0)
            wait = 0 if self._begun_ms is None else due
            self._actions.append(SetTimer(BeginAlarm(height.number), wait))
        self._begun_ms = self._now_ms
        self._carry_out(replayed.pending, height)

    def _begin(self, height: Height) -> None:
        if height.round == NONE:
            self._begun_ms = self._now_ms
            self._input(Begin(), height)

    # The rules of the height, and what they want done.

    def _input(self, event: Input, height: Height) -> None:
        self._keep(LoggedInput(event))
        self._carry_out(height.step(event), height)
        if height.round == NONE and height.tally.latest_present() > NONE:
            self._begin(height)

    def _keep(self, logged: Logged) -> None:
        self._log.append(LOGGED.encode(logged))

    def _carry_out(self, effects: list[Effect], height: Height) -> None:
        queue = deque(effects)
        while queue:
            effect = queue.popleft()
            match effect:
                case SendProposal() | SendVote():
                    queue.extend(self._say(effect, height))
                case StartTimeout():
                    alarm = StepAlarm(height.number, effect.round, effect.step)
                    delay = self._config.timeouts.of(effect.step, effect.round)
                    self._actions.append(SetTimer(alarm, delay))
                case BuildBlock():
                    self._actions += self._supply.build(height, effect.round)
                case RoundBegan():
                    who = height.proposer(effect.round)
                    self._tell(RoundStarted(height.number, effect.round, who))
                case Accuse():
                    self._tell(Accused(effect.evidence))

    def _say(self, effect: SendProposal | SendVote, height: Height) -> list[Effect]:
        """Sign, log and send; gives what the rules make of our own message."""
        if self._voice is None or self.is_halted:
            return []
        self._log.sync()
        try:
            if isinstance(effect, SendProposal):
                message: Proposal | Vote = self._voice.propose(effect, height)
            else:
                message = self._voice.vote(effect, height)
        except SigningRefused as error:
            self._tell(Withheld(height.number, effect.round, str(error)))
            return []
        self._keep(LoggedInput(message))
        self._actions += [Broadcast(each) for each in exchange.with_proof(height, message)]
        return height.step(message)

    # Messages.

    def _receive(self, peer: Peer, message: ConsensusMessage, height: Height) -> None:
        match message:
            case Proposal() | Vote():
                self._receive_signed(peer, message, height)
            case Votes():
                for vote in message.votes:
                    if not self._receive_signed(peer, vote, height):
                        break
            case CertificateMessage():
                self._receive_certificate(peer, message.certificate, height)
            case Status():
                self._answer(peer, message, height)
            case BlockRequest():
                self._serve(peer, message.block_hash)
            case BlockBody():
                self._receive_body(peer, message.block, height)

    def _receive_signed(self, peer: Peer, message: Proposal | Vote, height: Height) -> bool:
        """Take a signed message in; gives False if it is held against its sender."""
        if message.height == height.number + 1:
            self._peers.keep_early(peer, message)
        if message.height != height.number or height.decision is not None:
            return True
        if not height.is_news(message) or _is_too_far(message, height):
            return True
        fault = self._fault(message, height)
        if fault is not None:
            self._actions.append(Penalise(peer, *fault))
            return False
        if isinstance(message, Proposal):
            self._supply.bodies.note_source(message.block_hash, peer)
            self._begin(height)
        self._input(message, height)
        return True

    def _fault(self, message: Proposal | Vote, height: Height) -> tuple[int, str] | None:
        """Give the points and the reason for which a peer's message is held against it."""
        if message.validator not in height.validators:
            return 5, "a message by somebody who is no validator"
        if isinstance(message, Vote):
            if message.kind is Kind.PRECOMMIT and message.valid_round is not None:
                return 50, "a precommit with a valid round"
        elif height.objection(message):
            return 5, height.objection(message)
        words = signed_bytes(self._config.genesis, message)
        if not self._verify(message.validator, words, message.signature):
            return 100, "a wrong signature"
        return None

    def _receive_certificate(self, peer: Peer, certificate: Certificate, height: Height) -> None:
        if certificate.height == height.number + 1:
            self._peers.keep_early(peer, CertificateMessage(certificate))
        if certificate.height != height.number or height.decision is not None:
            return
        if not height.is_news(certificate):
            return
        try:
            check_certificate(certificate, self._config.genesis, height.validators, self._verify)
        except InvalidCertificate as error:
            self._actions.append(Penalise(peer, 100, f"a certificate: {error}"))
            return
        if certificate.is_commit:
            self._guide = peer
        if certificate.block_hash is not None:
            self._supply.bodies.note_source(certificate.block_hash, peer)
        self._input(certificate, height)

    def _answer(self, peer: Peer, status: Status, height: Height) -> None:
        if not self._peers.may_answer(peer, self._now_ms, self._config.answer_gap_ms):
            return
        if status.height == height.number:
            for message in exchange.answer(height, status):
                self._send(peer, message)
        elif status.height > height.number:
            self._send(peer, exchange.status_of(height))
        elif status.height > 0 and self._peers.start_load(peer):
            self._actions.append(LoadCertificate(peer, status.height))

    def _serve(self, peer: Peer, block_hash: Hash32) -> None:
        block = self._supply.bodies.get(block_hash)
        if block is not None:
            self._send(peer, BlockBody(block))
        elif self._peers.start_load(peer):
            self._actions.append(LoadBlock(peer, block_hash))

    def _receive_body(self, peer: Peer, block: Block, height: Height) -> None:
        block_hash = block.hash()
        if not self._supply.bodies.is_asked_for(block_hash):
            return
        if not self._is_body_of_header(block):
            self._actions.append(Penalise(peer, 50, "a block with the wrong transactions"))
            self._actions += self._supply.ask(block_hash, self._peers.names())
            return
        self._supply.bodies.keep(block, needed(height))

    # The ledger's answers.

    def _take_built(self, event: Built, height: Height) -> None:
        self._actions += self._supply.built(height)
        if event.block is None:
            self._could_not(event.height, "build", event.reason)
        elif event.height == height.number and event.round == height.round:
            block_hash = event.block.hash()
            self._supply.bodies.keep(event.block, needed(height))
            self._supply.executed(block_hash)
            self._keep(LoggedBlock(event.block))
            self._input(BlockChecked(block_hash, valid=True), height)
            self._input(BlockBuilt(event.round, block_hash), height)

    def _take_checked(self, event: Checked, height: Height) -> None:
        self._supply.check_ended()
        if event.height != height.number:
            return
        block = self._supply.bodies.get(event.block_hash)
        if event.valid is None:
            self._supply.postpone(event.block_hash)
            self._could_not(event.height, "check", event.reason)
        elif not event.valid:
            self._take_invalid(event.block_hash, height)
        elif block is not None:
            self._supply.executed(event.block_hash)
            if event.block_hash not in height.validity:
                self._keep(LoggedBlock(block))
                self._input(BlockChecked(event.block_hash, valid=True), height)

    def _take_invalid(self, block_hash: Hash32, height: Height) -> None:
        if block_hash not in height.validity:
            self._input(BlockChecked(block_hash, valid=False), height)
        elif height.decision is not None:
            self._halt(block_hash, height)

    def _halt_if_diverged(self, height: Height) -> None:
        for quorum in height.tally.commits():
            block_hash = quorum.block_hash
            if block_hash is not None and height.validity.get(block_hash) is False:
                self._halt(block_hash, height)

    def _halt(self, block_hash: Hash32, height: Height) -> None:
        """Vote no more: the others agreed on what this node finds invalid."""
        if not self.is_halted:
            self.is_halted = True
            self._tell(Diverged(height.number, block_hash))

    # Time.

    def _ring(self, event: Rang, height: Height) -> None:
        match event.alarm:
            case BeginAlarm() as alarm:
                if alarm.height == height.number:
                    self._begin(height)
            case StepAlarm() as alarm:
                if (alarm.height, alarm.round) == (height.number, height.round):
                    self._input(TimedOut(alarm.step, alarm.round), height)
            case FetchAlarm() as alarm:
                self._ask_again(alarm.block_hash, height)
            case RebroadcastAlarm() as alarm:
                self._rebroadcast(height)
                self._actions.append(SetTimer(alarm, self._config.rebroadcast_ms))

    def _ask_again(self, block_hash: Hash32, height: Height) -> None:
        if not self._supply.bodies.is_asked_for(block_hash):
            return
        if block_hash in needed(height):
            self._actions += self._supply.ask(block_hash, self._peers.names())
        else:
            self._supply.bodies.forget_question(block_hash)

    def _rebroadcast(self, height: Height) -> None:
        """Say again what was said last: what was sent once may not have arrived."""
        self._supply.try_again()
        self._actions.append(Broadcast(exchange.status_of(height)))
        if self._voice is not None and height.decision is None:
            for message in self._voice.last():
                self._actions += map(Broadcast, exchange.with_proof(height, message))

    def _could_not(self, height: int, work: str, reason: str) -> None:
        self._tell(CouldNot(height, work, reason))

    def _send(self, peer: Peer, message: ConsensusMessage) -> None:
        self._actions.append(Send(peer, message))

    def _tell(
        self, report: Accused | CouldNot | Decided | Diverged | RoundStarted | Withheld
    ) -> None:
        self._actions.append(Tell(report))


def _is_too_far(message: Proposal | Vote, height: Height) -> bool:
    """Tell whether a proposal is dropped without blame: its sender may be ahead of this node."""
    return isinstance(message, Proposal) and message.round > height.round + ROUNDS_AHEAD_MAX
