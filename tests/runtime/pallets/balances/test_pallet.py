"""Balances: every call and service, and every refusal."""

from typing import Any

import pytest

from chain.primitives.hashing import blake2_128
from runtime.assembly import CONFIG, VERSION
from runtime.frame import DispatchError, Overlay, Signed
from runtime.frame.account import NEW_LOGIC, NO_ACCOUNT, AccountData, AccountInfo
from runtime.pallets.balances import Balances, BalancesConfig
from runtime.pallets.balances.pallet import (
    Deposit,
    Endowed,
    ExistentialDeposit,
    Expendability,
    InsufficientBalance,
    Reserved,
    Transfer,
    Unreserved,
    Withdraw,
)
from runtime.pallets.system import System, SystemConfig
from runtime.pallets.system.pallet import KilledAccount, NewAccount
from tests.support.pallet_calls import dispatch

ALICE, BOB, CAROL = (bytes([n]) * 32 for n in (1, 2, 3))
ALLOW_DEATH, KEEP_ALIVE, ALL = 0, 3, 4


@pytest.fixture
def balances() -> Balances:
    """Alice has 100, Bob 50; an account holds at least 10."""
    state = Overlay.over({})
    system = System(state, SystemConfig(VERSION, 16))
    balances = Balances(state, BalancesConfig(existential_deposit=10), system)
    balances.build_genesis({BOB: 50, ALICE: 100})
    state.events.clear()
    return balances


def funds(balances: Balances) -> list[tuple[int, int]]:
    return [(balances.free(who), balances.reserved(who)) for who in (ALICE, BOB, CAROL)]


@pytest.mark.parametrize(
    ("call", "arguments", "after", "events"),
    [
        (ALLOW_DEATH, {"dest": BOB, "value": 30}, (70, 80, 0), [Transfer(ALICE, BOB, 30)]),
        (KEEP_ALIVE, {"dest": BOB, "value": 90}, (10, 140, 0), [Transfer(ALICE, BOB, 90)]),
        (KEEP_ALIVE, {"dest": BOB, "value": 0}, (100, 50, 0), [Transfer(ALICE, BOB, 0)]),
        (KEEP_ALIVE, {"dest": ALICE, "value": 40}, (100, 50, 0), [Transfer(ALICE, ALICE, 40)]),
        (
            KEEP_ALIVE,
            {"dest": CAROL, "value": 10},
            (90, 50, 10),
            [NewAccount(CAROL), Endowed(CAROL, 10), Transfer(ALICE, CAROL, 10)],
        ),
        (
            ALLOW_DEATH,
            {"dest": BOB, "value": 100},
            (0, 150, 0),
            [KilledAccount(ALICE), Transfer(ALICE, BOB, 100)],
        ),
        (
            ALL,
            {"dest": BOB, "keep_alive": False},
            (0, 150, 0),
            [KilledAccount(ALICE), Transfer(ALICE, BOB, 100)],
        ),
        (ALL, {"dest": BOB, "keep_alive": True}, (10, 140, 0), [Transfer(ALICE, BOB, 90)]),
    ],
)
def test_calls_move_funds(
    balances: Balances,
    call: int,
    arguments: dict[str, Any],
    after: tuple[int, int, int],
    events: list[object],
) -> None:
    dispatch(balances, Signed(ALICE), call, arguments)

    assert funds(balances) == [(each, 0) for each in after]
    assert balances.state.events == events
    balances.check_invariants()


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        (KEEP_ALIVE, {"dest": BOB, "value": 101}, InsufficientBalance("100 < 101")),
        (ALLOW_DEATH, {"dest": BOB, "value": 101}, InsufficientBalance("100 < 101")),
        (KEEP_ALIVE, {"dest": ALICE, "value": 101}, InsufficientBalance("100 < 101")),
        (KEEP_ALIVE, {"dest": BOB, "value": 91}, Expendability("9 < 10")),
        (KEEP_ALIVE, {"dest": BOB, "value": 100}, Expendability("0 < 10")),
        (ALLOW_DEATH, {"dest": BOB, "value": 95}, Expendability("5 < 10")),
        (KEEP_ALIVE, {"dest": CAROL, "value": 9}, ExistentialDeposit("9 < 10")),
    ],
)
def test_refused_transfer_changes_nothing(
    balances: Balances, call: int, arguments: dict[str, Any], error: DispatchError
) -> None:
    before = balances.state.changes()

    with pytest.raises(type(error)) as refusal:
        dispatch(balances, Signed(ALICE), call, arguments)

    assert refusal.value == error
    assert balances.state.changes() == before
    assert balances.state.events == []


