"""Channels: who moves them, through which gate, after which time, and back."""

from dataclasses import replace

import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.frame.evaluations import Failed, Score
from runtime.pallets.models import errors, events
from runtime.pallets.models.stored import (
    CHANNELS_MAX,
    DUE_MAX,
    SCORING_MAX,
    Cancel,
    Channel,
    Control,
    MoveTo,
    Multisig,
    Place,
    Referendum,
)
from runtime.pallets.rewards import TREASURY
from tests.support.economy import ALICE, BOB, CAROL, DAVE, MALLORY, VALIDATORS
from tests.support.registry import ROOTS, Registry

KEYS = tuple(sorted((ALICE, BOB, CAROL)))
SHARED = Control(Multisig(2, KEYS))
MOVE = {"name": "digits", "channel": "stable"}


def registry(control: Control = Control(), count: int = 3) -> Registry:  # noqa: B008
    chain = Registry()
    chain.versions(count, control=control)
    return chain


def move(chain: Registry, version: int | None, who: bytes = ALICE, channel: str = "stable") -> None:
    chain.call(who, "models", "move", name="digits", channel=channel, version=version)


def happened(chain: Registry, *kinds: type) -> list[object]:
    return [each for each in chain.end_block() if isinstance(each, kinds)]


def test_a_channel_says_what_a_call_runs_by_name_or_by_default() -> None:
    chain = registry()
    assert chain.at() == 3
    with pytest.raises(errors.NotActive):
        chain.at("stable")
    with pytest.raises(errors.UnknownChannel):
        chain.at("canary")

    move(chain, 1)
    move(chain, 2, channel="canary")

    assert chain.events_of(events.Moved) == [
        events.Moved("digits", "stable", 1, None),
        events.Moved("digits", "canary", 2, None),
    ]
    assert [chain.at(each) for each in (None, "stable", "canary", 3)] == [1, 1, 2, 3]
    assert chain.pallets.models.gas("digits", "canary") == 1_000
    assert chain.pallets.models.gas("digits", "nowhere") == 0
    move(chain, None)
    assert chain.at() == 3
    chain.end_block()


def test_refused_moves_change_nothing() -> None:
    chain = registry()
    move(chain, 1)
    for channel, version, error in (
        ("stable", 1, errors.AlreadyThere("stable at 1")),
        ("next", None, errors.AlreadyThere("next at nothing")),
        ("stable", 9, errors.UnknownVersion("digits version 9")),
        ("Stable", 2, errors.BadName("'Stable'")),
    ):
        rest = {"name": "digits", "channel": channel, "version": version}
        chain.refuse(error, ALICE, "models", "move", **rest)
    rest = {**MOVE, "version": 2}
    chain.refuse(errors.NotOwner(), BOB, "models", "move", **rest)
    chain.refuse(errors.UnknownModel("no"), ALICE, "models", "move", **{**rest, "name": "no"})
    chain.refuse(errors.NoMove("stable"), ALICE, "models", "cancel_move", **MOVE)
    used = errors.VersionInUse("digits version 1")
    chain.refuse(used, ALICE, "models", "retire", name="digits", version=1)
    chain.refuse_root(errors.NotDecidedByVote(), "move", **rest)
    chain.call(ALICE, "models", "retire", name="digits", version=2)
    gone = errors.NotActive("digits version 2 is retired")
    chain.refuse(gone, ALICE, "models", "move", **rest)


def test_channels_are_few() -> None:
    chain = registry()
    for number in range(CHANNELS_MAX - 2):
        move(chain, 1, channel=f"c{number}")
    rest = {"name": "digits", "channel": "more", "version": 1}
    chain.refuse(errors.TooManyChannels("8 channels"), ALICE, "models", "move", **rest)
    move(chain, 2, channel="c0")
    chain.end_block()


def test_open_moves_to_new_channels_take_their_places() -> None:
    chain = registry(Control(time_lock=2), count=2)
    for number in range(CHANNELS_MAX - 2):
        move(chain, 2, channel=f"c{number}")
    rest = {"name": "digits", "channel": "more", "version": 2}
    chain.refuse(errors.TooManyChannels("8 channels"), ALICE, "models", "move", **rest)
    for _ in range(2):
        chain.end_block()
    assert len(chain.pallets.models.models["digits"].channels) == CHANNELS_MAX


