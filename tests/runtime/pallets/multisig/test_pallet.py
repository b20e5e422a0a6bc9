"""Multisig: a call runs when enough agree, as the account that they hold together."""

import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.keys import ss58_decode, ss58_encode
from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.frame import DispatchError, PostInfo
from runtime.frame.failure import BadOrigin, Failure, Module
from runtime.frame.weight import WeightV2
from runtime.pallets.balances.pallet import InsufficientBalance, Transfer
from runtime.pallets.multisig import Operation, errors, events, multi_account, weights
from runtime.pallets.multisig.stored import Timepoint
from tests.support.economy import ALICE, BOB, CAROL, DAVE, Chain

KEYS = tuple(sorted((ALICE, BOB, CAROL)))
FIRST, SECOND, THIRD = KEYS
ACCOUNT = multi_account(KEYS, 2)
ROOM = WeightV2(200_000_000)
DEPOSIT = CONFIG.multisig.deposit_base + 2 * CONFIG.multisig.deposit_factor


def transfer(value: int) -> bytes:
    arguments = {"dest": DAVE, "value": value}
    return CONSTRUCT.encode_call("Balances", "transfer_keep_alive", arguments)


CALL = transfer(NOE)
HASH = blake2_256(CALL)


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.call(DAVE, "balances", "transfer_keep_alive", dest=ACCOUNT, value=10 * NOE)
    return chain


def others(who: bytes) -> tuple[bytes, ...]:
    return tuple(each for each in KEYS if each != who)


def as_multi(
    chain: Chain, who: bytes, when: Timepoint | None, call: bytes = CALL, room: WeightV2 = ROOM
) -> PostInfo:
    return chain.call(
        *(who, "multisig", "as_multi"),
        threshold=2,
        other_signatories=others(who),
        maybe_timepoint=when,
        call=call,
        max_weight=room,
    )


def begun(chain: Chain, call: bytes = CALL) -> Timepoint:
    as_multi(chain, FIRST, None, call)
    return chain.pallets.multisig.multisigs[ACCOUNT, blake2_256(call)].when


def test_accounts_are_substrates() -> None:
    """Substrate's clients give this for the sr25519 keys of Alice, Bob and Charlie."""
    keys = (
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
        "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y",
    )
    account = multi_account(tuple(sorted(map(ss58_decode, keys))), 2)
    assert ss58_encode(account) == "5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7"


def test_two_of_three_move_common_funds(chain: Chain) -> None:
    post = as_multi(chain, FIRST, None)
    assert post == PostInfo(weights.of_signatories(2))
    when = Timepoint(chain.number, 0)
    operation = Operation(when, DEPOSIT, FIRST, (FIRST,))
    assert chain.pallets.multisig.multisigs[ACCOUNT, HASH] == operation
    assert chain.pallets.balances.reserved(FIRST) == DEPOSIT
    chain.end_block()

    post = as_multi(chain, SECOND, when)
    assert post == PostInfo(weights.of_signatories(2) + 200_000_000)
    assert chain.events_of(Transfer) == [Transfer(ACCOUNT, DAVE, NOE)]
    executed = events.MultisigExecuted(SECOND, when, ACCOUNT, HASH, None)
    assert chain.state.events[-1] == executed
    assert chain.pallets.balances.reserved(FIRST) == 0
    assert list(chain.pallets.multisig.multisigs) == []
    chain.end_block()


