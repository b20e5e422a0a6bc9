"""Treasury: only the chain itself spends it, and never the last of it."""

import pytest

from chain.primitives.numbers import NOE
from runtime.frame import BadOrigin, DispatchError, Root
from runtime.pallets.balances.pallet import Expendability, InsufficientBalance, Transfer
from runtime.pallets.rewards import TREASURY
from runtime.pallets.treasury.pallet import NothingToSpend, Spent
from tests.support.economy import ALICE, BOB, Chain
from tests.support.pallet_calls import dispatch


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.call(ALICE, "balances", "transfer_keep_alive", dest=TREASURY, value=5 * NOE)
    return chain


def test_a_vote_spends(chain: Chain) -> None:
    treasury = chain.pallets.treasury
    assert treasury.spendable() == 5 * NOE
    dispatch(treasury, Root(), 0, {"beneficiary": BOB, "amount": 2 * NOE})

    assert chain.state.events[-2:] == [Transfer(TREASURY, BOB, 2 * NOE), Spent(BOB, 2 * NOE)]
    assert treasury.spendable() == 3 * NOE
    chain.end_block()


def test_no_key_spends(chain: Chain) -> None:
    refusal = BadOrigin("spend does not accept Signed")
    chain.refuse(refusal, ALICE, "treasury", "spend", beneficiary=ALICE, amount=1)


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        (0, NothingToSpend),
        (5 * NOE + 1, Expendability),
        (6 * NOE, InsufficientBalance),
    ],
)
def test_a_refused_spend_changes_nothing(
    chain: Chain, amount: int, error: type[DispatchError]
) -> None:
    before = chain.state.changes(), list(chain.state.events)
    with pytest.raises(error):
        dispatch(chain.pallets.treasury, Root(), 0, {"beneficiary": BOB, "amount": amount})
    assert (chain.state.changes(), chain.state.events) == before