def test_a_time_lock_lets_a_move_happen_by_itself_and_can_be_used_to_cancel_it() -> None:
    chain = registry(Control(time_lock=3))
    assert chain.at() == 1, "publishing changes nothing where a time-lock guards"
    move(chain, 2)
    due = chain.number + 3
    assert chain.events_of(events.MoveBegun) == [events.MoveBegun("digits", "stable", 2, due)]
    again = {**MOVE, "version": 3}
    chain.refuse(errors.MoveOpen("stable"), ALICE, "models", "move", **again)
    used = errors.VersionInUse("digits version 2")
    chain.refuse(used, ALICE, "models", "retire", name="digits", version=2)
    chain.refuse(errors.NotOwner(), BOB, "models", "cancel_move", **MOVE)
    chain.end_block()
    assert chain.at() == 1

    chain.end_block()
    assert happened(chain, events.Moved) == [events.Moved("digits", "stable", 2, 1)]
    assert (chain.number, chain.at()) == (due, 2)

    move(chain, 3)
    chain.call(ALICE, "models", "cancel_move", **MOVE)
    assert chain.events_of(events.MoveCancelled) == [events.MoveCancelled("digits", "stable", 3)]
    for _ in range(4):
        assert happened(chain, events.Moved) == []
    assert chain.at() == 2
    assert chain.pallets.models.agenda.items() == []


def test_moves_that_find_no_place_happen_a_block_later_or_are_refused() -> None:
    chain = registry(Control(time_lock=3))
    due = chain.number + 3
    others = tuple(Place(f"m{number}", "stable") for number in range(DUE_MAX))
    for block in range(due, due + 16):
        chain.pallets.models.agenda[block] = others
    full = errors.AgendaFull(f"blocks {due} to {due + 15}")
    chain.refuse(full, ALICE, "models", "move", **MOVE, version=2)
    del chain.pallets.models.agenda[due + 1]

    move(chain, 2)

    assert chain.pallets.models.agenda[due + 1] == (Place("digits", "stable"),)


def test_the_gate_refuses_a_version_that_does_worse() -> None:
    chain = registry(Control(gate=1, time_lock=1))
    scores = chain.evaluations.scores
    move(chain, 2)
    assert chain.events_of(events.MoveBegun) == [events.MoveBegun("digits", "stable", 2, None)]
    assert chain.evaluations.ordered == [(ROOTS[0], 1, ALICE), (ROOTS[1], 1, ALICE)]
    scores[ROOTS[1]] = Score(89, 100)
    assert happened(chain, events.MoveRefused) == [], "the current version has no score yet"

    scores[ROOTS[0]] = Score(90, 100)
    reason = "89 of 100 correct, the one before 90"
    assert happened(chain, events.MoveRefused) == [
        events.MoveRefused("digits", "stable", 2, reason)
    ]
    assert chain.at() == 1

    scores[ROOTS[2]] = Score(90, 100)
    move(chain, 3)
    assert happened(chain, events.MoveDue) == [
        events.MoveDue("digits", "stable", 3, chain.number + 1)
    ]
    assert happened(chain, events.Moved) == [events.Moved("digits", "stable", 3, 1)]


def test_who_is_better_passes_and_becomes_the_bar_also_over_an_empty_channel() -> None:
    chain = registry(Control(gate=0))
    chain.evaluations.scores = {
        root: Score(correct, 100) for root, correct in zip(ROOTS, (50, 80, 70), strict=False)
    }
    move(chain, 2)
    assert happened(chain, events.Moved) == [events.Moved("digits", "stable", 2, 1)]
    move(chain, None)
    assert chain.pallets.models.models["digits"].channel("stable") == Channel("stable", None)
    move(chain, 3)
    reason = "70 of 100 correct, the one before 80"
    assert happened(chain, events.MoveRefused) == [
        events.MoveRefused("digits", "stable", 3, reason)
    ]


def test_back_to_what_was_there_needs_no_gate() -> None:
    chain = registry(Control(gate=0, time_lock=1))
    chain.evaluations.scores = {ROOTS[0]: Score(50, 100), ROOTS[1]: Score(80, 100)}
    move(chain, 2)
    chain.end_block()
    chain.end_block()
    assert chain.at() == 2
    ordered = len(chain.evaluations.ordered)

    move(chain, 1)
    assert happened(chain, events.Moved) == [events.Moved("digits", "stable", 1, 2)]
    assert (chain.at(), len(chain.evaluations.ordered)) == (1, ordered)

    chain.evaluations.scores[ROOTS[2]] = Score(60, 100)
    move(chain, 3)
    chain.end_block()
    chain.end_block()
    assert chain.at() == 3, "the bar is that of the version that is there"
    assert len(chain.evaluations.ordered) == ordered + 1