def test_a_hash_is_approved_before_the_call_comes(chain: Chain) -> None:
    arguments = {"threshold": 3, "call_hash": HASH, "max_weight": WeightV2(0)}
    approve = ("multisig", "approve_as_multi")
    account = multi_account(KEYS, 3)
    rest = {"other_signatories": others(FIRST), "maybe_timepoint": None}
    chain.call(FIRST, *approve, **arguments, **rest)
    when = Timepoint(chain.number, 0)
    rest = {"other_signatories": others(THIRD), "maybe_timepoint": when}
    chain.call(THIRD, *approve, **arguments, **rest)

    assert chain.events_of(events.NewMultisig, events.MultisigApproval) == [
        events.NewMultisig(FIRST, account, HASH),
        events.MultisigApproval(THIRD, when, account, HASH),
    ]
    approvals = chain.pallets.multisig.multisigs[account, HASH].approvals
    assert approvals == (FIRST, THIRD)
    chain.refuse(errors.AlreadyApproved(), THIRD, *approve, **arguments, **rest)


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (transfer(1000 * NOE), Module(2, bytes((InsufficientBalance.index or 0, 0, 0, 0)))),
        (
            CONSTRUCT.encode_call("Treasury", "spend", {"beneficiary": ALICE, "amount": 1}),
            BadOrigin(),
        ),
    ],
)
def test_a_refused_call_is_told(chain: Chain, call: bytes, result: Failure) -> None:
    when = begun(chain, call)
    room = WeightV2(chain.pallets.multisig.dispatcher.weigh(call))
    as_multi(chain, THIRD, when, call, room)
    executed = events.MultisigExecuted(THIRD, when, ACCOUNT, blake2_256(call), result)
    assert chain.state.events[-1] == executed
    assert list(chain.pallets.multisig.multisigs) == []


def test_who_began_gives_up(chain: Chain) -> None:
    when = begun(chain)
    cancel = ("multisig", "cancel_as_multi")
    arguments = {"threshold": 2, "call_hash": HASH, "timepoint": when}
    chain.refuse(
        *(errors.NotOwner(), SECOND, *cancel), other_signatories=others(SECOND), **arguments
    )
    chain.call(FIRST, *cancel, other_signatories=others(FIRST), **arguments)
    assert chain.state.events[-1] == events.MultisigCancelled(FIRST, when, ACCOUNT, HASH)
    assert chain.pallets.balances.reserved(FIRST) == 0
    chain.refuse(*(errors.NotFound(), FIRST, *cancel), other_signatories=others(FIRST), **arguments)
    chain.end_block()


@pytest.mark.parametrize(
    ("error", "changed"),
    [
        (errors.MinimumThreshold(), {"threshold": 1}),
        (errors.TooFewSignatories("3, 4 must agree"), {"threshold": 4}),
        (
            errors.TooManySignatories("101"),
            {"other_signatories": tuple(bytes((n,)) * 32 for n in range(100))},
        ),
        (errors.SignatoriesOutOfOrder(), {"other_signatories": (THIRD, SECOND)}),
        (errors.SignatoriesOutOfOrder(), {"other_signatories": (SECOND, SECOND)}),
        (errors.SenderInSignatories(), {"other_signatories": (FIRST, SECOND)}),
        (errors.UnexpectedTimepoint(), {"maybe_timepoint": Timepoint(1, 0)}),
    ],
)
def test_a_refused_beginning_changes_nothing(
    chain: Chain, error: DispatchError, changed: dict[str, object]
) -> None:
    good = {
        "threshold": 2,
        "other_signatories": others(FIRST),
        "maybe_timepoint": None,
        "call": CALL,
        "max_weight": ROOM,
    }
    chain.refuse(error, FIRST, "multisig", "as_multi", **{**good, **changed})


def test_a_refused_approval_changes_nothing(chain: Chain) -> None:
    when = begun(chain)
    good = {
        "threshold": 2,
        "other_signatories": others(SECOND),
        "maybe_timepoint": when,
        "call": CALL,
        "max_weight": ROOM,
    }
    call = (SECOND, "multisig", "as_multi")
    chain.refuse(errors.NoTimepoint(), *call, **{**good, "maybe_timepoint": None})
    wrong = errors.WrongTimepoint(f"block {when.height}, index 0")
    chain.refuse(wrong, *call, **{**good, "maybe_timepoint": Timepoint(9, 9)})
    heavy = errors.MaxWeightTooLow("200000000 picoseconds")
    chain.refuse(heavy, *call, **{**good, "max_weight": WeightV2(199_999_999)})
    again = {**good, "other_signatories": others(FIRST)}
    chain.refuse(errors.AlreadyApproved(), FIRST, "multisig", "as_multi", **again)
