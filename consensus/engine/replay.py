"""Brings a height back to where its log left it: the same inputs, their effects not repeated."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final

from chain.primitives.block import Block
from chain.primitives.codec import Codec, union
from consensus.core.height import Height
from consensus.core.inputs import (
    INPUT,
    BlockBuilt,
    BuildBlock,
    Effect,
    Input,
    SendProposal,
    SendVote,
    StartTimeout,
)
from consensus.core.messages import Proposal, Vote


@dataclass(frozen=True, slots=True)
class LoggedInput:
    """Something the height learned."""

    input: Annotated[Input, INPUT]


@dataclass(frozen=True, slots=True)
class LoggedBlock:
    """A block that this node may vote for: it must be able to pass it on after a crash."""

    block: Block


Logged = LoggedInput | LoggedBlock
"""One record of the log."""

LOGGED: Final[Codec[Logged]] = union("Logged", {0: LoggedInput, 1: LoggedBlock})
"""Bytes of a record."""


@dataclass(slots=True)
class Replayed:
    """What a log gave back."""

    blocks: list[Block] = field(default_factory=list)
    own: list[Proposal | Vote] = field(default_factory=list)
    """Messages that this node signed, in order."""
    pending: list[Effect] = field(default_factory=list)
    """Effects that the crash may have cut off, in order."""


def replay(height: Height, records: Iterable[Logged]) -> Replayed:
    """Feed the records to a new height."""
    replayed = Replayed()
    for logged in records:
        if isinstance(logged, LoggedBlock):
            replayed.blocks.append(logged.block)
        else:
            _feed(height, logged.input, replayed)
    replayed.pending = [each for each in replayed.pending if _is_wanted(each, height)]
    return replayed


def _feed(height: Height, event: Input, replayed: Replayed) -> None:
    if isinstance(event, Proposal | Vote) and event.validator == height.me:
        replayed.own.append(event)
        _strike(replayed.pending, event)
    if isinstance(event, BlockBuilt):
        replayed.pending = [each for each in replayed.pending if each != BuildBlock(event.round)]
    replayed.pending += height.step(event)


def _strike(pending: list[Effect], said: Proposal | Vote) -> None:
    for effect in pending:
        if _says(effect, said):
            pending.remove(effect)
            return


def _says(effect: Effect, said: Proposal | Vote) -> bool:
    if isinstance(said, Proposal):
        return isinstance(effect, SendProposal) and effect.round == said.round
    return isinstance(effect, SendVote) and (effect.kind, effect.round) == (said.kind, said.round)


def _is_wanted(effect: Effect, height: Height) -> bool:
    if isinstance(effect, StartTimeout | BuildBlock):
        return effect.round == height.round
    return True