def test_a_version_that_cannot_be_scored_is_refused_and_is_no_bar() -> None:
    chain = registry(Control(gate=0))
    chain.evaluations.scores = {ROOTS[1]: Failed("it trapped"), ROOTS[0]: Failed("it trapped too")}
    move(chain, 2)
    assert happened(chain, events.MoveRefused) == [
        events.MoveRefused("digits", "stable", 2, "no score: it trapped")
    ]
    chain.evaluations.scores[ROOTS[2]] = Score(0, 100)
    move(chain, 3)
    chain.end_block()
    assert chain.at() == 3


def test_a_move_that_is_being_scored_can_be_cancelled() -> None:
    chain = registry(Control(gate=0))
    move(chain, 2)
    chain.call(ALICE, "models", "cancel_move", **MOVE)
    chain.evaluations.scores = dict.fromkeys(ROOTS, Score(1, 1))
    assert happened(chain, events.Moved, events.MoveRefused) == []
    assert chain.pallets.models.scoring.get() == ()


def test_the_gate_looks_at_some_moves_at_a_time() -> None:
    chain = registry(Control(gate=0))
    others = tuple(Place(f"m{number}", "stable") for number in range(SCORING_MAX))
    chain.pallets.models.scoring.set(others)
    full = errors.GateBusy(f"{SCORING_MAX} moves")
    chain.refuse(full, ALICE, "models", "move", **MOVE, version=2)


def test_a_gate_needs_a_snapshot_and_keeps_it_until_the_name_is_given_up() -> None:
    chain = Registry()
    with pytest.raises(Exception, match="snapshot 3"):
        chain.register(control=Control(gate=3))
    assert chain.pallets.models.status("digits") is None
    chain.versions(1, control=Control(gate=1))
    assert chain.kept.uses == [0, 1, 0]
    move(chain, None)
    left = errors.VersionsLeft("1 versions")
    chain.refuse(left, ALICE, "models", "release_name", name="digits")
    chain.call(ALICE, "models", "retire", name="digits", version=1)
    chain.refuse(errors.NotOwner(), BOB, "models", "release_name", name="digits")
    before = chain.pallets.balances.reserved(ALICE)

    chain.call(ALICE, "models", "release_name", name="digits")

    assert before - chain.pallets.balances.reserved(ALICE) == NOE
    assert chain.kept.uses == [0, 0, 0]
    assert chain.pallets.models.models["digits"].channels == ()
    assert chain.pallets.models.histories.under("digits") == []
    given_up = errors.GivenUp("digits")
    chain.refuse(given_up, ALICE, "models", "release_name", name="digits")
    with pytest.raises(errors.NameTaken):
        chain.register(BOB)
    with pytest.raises(errors.GivenUp):
        chain.publish()
    chain.end_block()


@pytest.mark.parametrize(
    ("control", "error"),
    [
        (Control(Multisig(1, KEYS)), errors.BadControl("1 of 3 signatories")),
        (Control(Multisig(4, KEYS)), errors.BadControl("4 of 3 signatories")),
        (Control(Multisig(2, ())), errors.BadControl("2 of 0 signatories")),
        (
            Control(Multisig(2, KEYS[::-1])),
            errors.BadControl("signatories must ascend, each once"),
        ),
        (
            Control(Multisig(2, (ALICE, ALICE))),
            errors.BadControl("signatories must ascend, each once"),
        ),
        (Control(time_lock=1_209_601), errors.BadControl("1209601 blocks, at most 1209600")),
    ],
)
def test_a_control_that_cannot_work_is_refused(control: Control, error: errors.BadControl) -> None:
    chain = Registry()
    before = chain.state.changes()
    with pytest.raises(errors.BadControl) as refusal:
        chain.register(control=control)
    assert (str(refusal.value), chain.state.changes()) == (str(error), before)


