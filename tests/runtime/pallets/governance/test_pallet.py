"""Governance: what passes takes effect later, what is refused changes nothing."""

from dataclasses import replace

import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.numbers import NOE
from runtime.assembly import CONSTRUCT
from runtime.dispatch import NotACall
from runtime.frame import BadOrigin, DispatchError, Root
from runtime.frame.failure import BadOrigin as BadOriginFailure
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.governance import Stage, Upgrade, errors, events
from runtime.pallets.governance.stored import OPEN_MAX, Vote, Voter
from runtime.pallets.rewards import TREASURY
from tests.support.economy import ALICE, BOB, CAROL, DAVE, MALLORY, QUIET, VALIDATORS, Chain
from tests.support.pallet_calls import dispatch

RULES = replace(
    QUIET.governance, deposit=10 * NOE, voting_blocks=3, enactment_blocks=2, delay_blocks=4
)
CONFIG = replace(QUIET, governance=RULES)
CHANGE = CONSTRUCT.encode_call("Parameters", "set", {"name": "fees.per_byte", "value": 77})
SPEND = CONSTRUCT.encode_call("Treasury", "spend", {"beneficiary": DAVE, "amount": NOE})
"""All coins are about 5,800: a fifth is a quorum, two people with 600 each are one."""


@pytest.fixture
def chain() -> Chain:
    return Chain(CONFIG)


def call(chain: Chain, who: bytes, name: str, **arguments: object) -> None:
    chain.call(who, "governance", name, **arguments)


def refuse(chain: Chain, error: DispatchError, who: bytes, name: str, **arguments: object) -> None:
    chain.refuse(error, who, "governance", name, **arguments)


def propose(chain: Chain, proposed: bytes = CHANGE, *, voters: tuple[bytes, ...] = ()) -> None:
    call(chain, MALLORY, "propose", call=proposed, note="why")
    number = chain.pallets.governance.next_referendum.get() - 1
    for voter in voters:
        call(chain, voter, "lock", amount=700 * NOE)
        call(chain, voter, "vote", referendum=number, aye=True)


def blocks(chain: Chain, count: int) -> list[object]:
    return [event for _ in range(count) for event in chain.end_block()]


def stage(chain: Chain, number: int = 0) -> Stage:
    return chain.pallets.governance.referenda[number].stage


def test_a_vote_changes_a_parameter(chain: Chain) -> None:
    propose(chain, voters=(ALICE, BOB))
    end = chain.number + 3
    assert chain.events_of(events.Proposed) == [
        events.Proposed(0, MALLORY, blake2_256(CHANGE), end)
    ]
    assert chain.events_of(events.Voted)[0] == events.Voted(0, ALICE, True, 700 * NOE)
    assert chain.pallets.balances.reserved(MALLORY) == 10 * NOE

    happened = blocks(chain, 3)
    assert events.Passed(0, 1400 * NOE, 0, end + 2) in happened
    assert chain.pallets.config.fees.per_byte == QUIET.fees.per_byte
    happened = blocks(chain, 2)
    assert events.Enacted(0, None) in happened
    assert stage(chain) == Stage.ENACTED
    assert chain.pallets.balances.reserved(MALLORY) == 0
    chain.end_block()
    assert chain.pallets.config.fees.per_byte == 77
    assert chain.pallets.governance.open.get() == ()


def test_a_vote_spends_the_treasury(chain: Chain) -> None:
    chain.call(ALICE, "balances", "transfer_keep_alive", dest=TREASURY, value=5 * NOE)
    before = chain.pallets.balances.free(DAVE)
    propose(chain, SPEND, voters=(ALICE, BOB))
    blocks(chain, 5)
    assert chain.pallets.balances.free(DAVE) == before + NOE


def test_what_its_pallet_refuses_fails(chain: Chain) -> None:
    transfer = {"dest": MALLORY, "value": NOE}
    propose(
        chain,
        CONSTRUCT.encode_call("Balances", "transfer_keep_alive", transfer),
        voters=(ALICE, BOB),
    )
    happened = blocks(chain, 5)
    assert events.Enacted(0, BadOriginFailure()) in happened
    assert stage(chain) == Stage.FAILED
    assert chain.pallets.balances.reserved(MALLORY) == 0


@pytest.mark.parametrize(
    ("ayes", "nays", "back"),
    [((ALICE,), (), True), ((ALICE,), (BOB, CAROL), True), ((), (), False)],
)
def test_what_is_refused_never_runs(
    chain: Chain, ayes: tuple[bytes, ...], nays: tuple[bytes, ...], back: bool
) -> None:
    treasury = chain.pallets.balances.free(TREASURY)
    propose(chain, voters=ayes)
    for voter in nays:
        call(chain, voter, "lock", amount=700 * NOE)
        call(chain, voter, "vote", referendum=0, aye=False)
    happened = blocks(chain, 6)
    refused = events.Refused(0, len(ayes) * 700 * NOE, len(nays) * 700 * NOE, back)
    assert refused in happened
    assert stage(chain) == Stage.REFUSED
    assert chain.pallets.config.fees.per_byte == QUIET.fees.per_byte
    assert chain.pallets.balances.reserved(MALLORY) == 0
    gained = chain.pallets.balances.free(TREASURY) - treasury
    assert gained == (0 if back else 10 * NOE)


