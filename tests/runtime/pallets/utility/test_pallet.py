"""Utility: batches run with their own origin, and tell how far they came."""

import pytest

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.dispatch import NotACall
from runtime.frame import BadOrigin, PostInfo, Root, Signed
from runtime.frame.failure import BadOrigin as BadOriginFailure
from runtime.frame.failure import Module
from runtime.pallets.balances.pallet import InsufficientBalance, Transfer
from runtime.pallets.utility import weights
from runtime.pallets.utility.pallet import (
    BatchCompleted,
    BatchInterrupted,
    ItemCompleted,
    NoCalls,
)
from tests.support.economy import ALICE, BOB, Chain
from tests.support.pallet_calls import dispatch

TRANSFER = 200_000_000
"""Picoseconds of a transfer with what any transaction costs."""


def transfer(value: int) -> bytes:
    arguments = {"dest": BOB, "value": value}
    return CONSTRUCT.encode_call("Balances", "transfer_keep_alive", arguments)


def batch(*calls: bytes) -> bytes:
    return CONSTRUCT.encode_call("Utility", "batch", {"calls": calls})


@pytest.fixture
def chain() -> Chain:
    return Chain()


def test_all_calls_run(chain: Chain) -> None:
    post = chain.call(ALICE, "utility", "batch", calls=(transfer(NOE), transfer(2 * NOE)))

    assert post == PostInfo(weights.BASE + 2 * TRANSFER)
    assert chain.events_of(Transfer, ItemCompleted, BatchCompleted) == [
        *(Transfer(ALICE, BOB, NOE), ItemCompleted()),
        *(Transfer(ALICE, BOB, 2 * NOE), ItemCompleted(), BatchCompleted()),
    ]
    chain.end_block()


def test_a_batch_stops_at_the_first_refusal(chain: Chain) -> None:
    calls = (transfer(NOE), transfer(1 << 100), transfer(NOE))
    post = chain.call(ALICE, "utility", "batch", calls=calls)

    assert post == PostInfo(weights.BASE + 2 * TRANSFER)
    refused = Module(2, bytes((InsufficientBalance.index or 0, 0, 0, 0)))
    assert chain.events_of(Transfer, ItemCompleted, BatchCompleted, BatchInterrupted) == [
        *(Transfer(ALICE, BOB, NOE), ItemCompleted(), BatchInterrupted(1, refused)),
    ]
    chain.end_block()


def test_all_or_none(chain: Chain) -> None:
    calls = (transfer(NOE), transfer(2_000 * NOE), transfer(NOE))
    before = chain.state.changes(), list(chain.state.events)
    with pytest.raises(InsufficientBalance) as refusal:
        chain.call(ALICE, "utility", "batch_all", calls=calls)
    assert refusal.value.post == PostInfo(weights.BASE + 2 * TRANSFER)
    assert (chain.state.changes(), chain.state.events) == before

    chain.call(ALICE, "utility", "batch_all", calls=calls[:1])
    assert chain.events_of(Transfer) == [Transfer(ALICE, BOB, NOE)]
    chain.end_block()


@pytest.mark.parametrize("name", ["batch", "batch_all"])
def test_no_calls_are_no_batch(chain: Chain, name: str) -> None:
    chain.refuse(NoCalls(), ALICE, "utility", name, calls=())


def test_what_is_no_call_is_refused_and_weighs_nothing(chain: Chain) -> None:
    chain.refuse(NotACall("no call ffff"), *(ALICE, "utility", "batch_all"), calls=(b"\xff\xff",))
    utility = chain.pallets.utility
    assert utility.weigh((b"\xff\xff",)) == weights.BASE
    assert utility.weigh((transfer(1), transfer(2))) == weights.BASE + 2 * TRANSFER
    nested = utility.weigh((batch(transfer(1)),))
    assert nested == 2 * weights.BASE + CONFIG.limits.extrinsic_base + TRANSFER


def test_batches_in_batches_end(chain: Chain) -> None:
    deep = transfer(NOE)
    for _ in range(5):
        deep = batch(deep)
    chain.call(ALICE, "utility", "batch", calls=(deep,))
    assert chain.events_of(Transfer) == []
    assert len(chain.events_of(BatchInterrupted)) == 1


def test_a_batch_gives_no_greater_origin(chain: Chain) -> None:
    spend = CONSTRUCT.encode_call("Treasury", "spend", {"beneficiary": ALICE, "amount": 1})
    chain.refuse(
        BadOrigin("spend does not accept Signed"),
        *(ALICE, "utility", "batch_all"),
        calls=(spend,),
    )
    chain.call(ALICE, "utility", "batch", calls=(spend,))
    assert chain.events_of(BatchInterrupted) == [BatchInterrupted(0, BadOriginFailure())]


def test_root_can_batch(chain: Chain) -> None:
    change = CONSTRUCT.encode_call("Parameters", "set", {"name": "fees.base", "value": NOE})
    dispatch(chain.pallets.utility, Root(), 2, {"calls": (change,)})
    assert chain.pallets.parameters.overrides() == {"fees.base": NOE}
    with pytest.raises(BadOrigin):
        dispatch(chain.pallets.utility, Root(), 2, {"calls": (transfer(1),)})
    with pytest.raises(BadOrigin):
        dispatch(chain.pallets.utility, Signed(ALICE), 2, {"calls": (change,)})