def test_signatories_decide_together() -> None:
    chain = registry(SHARED)
    first, second, third = KEYS
    move(chain, 2, first)
    action = MoveTo("stable", 2)
    assert chain.events_of(events.Approved) == [events.Approved("digits", first, action, 1)]
    assert chain.at() == 1
    again = {**MOVE, "version": 2}
    chain.refuse(errors.AlreadyApproved(), first, "models", "move", **again)
    chain.refuse(errors.NotSignatory(), DAVE, "models", "move", **again)
    chain.refuse_root(errors.NotDecidedByVote(), "move", **again)
    move(chain, 3, second)
    assert chain.at() == 1, "they want different things"

    move(chain, 3, third)

    assert chain.at() == 3
    approvals = chain.pallets.models.approvals["digits"]
    assert [each.signatory for each in approvals] == [first]
    move(chain, 2, second)
    assert chain.at() == 2
    assert chain.pallets.models.approvals.find("digits") is None
    chain.end_block()


def test_signatories_retire_together_and_the_owner_only_what_was_rejected() -> None:
    chain = registry(SHARED)
    first, second, _ = KEYS
    retire = {"name": "digits", "version": 3}
    chain.call(first, "models", "retire", **retire)
    chain.refuse(errors.AlreadyApproved(), first, "models", "retire", **retire)
    assert chain.at(3) == 3
    chain.call(second, "models", "retire", **retire)
    assert chain.pallets.models.models["digits"].active == (1, 2)
    chain.end_block()


def test_as_many_signatories_cancel_as_leave_too_few_to_decide() -> None:
    chain = registry(replace(SHARED, time_lock=5))
    first, second, third = KEYS
    move(chain, 2, first)
    move(chain, 2, second)
    chain.call(third, "models", "cancel_move", **MOVE)
    assert chain.events_of(events.MoveCancelled) == []
    chain.call(first, "models", "cancel_move", **MOVE)
    assert chain.events_of(events.MoveCancelled) == [events.MoveCancelled("digits", "stable", 2)]

    move(chain, 3, first)
    move(chain, 3, second)
    chain.call(third, "models", "cancel_move", **MOVE)
    for _ in range(5):
        chain.end_block()
    assert chain.at() == 3
    move(chain, 2, first)
    move(chain, 2, second)
    approvals = chain.pallets.models.approvals.find("digits") or ()
    assert not [each for each in approvals if each.action == Cancel("stable")], "a stale objection"
    chain.end_block()


def test_no_single_key_alters_a_governed_model() -> None:
    chain = registry(Control(Referendum(), time_lock=1))
    for who in (ALICE, BOB, MALLORY):
        for call, rest in (
            ("move", {**MOVE, "version": 2}),
            ("move", {"name": "digits", "channel": "next", "version": 3}),
            ("retire", {"name": "digits", "version": 2}),
        ):
            chain.refuse(errors.NeedsReferendum(), who, "models", call, **rest)
    assert chain.at() == 1, "what the owner published is nowhere until it is moved"

    chain.as_root("move", **MOVE, version=2)
    for who in (ALICE, BOB, MALLORY):
        chain.refuse(errors.NeedsReferendum(), who, "models", "cancel_move", **MOVE)
    chain.end_block()
    assert chain.at() == 2

    chain.as_root("move", **MOVE, version=1)
    chain.as_root("cancel_move", **MOVE)
    chain.as_root("retire", name="digits", version=3)
    chain.end_block()
    assert (chain.at(), chain.pallets.models.models["digits"].active) == (2, (1, 2))


def test_the_treasury_pays_for_scores_that_a_vote_wants_and_a_vote_cancels_any_move() -> None:
    chain = registry(Control(Referendum(), gate=0))
    chain.as_root("move", **MOVE, version=2)
    assert {payer for _, _, payer in chain.evaluations.ordered} == {TREASURY}

    other = registry(Control(time_lock=2))
    move(other, 2)
    other.as_root("cancel_move", **MOVE)
    assert other.events_of(events.MoveCancelled) == [events.MoveCancelled("digits", "stable", 2)]


def test_a_late_first_version_does_not_push_aside_what_was_decided() -> None:
    chain = Registry()
    top = b"\x09" * 32
    late = root_over(top, 1_000)
    chain.call(ALICE, "blobs", "announce", top=top, length=1_000, kind=0)
    chain.register(blob=late, control=Control(time_lock=1))
    chain.publish(blob=ROOTS[1])
    chain.end_block()
    with pytest.raises(errors.NotActive):
        chain.at()
    move(chain, 2)
    chain.end_block()
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=late)
    for _ in range(3):
        chain.end_block()
    assert chain.pallets.models.models["digits"].active == (1, 2)
    assert chain.at() == 2