def test_stake_votes_without_a_lock(chain: Chain) -> None:
    propose(chain)
    call(chain, VALIDATORS[0], "vote", referendum=0, aye=True)
    assert chain.pallets.governance.referenda[0].ayes == 100 * NOE
    call(chain, VALIDATORS[0], "lock", amount=NOE)
    call(chain, VALIDATORS[0], "vote", referendum=0, aye=False)
    found = chain.pallets.governance.referenda[0]
    assert (found.ayes, found.nays) == (0, 101 * NOE)
    call(chain, VALIDATORS[0], "take_back", referendum=0)
    assert chain.pallets.governance.referenda[0].nays == 0
    chain.end_block()


def test_delegated_power_counts_once(chain: Chain) -> None:
    propose(chain)
    for who in (ALICE, BOB):
        call(chain, who, "lock", amount=100 * NOE)
    call(chain, BOB, "vote", referendum=0, aye=True)
    call(chain, ALICE, "delegate", to=BOB)
    assert chain.pallets.governance.referenda[0].ayes == 200 * NOE
    call(chain, ALICE, "lock", amount=50 * NOE)
    assert chain.pallets.governance.voter(BOB).votes == ((0, Vote(True, 250 * NOE)),)
    refuse(chain, errors.VotesByDelegate(), ALICE, "vote", referendum=0, aye=True)
    call(chain, ALICE, "undelegate")
    assert chain.pallets.governance.referenda[0].ayes == 100 * NOE
    call(chain, ALICE, "vote", referendum=0, aye=False)
    found = chain.pallets.governance.referenda[0]
    assert (found.ayes, found.nays) == (100 * NOE, 150 * NOE)
    chain.end_block()


def test_locks_stay_until_what_they_decided_took_effect(chain: Chain) -> None:
    propose(chain, voters=(ALICE,))
    until = chain.number + 5
    still = errors.StillNeeded(f"until block {until}")
    call(chain, BOB, "lock", amount=NOE)
    call(chain, BOB, "delegate", to=ALICE)
    blocks(chain, 4)
    for who in (ALICE, BOB):
        refuse(chain, still, who, "unlock", amount=NOE)
    call(chain, BOB, "undelegate")
    refuse(chain, still, BOB, "unlock", amount=NOE)
    chain.end_block()
    call(chain, BOB, "unlock", amount=NOE)
    call(chain, ALICE, "unlock", amount=700 * NOE)
    assert chain.pallets.balances.reserved(ALICE) == 0
    assert list(chain.pallets.governance.voters) == []
    assert list(chain.pallets.governance.votes) == []
    chain.end_block()


def test_validators_can_only_put_off_or_stop(chain: Chain) -> None:
    propose(chain, voters=(ALICE, BOB))
    not_decided = errors.NotStoppable("voting")
    refuse(chain, not_decided, VALIDATORS[0], "slow", referendum=0)
    blocks(chain, 3)
    due = chain.pallets.governance.referenda[0].due
    for validator in VALIDATORS[:2]:
        call(chain, validator, "slow", referendum=0)
    assert chain.pallets.governance.referenda[0].due == due
    refuse(chain, errors.ObjectedAlready(), VALIDATORS[0], "slow", referendum=0)
    refuse(chain, errors.NotValidator(), ALICE, "slow", referendum=0)
    call(chain, VALIDATORS[2], "slow", referendum=0)
    assert chain.events_of(events.Delayed) == [events.Delayed(0, due + 4)]
    blocks(chain, 3)
    for validator in VALIDATORS[:3]:
        assert stage(chain) == Stage.PASSED
        call(chain, validator, "cancel", referendum=0)
    assert chain.events_of(events.Cancelled) == [events.Cancelled(0)]
    assert stage(chain) == Stage.CANCELLED
    refuse(chain, errors.NotStoppable("cancelled"), VALIDATORS[3], "cancel", referendum=0)
    blocks(chain, 8)
    assert chain.pallets.config.fees.per_byte == QUIET.fees.per_byte
    assert chain.pallets.balances.reserved(MALLORY) == 0


def test_what_has_no_room_in_a_block_waits(chain: Chain) -> None:
    words = {"name": "fees.base", "value": NOE}
    heavy = CONSTRUCT.encode_call(
        "Utility",
        "batch_all",
        {"calls": (CONSTRUCT.encode_call("Parameters", "set", words),) * 200},
    )
    weight = chain.pallets.governance.dispatcher.weigh(heavy)
    assert 0.5 < weight / RULES.weight_per_block < 1
    for _ in range(2):
        propose(chain, heavy)
    for voter in (ALICE, BOB):
        call(chain, voter, "lock", amount=700 * NOE)
        for number in range(2):
            call(chain, voter, "vote", referendum=number, aye=True)
    blocks(chain, 5)
    assert (stage(chain, 0), stage(chain, 1)) == (Stage.ENACTED, Stage.PASSED)
    chain.end_block()
    assert stage(chain, 1) == Stage.ENACTED


