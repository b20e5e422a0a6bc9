"""Rewards: what a block distributes and what an account claims."""

import pytest

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import PostInfo
from runtime.frame.runs import FeePolicy, FeeSplit
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.rewards import POT, TREASURY, weights
from runtime.pallets.rewards.pallet import (
    DATASETS_MAX,
    Claimed,
    DatasetReward,
    Distributed,
    NothingToClaim,
    RewardStatus,
    TooManyDatasets,
)
from tests.support.economy import ALICE, BOB, CAROL, DAVE, VALIDATORS, Chain

SHARES = FeePolicy(0, 200_000, 300_000, 400_000, 100_000)
DEPOSIT = CONFIG.balances.existential_deposit


@pytest.fixture
def chain() -> Chain:
    return Chain()


def enrol(chain: Chain, who: bytes, units: int, dataset: str = "digits") -> None:
    chain.pallets.rewards.enrol(dataset, who)
    chain.pallets.rewards.add_units(dataset, who, units)


def test_a_fee_waits_in_the_pot_for_those_it_belongs_to(chain: Chain) -> None:
    enrol(chain, BOB, 750)
    enrol(chain, CAROL, 250)

    split = chain.pallets.rewards.pay(DAVE, 1_001, SHARES, ALICE, ("digits",))

    assert split == FeeSplit(200, 300, 400, 101)
    assert chain.pallets.balances.free(POT) == DEPOSIT + 1_001
    status = chain.pallets.rewards.status
    assert status(ALICE) == RewardStatus(300, (), 300)
    assert status(BOB) == RewardStatus(0, (DatasetReward("digits", 750, 1_000, 300),), 300)
    assert status(CAROL) == RewardStatus(0, (DatasetReward("digits", 250, 1_000, 100),), 100)
    chain.end_block()


def test_a_block_divides_among_validators_by_stake_and_pays_the_treasury(chain: Chain) -> None:
    chain.pallets.rewards.pay(DAVE, 1_015, SHARES, ALICE, ())

    happened = chain.end_block()

    assert [each for each in happened if isinstance(each, Distributed)] == [Distributed(200, 511)]
    for validator in VALIDATORS:
        assert chain.pallets.rewards.status(validator).claimable == 50
    assert chain.pallets.balances.free(TREASURY) == DEPOSIT + 511


def test_network_fees_go_to_the_validators_and_tips_to_the_proposer(chain: Chain) -> None:
    chain.pallets.balances.withdraw(DAVE, 1_007)
    chain.pallets.rewards.receive_fee(1_002, 5)

    chain.end_block()

    author = VALIDATORS[1]
    for validator in VALIDATORS:
        tip = 5 if validator == author else 0
        assert chain.pallets.rewards.status(validator).claimable == 250 + tip
    assert chain.pallets.balances.free(TREASURY) == DEPOSIT + 2
    assert chain.pallets.balances.free(POT) == DEPOSIT + 1_005


def test_a_quiet_block_distributes_nothing(chain: Chain) -> None:
    assert [each for each in chain.end_block() if isinstance(each, Distributed)] == []


def test_a_claim_pays_everything_once(chain: Chain) -> None:
    enrol(chain, ALICE, 5)
    enrol(chain, ALICE, 8, "letters")
    rewards = chain.pallets.rewards
    rewards.pay(DAVE, 1_000, SHARES, ALICE, ("digits", "letters"))
    assert rewards.status(ALICE).claimable == 700
    before = chain.pallets.balances.free(ALICE)

    post = chain.call(ALICE, "rewards", "claim")

    assert post == PostInfo(actual_weight=weights.claim(2))
    assert chain.pallets.balances.free(ALICE) == before + 700
    assert chain.events_of(Claimed) == [Claimed(ALICE, 700)]
    assert rewards.status(ALICE).claimable == 0
    chain.refuse(NothingToClaim(), ALICE, "rewards", "claim")
    chain.end_block()


def test_nothing_to_claim_is_refused(chain: Chain) -> None:
    chain.refuse(NothingToClaim(), BOB, "rewards", "claim")


def test_the_share_of_an_empty_dataset_goes_to_the_treasury(chain: Chain) -> None:
    enrol(chain, BOB, 1)

    split = chain.pallets.rewards.pay(DAVE, 1_000, SHARES, ALICE, ("digits", "empty"))

    assert split == FeeSplit(200, 300, 200, 300)
    assert chain.pallets.rewards.preview(1_000, SHARES, ("digits", "empty")) == split


def test_who_leaves_keeps_what_was_earned(chain: Chain) -> None:
    enrol(chain, BOB, 5)
    enrol(chain, BOB, 5)
    chain.pallets.rewards.pay(DAVE, 1_000, SHARES, ALICE, ("digits",))

    chain.pallets.rewards.leave("digits", BOB, 5)
    assert chain.pallets.rewards.status(BOB) == RewardStatus(
        400, (DatasetReward("digits", 5, 5, 0),), 400
    )
    chain.pallets.rewards.leave("digits", BOB, 5)

    assert chain.pallets.rewards.status(BOB) == RewardStatus(400, (), 400)
    chain.end_block()
    chain.call(BOB, "rewards", "claim")


def test_who_cannot_pay_pays_nothing(chain: Chain) -> None:
    before = chain.state.changes()
    with pytest.raises(InsufficientBalance):
        chain.pallets.rewards.pay(DAVE, 10_000 * NOE, SHARES, ALICE, ())
    assert chain.state.changes() == before


def test_one_account_earns_in_a_bounded_number_of_datasets(chain: Chain) -> None:
    for number in range(DATASETS_MAX):
        chain.pallets.rewards.enrol(f"digits-{number}", BOB)
    with pytest.raises(TooManyDatasets) as refusal:
        chain.pallets.rewards.enrol("digits", BOB)
    assert refusal.value == TooManyDatasets("32 datasets")
    chain.pallets.rewards.enrol("digits-0", BOB)
