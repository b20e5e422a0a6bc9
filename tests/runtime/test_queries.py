"""Queries: typed reads of the state behind a block."""

import pytest

from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import decode_extrinsic
from chain.primitives.numbers import NOE
from consensus.core.validators import Validator, ValidatorSet
from runtime.frame import ApplyExtrinsic, EventRecord
from runtime.frame.account import NEW_LOGIC, NO_ACCOUNT, AccountData, AccountInfo
from runtime.frame.failure import BadOrigin
from runtime.frame.weight import DispatchClass, DispatchInfo, Pays, WeightV2
from runtime.pallets.balances.pallet import Transfer
from runtime.pallets.fees import FeeDetails
from runtime.pallets.system.pallet import ExtrinsicFailed
from runtime.queries import outcome_of
from tests.support.memory_chain import ALICE, BOB, CAROL, MemoryChain


def test_accounts_and_validators(chain: MemoryChain) -> None:
    queries = chain.queries()

    assert queries.account(BOB.address) == AccountInfo(
        providers=1, data=AccountData(free=100 * NOE, flags=NEW_LOGIC)
    )
    assert queries.account(ALICE.address).data.reserved == 500 * NOE
    assert queries.account(CAROL.address) == NO_ACCOUNT
    assert queries.validators() == ValidatorSet((Validator(ALICE.address, 500),))
    assert queries.events() == ()


def test_a_fee_is_known_before_and_paid_after(chain: MemoryChain) -> None:
    encoded = chain.transfer(BOB, ALICE, 5)
    fee = chain.queries().call_fee(decode_extrinsic(encoded).call, len(encoded))
    outcome = chain.block(encoded)

    assert fee.details == FeeDetails(NOE // 1000, len(encoded) * NOE // 1_000_000, 200_000_000)
    assert (fee.weight, fee.details.total) == (outcome.applied[2].weight, outcome.applied[2].fee)


def test_the_price_of_nonsense_is_refused(chain: MemoryChain) -> None:
    with pytest.raises(DecodeError):
        chain.queries().call_fee(b"\xff\xff", 100)


def test_outcomes_by_place(chain: MemoryChain) -> None:
    chain.block(chain.transfer(BOB, ALICE, 5))
    outcome = chain.queries().outcome(2)

    assert outcome is not None
    assert outcome.refusal is None
    assert Transfer(BOB.address, ALICE.address, 5) in [each.event for each in outcome.records]
    assert chain.queries().outcome(3) is None


def test_refusals_are_told_in_words() -> None:
    info = DispatchInfo(WeightV2(1), DispatchClass.NORMAL, Pays.YES)
    failed = EventRecord(ApplyExtrinsic(0), ExtrinsicFailed(BadOrigin(), info))
    outcome = outcome_of((failed,), 0)

    assert outcome is not None
    assert outcome.refusal is not None
    assert outcome.refusal.name == "BadOrigin"