def test_an_upgrade_needs_a_release(chain: Chain) -> None:
    governance = chain.pallets.governance
    dispatch(governance, Root(), 9, {"spec_version": 2, "height": 9})
    assert chain.events_of(events.UpgradeScheduled) == [events.UpgradeScheduled(2, 9)]
    assert governance.missing_rules(8) is None
    assert governance.missing_rules(9) == Upgrade(2, 9)
    for version, height, words in ((1, 9, "version 1 holds now"), (2, 2, "block 2 has come")):
        with pytest.raises(errors.BadUpgrade, match=words):
            dispatch(governance, Root(), 9, {"spec_version": version, "height": height})


def test_a_full_house_proposes_nothing(chain: Chain) -> None:
    for _ in range(OPEN_MAX):
        propose(chain)
    refuse(*(chain, errors.TooManyOpen("32 referenda"), MALLORY, "propose"), call=CHANGE, note="")
    blocks(chain, 3)
    assert chain.pallets.governance.open.get() == ()
    propose(chain)


HEAVY = CONSTRUCT.encode_call("Utility", "batch_all", {"calls": (CHANGE,) * 256})
UNKNOWN = errors.UnknownReferendum("number 9")


@pytest.mark.parametrize(
    ("error", "name", "arguments"),
    [
        (NotACall("no call ffff"), "propose", {"call": b"\xff\xff", "note": ""}),
        (UNKNOWN, "vote", {"referendum": 9, "aye": True}),
        (UNKNOWN, "take_back", {"referendum": 9}),
        (UNKNOWN, "slow", {"referendum": 9}),
        (UNKNOWN, "cancel", {"referendum": 9}),
        (errors.NoPower(), "vote", {"referendum": 0, "aye": True}),
        (errors.NoVote(), "take_back", {"referendum": 0}),
        (errors.LockTooSmall(f"0, at least {NOE}"), "lock", {"amount": 0}),
        (errors.LockTooSmall(f"1, at least {NOE}"), "lock", {"amount": 1}),
        (InsufficientBalance(f"{1000 * NOE} < {2000 * NOE}"), "lock", {"amount": 2000 * NOE}),
        (errors.NotLocked("0 are"), "unlock", {"amount": 1}),
        (errors.NotLocked("0 are"), "unlock", {"amount": 0}),
        (errors.NoPower(), "delegate", {"to": BOB}),
        (errors.CannotDelegate(), "delegate", {"to": ALICE}),
        (errors.NotDelegated(), "undelegate", {}),
        (errors.NotValidator(), "cancel", {"referendum": 0}),
        (
            BadOrigin("schedule_upgrade does not accept Signed"),
            "schedule_upgrade",
            {"spec_version": 2, "height": 99},
        ),
    ],
)
def test_what_is_refused_changes_nothing(
    chain: Chain, error: DispatchError, name: str, arguments: dict[str, object]
) -> None:
    propose(chain)
    refuse(chain, error, ALICE, name, **arguments)


def test_what_is_too_heavy_is_not_proposed(chain: Chain) -> None:
    chain.pallets.governance.config = replace(RULES, weight_per_block=10**9)
    weight = chain.pallets.governance.dispatcher.weigh(HEAVY)
    error = errors.TooHeavy(f"{weight} picoseconds, at most {10**9}")
    refuse(chain, error, ALICE, "propose", call=HEAVY, note="")


def test_delegates_are_voters_for_themselves(chain: Chain) -> None:
    for who in (ALICE, BOB, CAROL):
        call(chain, who, "lock", amount=10 * NOE)
    call(chain, ALICE, "delegate", to=BOB)
    for who, to in ((BOB, CAROL), (CAROL, ALICE)):
        refuse(chain, errors.CannotDelegate(), who, "delegate", to=to)
    refuse(chain, errors.VotesByDelegate(), ALICE, "delegate", to=CAROL)
    propose(chain)
    call(chain, CAROL, "vote", referendum=0, aye=True)
    refuse(chain, errors.HasVotes("1"), CAROL, "delegate", to=BOB)
    blocks(chain, 6)
    refuse(chain, errors.NotVoting("refused"), CAROL, "vote", referendum=0, aye=True)
    refuse(
        *(chain, errors.LockTooSmall(f"{NOE // 2}, at least {NOE}"), CAROL, "unlock"),
        amount=10 * NOE - NOE // 2,
    )
    call(chain, CAROL, "delegate", to=BOB)
    voter = chain.pallets.governance.voters[BOB]
    assert voter == Voter(locked=10 * NOE, delegated=20 * NOE)
