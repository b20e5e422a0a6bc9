"""A network that works against one height: two locks on different blocks, each in one node only.

Round 0: everybody but the last proposer prevotes w, and only the third sees all of it: locked on w.
Round 1: the others prevote v, and only the fourth sees all of it: locked on v, in a later round.
Round 2: the third proposes w, proved by round 0.  The fourth must refuse, the rest may agree;
their precommits are lost once, so that everybody has time to prevote.
"""

from consensus.core.messages import (
    CertificateMessage,
    ConsensusMessage,
    Kind,
    Proposal,
    Status,
    Vote,
    Votes,
)
from consensus.core.proposer import proposer
from tests.simulation.scenario import Scenario
from tests.simulation.world import World


def hidden_lock(seed: int) -> World:
    """Give a cluster of four with the trap laid at height 1."""
    scenario = Scenario(
        seed=seed,
        powers=(1, 1, 1, 1),
        twins=(),
        are_sets_changing=False,
        are_twins_stale=False,
        bad_builder=None,
        loss=dict.fromkeys(("proposal", "PREVOTE", "PRECOMMIT", "repair"), 0.0),
        duplication=0.0,
        delay_ms=5,
        calm_ms=0,
        splits=(),
        crashes=(),
        watchers=0,
    )
    keys = [key.address for key in scenario.keypairs()]
    order = [keys.index(proposer(scenario.validators(1), 1, number)) for number in range(4)]

    lost_once: set[tuple[int, int]] = set()

    def drops(sender: int, receiver: int, message: ConsensusMessage) -> bool:
        if isinstance(message, Vote) and _is_precommit_of_round_2(message):
            first = (sender, receiver) not in lost_once
            lost_once.add((sender, receiver))
            return first
        return _drops(order.index(sender), order.index(receiver), message)

    return World(scenario, drops=drops)


def _drops(sender: int, receiver: int, message: ConsensusMessage) -> bool:
    match message:
        case Proposal(height=1, round=0):
            return receiver == 3
        case Vote(kind=Kind.PREVOTE, height=1, round=0):
            return sender == 2
        case Vote(kind=Kind.PREVOTE, height=1, round=1):
            return (sender, receiver) in ((0, 1), (1, 0), (0, 2))
        case Status(height=1):
            return message.round < 2
        case Votes():
            return True
        case CertificateMessage():
            return message.certificate.round == 1 and message.certificate.height == 1
    return False


def _is_precommit_of_round_2(vote: Vote) -> bool:
    return (vote.kind, vote.height, vote.round) == (Kind.PRECOMMIT, 1, 2)
