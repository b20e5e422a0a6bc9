"""Random calls of everybody and of votes: refusals change nothing, parts always agree."""

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from runtime.frame import DispatchError
from runtime.frame.evaluations import Failed, Score
from runtime.pallets.models.events import (
    Approved,
    MoveCancelled,
    Moved,
    MoveDue,
    MoveRefused,
    Retired,
)
from runtime.pallets.models.stored import (
    Control,
    Lineage,
    Multisig,
    Parent,
    Referendum,
)
from tests.support.economy import ALICE, BOB, CAROL, MALLORY
from tests.support.registry import POLICY, ROOTS, Registry

PEOPLE = (ALICE, ALICE, BOB, CAROL, MALLORY)
SHARED = Multisig(2, tuple(sorted((ALICE, BOB, CAROL))))
CONTROLS = (
    Control(),
    Control(gate=0),
    Control(time_lock=2),
    Control(SHARED),
    Control(SHARED, gate=1, time_lock=1),
    Control(Referendum()),
    Control(Referendum(), gate=2, time_lock=2),
)
NAMES = ("digits", "letters")
MOSTLY = ("digits",) * 5 + ("letters",)


class Crowd:
    """People and votes that do what comes to their minds."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.chain = Registry(ALICE, BOB)
        self.seen: set[type] = set()

    def arguments(self, call: str) -> dict[str, Any]:
        pick = self.dice.choice
        version = {"name": pick(MOSTLY), "blob": pick(ROOTS), "bounds": ()}
        parents = pick(((), (Parent(pick(NAMES), pick((1, 2))),)))
        aim = {"name": pick(MOSTLY), "channel": pick(("stable", "stable", "canary"))}
        match call:
            case "register":
                policy = replace(POLICY, royalty=pick((0, 100_000)))
                rest = {"licence": "MIT", "policy": policy, "control": pick(CONTROLS)}
                return {**version, **rest, "lineage": Lineage(parents)}
            case "publish":
                return {**version, "lineage": Lineage(parents)}
            case "retire":
                return {"name": pick(MOSTLY), "version": pick((1, 2, 3))}
            case "move":
                return {**aim, "version": pick((None, 1, 2, 3))}
            case "cancel_move":
                return aim
            case _:
                return {"name": pick(MOSTLY)}

    def act(self) -> None:
        chain, pick = self.chain, self.dice.choice
        calls = (
            "register",
            "publish",
            "publish",
            *("move",) * 6,
            "cancel_move",
            "retire",
            "retire",
        )
        call = pick((*calls, "release_name"))
        arguments, by_vote = self.arguments(call), self.dice.random() < 0.3
        signable = call in ("register", "publish", "release_name")
        before = chain.state.changes(), list(chain.state.events)
        try:
            if by_vote and not signable:
                chain.as_root(call, **arguments)
            else:
                chain.call(pick(PEOPLE), "models", call, **arguments)
        except DispatchError:
            assert (chain.state.changes(), list(chain.state.events)) == before

    def block(self) -> None:
        dice = self.dice
        for root in ROOTS:
            if dice.random() < 0.5:
                score = Score(dice.randrange(5), 4) if dice.random() < 0.9 else Failed("trapped")
                self.chain.evaluations.scores[root] = score
        before = {name: self.chain.pallets.models.store.find(name) for name in NAMES}
        for _ in range(dice.randrange(30)):
            self.act()
        self.seen |= {type(each) for each in self.chain.end_block()}
        for name, model in before.items():
            after = self.chain.pallets.models.store.find(name)
            if model is not None:
                assert after is not None
                assert (after.owner, after.policy, after.control) == (
                    *(model.owner, model.policy, model.control),
                )


def test_random_calls_keep_what_the_registry_promises() -> None:
    seen: set[type] = set()
    for seed, control in enumerate((*CONTROLS, *CONTROLS)):
        crowd = Crowd(seed)
        crowd.chain.versions(3, control=control)
        for _ in range(8):
            crowd.block()
        seen |= crowd.seen
    kinds = (Approved, MoveCancelled, Moved, MoveDue, MoveRefused, Retired)
    assert [kind.__name__ for kind in kinds if kind not in seen] == []


@pytest.mark.parametrize("seed", range(3))
def test_what_one_key_says_never_moves_a_governed_model(seed: int) -> None:
    crowd = Crowd(seed)
    chain = crowd.chain
    chain.versions(3, control=Control(Referendum()))
    for _ in range(60):
        call = crowd.dice.choice(("move", "cancel_move", "retire", "release_name", "publish"))
        arguments = {**crowd.arguments(call), "name": "digits"}
        with suppress(DispatchError):
            chain.call(crowd.dice.choice(PEOPLE), "models", call, **arguments)
        model = chain.pallets.models.models["digits"]
        assert (chain.at(), chain.at("stable"), model.active[:3]) == (1, 1, (1, 2, 3))
        if crowd.dice.random() < 0.2:
            chain.end_block()
