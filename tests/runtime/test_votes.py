"""Votes: a governed model moves by them alone, and nodes stop where they lack voted rules."""

import pytest

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.executive import ReleaseNeeded
from runtime.pallets.governance import Governance, Upgrade
from runtime.pallets.governance.events import Enacted
from runtime.pallets.models import errors
from runtime.pallets.models.stored import Control, Referendum
from tests.support.economy import ALICE, BOB, CAROL
from tests.support.memory_chain import MemoryChain
from tests.support.registry import Registry

MOVE = {"name": "digits", "channel": "stable", "version": 2}


def test_a_governed_model_moves_by_vote_alone() -> None:
    chain = Registry()
    chain.versions(2, control=Control(Referendum()))
    chain.refuse(errors.NeedsReferendum(), ALICE, "models", "move", **MOVE)

    call = CONSTRUCT.encode_call("Models", "move", MOVE)
    chain.call(CAROL, "governance", "propose", call=call, note="the second is better")
    for voter in (ALICE, BOB):
        chain.call(voter, "governance", "lock", amount=700 * NOE)
        chain.call(voter, "governance", "vote", referendum=0, aye=True)
    blocks = CONFIG.governance.voting_blocks + CONFIG.governance.enactment_blocks
    happened = [event for _ in range(blocks) for event in chain.end_block()]
    assert Enacted(0, None) in happened
    assert chain.at("stable") == 2


def test_a_node_without_the_voted_rules_stops_before_them(chain: MemoryChain) -> None:
    item = Governance.upgrade
    chain.state[item.raw_key()] = item.value.encode(Upgrade(2, 3))
    chain.block()
    chain.block()
    before = dict(chain.state)
    with pytest.raises(ReleaseNeeded) as stopped:
        chain.block()
    assert str(stopped.value) == (
        "from block 3 on this chain follows the rules of spec version 2, and this release knows "
        "1: install a release with spec version 2 and start the node again"
    )
    assert chain.state == before