def test_an_emptied_account_that_never_sent_is_forgotten(balances: Balances) -> None:
    balances.transfer(ALICE, BOB, 100, keep_alive=False)

    key = System.account.prefix + blake2_128(ALICE) + ALICE
    assert balances.state.changes()[key] is None


def test_an_emptied_account_keeps_its_nonce() -> None:
    state = Overlay.over({})
    system = System(state, CONFIG.system)
    balances = Balances(state, BalancesConfig(10), system)
    balances.build_genesis({ALICE: 100})
    system.count_transaction(ALICE)
    balances.transfer(ALICE, BOB, 100, keep_alive=False)

    assert system.account[ALICE] == AccountInfo(1, 0, 0, 0, AccountData(0, 0, 0, NEW_LOGIC))
    assert system.account[BOB] == AccountInfo(0, 0, 1, 0, AccountData(100, 0, 0, NEW_LOGIC))
    assert system.account[CAROL] == NO_ACCOUNT
    balances.check_invariants()


def test_reserves_are_set_aside_and_come_back(balances: Balances) -> None:
    balances.reserve(ALICE, 60)
    assert funds(balances) == [(40, 60), (50, 0), (0, 0)]
    balances.check_invariants()
    balances.unreserve(ALICE, 20)

    assert funds(balances) == [(60, 40), (50, 0), (0, 0)]
    assert balances.state.events == [
        Reserved(ALICE, 60),
        Unreserved(ALICE, 20),
    ]
    balances.check_invariants()


def test_an_account_with_reserves_cannot_be_emptied(balances: Balances) -> None:
    balances.reserve(ALICE, 60)
    before = balances.state.changes()

    with pytest.raises(Expendability):
        dispatch(balances, Signed(ALICE), ALLOW_DEATH, {"dest": BOB, "value": 40})

    assert balances.state.changes() == before
    dispatch(balances, Signed(ALICE), ALL, {"dest": BOB, "keep_alive": False})
    assert funds(balances) == [(10, 60), (80, 0), (0, 0)]


@pytest.mark.parametrize(
    ("service", "arguments", "error"),
    [
        ("reserve", (ALICE, 91), Expendability("9 < 10")),
        ("reserve", (ALICE, 101), InsufficientBalance("100 < 101")),
        ("unreserve", (ALICE, 1), InsufficientBalance("0 reserved < 1")),
        ("withdraw", (ALICE, 91), Expendability("9 < 10")),
        ("deposit", (CAROL, 9), ExistentialDeposit("9 < 10")),
    ],
)
def test_refused_services_say_why(
    balances: Balances, service: str, arguments: tuple[Any, ...], error: DispatchError
) -> None:
    before = balances.state.changes()

    with pytest.raises(type(error)) as refusal:
        getattr(balances, service)(*arguments)

    assert refusal.value == error
    assert balances.state.changes() == before


def test_withdrawn_funds_can_be_placed_elsewhere(balances: Balances) -> None:
    balances.withdraw(ALICE, 20)
    balances.deposit(CAROL, 20)

    assert funds(balances) == [(80, 0), (50, 0), (20, 0)]
    assert balances.state.events == [
        Withdraw(ALICE, 20),
        NewAccount(CAROL),
        Endowed(CAROL, 20),
        Deposit(CAROL, 20),
    ]
    balances.check_invariants()


def test_the_invariant_finds_funds_from_nowhere(balances: Balances) -> None:
    balances.deposit(BOB, 1)

    with pytest.raises(AssertionError, match="funds appeared or vanished"):
        balances.check_invariants()
