"""Parameters: a change holds from the next block on, within bounds, and only by vote."""

import pytest

from chain.primitives.numbers import NOE
from runtime.frame import BadOrigin, Root
from runtime.frame.outcome import DispatchError
from runtime.pallets.parameters.pallet import (
    DoesNotFit,
    OutOfBounds,
    ParameterSet,
    UnknownParameter,
)
from tests.support.economy import ALICE, QUIET, Chain
from tests.support.pallet_calls import dispatch


def change(chain: Chain, name: str, value: int) -> None:
    dispatch(chain.pallets.parameters, Root(), 0, {"name": name, "value": value})


def test_a_change_holds_from_the_next_block_on() -> None:
    chain = Chain()
    before = QUIET.fees.base
    change(chain, "fees.base", 7 * before)

    assert chain.events_of(ParameterSet) == [ParameterSet("fees.base", before, 7 * before)]
    assert chain.pallets.fees.base_fee == before
    chain.end_block()
    assert chain.pallets.fees.base_fee == 7 * before
    assert chain.pallets.config.fees.base == 7 * before
    change(chain, "fees.base", before)
    assert chain.events_of(ParameterSet) == [ParameterSet("fees.base", 7 * before, before)]
    chain.end_block()
    assert chain.pallets.config == QUIET


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("fees.tip", 1, UnknownParameter("'fees.tip'")),
        ("balances.existential_deposit", 1, UnknownParameter("'balances.existential_deposit'")),
        ("", 1, UnknownParameter("''")),
        ("fees.base", 0, OutOfBounds(f"fees.base: 0, from {NOE // 1_000_000} to {NOE}")),
        (
            "issuance.datasets",
            1_000_001,
            OutOfBounds("issuance.datasets: 1000001, from 0 to 1000000"),
        ),
        (
            "models.gas_max",
            500_000_000,
            DoesNotFit("a run of 500000000 gas does not fit into a block"),
        ),
        (
            "limits.weight_max",
            400_000_000_000,
            DoesNotFit("a run of 400000000 gas does not fit into a block"),
        ),
    ],
)
def test_a_refused_change_changes_nothing(name: str, value: int, error: DispatchError) -> None:
    chain = Chain()
    before = chain.state.changes(), list(chain.state.events)
    with pytest.raises(type(error)) as refusal:
        change(chain, name, value)
    assert str(refusal.value) == str(error)
    assert (chain.state.changes(), chain.state.events) == before


def test_limits_move_together() -> None:
    chain = Chain()
    change(chain, "limits.weight_max", 1_000_000_000_000)
    change(chain, "models.gas_max", 500_000_000)
    chain.end_block()
    assert chain.pallets.models.gas_max == 500_000_000


def test_no_key_changes_anything() -> None:
    refusal = BadOrigin("set does not accept Signed")
    Chain().refuse(refusal, ALICE, "parameters", "set", name="fees.base", value=NOE)
