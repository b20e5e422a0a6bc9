"""Rewards: what a block distributes and what an account claims."""

from dataclasses import replace

import pytest

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import PostInfo
from runtime.frame.runs import FeePolicy, FeeSplit, Royalty, Runnable
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.rewards import POT, TREASURY, IssuanceConfig, weights
from runtime.pallets.rewards.pallet import (
    Claimed,
    Distributed,
    Issued,
    NoShare,
    NothingToClaim,
    PoolOpened,
    RewardStatus,
    SourceReward,
)
from tests.support.economy import ALICE, BOB, CAROL, DAVE, MALLORY, VALIDATORS, Chain

SHARES = FeePolicy(0, 200_000, 300_000, 400_000, 100_000)
DEPOSIT = CONFIG.balances.existential_deposit
EPOCH = CONFIG.randomness.epoch_blocks


@pytest.fixture
def chain() -> Chain:
    return Chain()


def run(*sources: str, royalties: tuple[Royalty, ...] = ()) -> Runnable:
    return Runnable("m", 1, bytes(32), ALICE, SHARES, sources, royalties, (), (), 0)


def enrol(chain: Chain, who: bytes, units: int, dataset: str = "digits") -> None:
    chain.pallets.rewards.enrol(dataset, who)
    chain.pallets.rewards.add_units(dataset, who, units)


def test_a_fee_waits_in_the_pot_for_those_it_belongs_to(chain: Chain) -> None:
    enrol(chain, BOB, 750)
    enrol(chain, CAROL, 250)

    split = chain.pallets.rewards.pay(DAVE, 1_001, run("digits"))

    assert split == FeeSplit(200, 300, 400, 101)
    assert chain.pallets.balances.free(POT) == DEPOSIT + 1_001
    status = chain.pallets.rewards.status
    assert status(ALICE) == RewardStatus(300, (), 300)
    assert status(BOB) == RewardStatus(0, (SourceReward("digits", 750, 1_000, 300),), 300)
    assert status(CAROL) == RewardStatus(0, (SourceReward("digits", 250, 1_000, 100),), 100)
    chain.end_block()


def test_a_block_divides_among_validators_by_stake_and_pays_the_treasury(chain: Chain) -> None:
    chain.pallets.rewards.pay(DAVE, 1_015, run())

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
    rewards.pay(DAVE, 1_000, run("digits", "letters"))
    assert rewards.status(ALICE).claimable == 700
    before = chain.pallets.balances.free(ALICE)

    post = chain.call(ALICE, "rewards", "claim", sources=("digits", "letters", "digits"))

    assert post == PostInfo()
    (claim,) = rewards.calls.values()
    assert claim.weigh(rewards, (("digits", "letters"),)) == weights.claim(2)
    assert chain.pallets.balances.free(ALICE) == before + 700
    assert chain.events_of(Claimed) == [Claimed(ALICE, 700)]
    assert rewards.status(ALICE).claimable == 0
    chain.refuse(NothingToClaim(), ALICE, "rewards", "claim", sources=("digits",))
    chain.end_block()


def test_nothing_to_claim_is_refused(chain: Chain) -> None:
    chain.refuse(NothingToClaim(), BOB, "rewards", "claim", sources=())
    chain.refuse(NoShare("digits"), BOB, "rewards", "claim", sources=("digits",))


def test_the_share_of_an_empty_dataset_goes_to_the_treasury(chain: Chain) -> None:
    enrol(chain, BOB, 1)

    split = chain.pallets.rewards.pay(DAVE, 1_000, run("digits", "empty"))

    assert split == FeeSplit(200, 300, 200, 300)
    assert chain.pallets.rewards.preview(1_000, run("digits", "empty")) == split


def test_who_leaves_keeps_what_was_earned(chain: Chain) -> None:
    enrol(chain, BOB, 5)
    enrol(chain, BOB, 5)
    chain.pallets.rewards.pay(DAVE, 1_000, run("digits"))

    chain.pallets.rewards.leave("digits", BOB, 5)
    assert chain.pallets.rewards.status(BOB) == RewardStatus(
        400, (SourceReward("digits", 5, 5, 0),), 400
    )
    chain.pallets.rewards.leave("digits", BOB, 5)

    assert chain.pallets.rewards.status(BOB) == RewardStatus(400, (), 400)
    chain.end_block()
    chain.call(BOB, "rewards", "claim", sources=())


def test_who_cannot_pay_pays_nothing(chain: Chain) -> None:
    before = chain.state.changes()
    with pytest.raises(InsufficientBalance):
        chain.pallets.rewards.pay(DAVE, 10_000 * NOE, run())
    assert chain.state.changes() == before


def test_ancestors_get_their_parts_first(chain: Chain) -> None:
    enrol(chain, BOB, 1)
    ancestors = (Royalty(CAROL, 100_000), Royalty(MALLORY, 50_000))

    split = chain.pallets.rewards.pay(DAVE, 1_000, run("digits", royalties=ancestors))

    assert split == FeeSplit(170, 255, 340, 85, 150)
    status = chain.pallets.rewards.status
    claimable = [status(each).claimable for each in (ALICE, BOB, CAROL, MALLORY)]
    assert claimable == [255, 340, 100, 50]
    chain.end_block()


def test_a_snapshot_is_paid_by_measured_worth(chain: Chain) -> None:
    rewards = chain.pallets.rewards
    rewards.open_pool("digits.3", [(BOB, 900), (CAROL, 100), (MALLORY, 0)])

    rewards.pay(DAVE, 1_000, run("digits.3"))

    assert chain.events_of(PoolOpened) == [PoolOpened("digits.3", 2, 1_000)]
    assert rewards.exists("digits.3")
    assert rewards.status(BOB) == RewardStatus(0, (SourceReward("digits.3", 900, 1_000, 360),), 360)
    assert rewards.status(CAROL).claimable == 40
    assert rewards.status(MALLORY) == RewardStatus(0, (), 0)
    chain.call(BOB, "rewards", "claim", sources=("digits.3",))
    chain.end_block()


def test_a_source_without_worth_earns_nothing(chain: Chain) -> None:
    chain.pallets.rewards.open_pool("digits.3", [(MALLORY, 0)])
    split = chain.pallets.rewards.pay(DAVE, 1_000, run("digits.3"))
    assert split == FeeSplit(200, 300, 0, 500)
    chain.end_block()


def test_a_task_pays_what_its_owner_set_aside(chain: Chain) -> None:
    before = chain.pallets.balances.free(DAVE)
    chain.pallets.rewards.reward(DAVE, BOB, 77)
    assert chain.pallets.rewards.status(BOB) == RewardStatus(77, (), 77)
    assert chain.pallets.balances.free(DAVE) == before - 77
    chain.end_block()


def through_an_epoch(chain: Chain) -> list[Issued]:
    """End blocks until the first of the next epoch has begun."""
    happened = [event for event in chain.state.events if isinstance(event, Issued)]
    while not happened:
        happened = [each for each in chain.end_block() if isinstance(each, Issued)]
    return happened


def test_new_coins_go_to_validators_and_to_data_that_was_used() -> None:
    chain = Chain(replace(CONFIG, issuance=IssuanceConfig(1_000, 500_000)))
    enrol(chain, BOB, 3)
    enrol(chain, CAROL, 1, "letters")
    enrol(chain, MALLORY, 1, "unused")
    issuance = chain.pallets.balances.total_issuance.get()
    chain.pallets.rewards.pay(DAVE, 10_000, run("digits", "letters"))

    assert through_an_epoch(chain) == [Issued(500, 500)]

    assert chain.pallets.balances.total_issuance.get() == issuance + 1_000
    status = chain.pallets.rewards.status
    assert [status(each).claimable for each in (BOB, CAROL, MALLORY)] == [2_250, 2_250, 0]
    chain.end_block()
    assert [status(each).claimable for each in VALIDATORS] == [500 + 125] * 4


def test_who_pays_his_own_model_earns_less_than_he_spends() -> None:
    chain = Chain(replace(CONFIG, issuance=IssuanceConfig(NOE, 1_000_000)))
    own = FeePolicy(0, 0, 0, 999_000, 1_000)
    enrol(chain, MALLORY, 1, "mine")
    start = chain.pallets.balances.free(MALLORY)
    for _ in range(3):
        paid = Runnable("m", 1, bytes(32), MALLORY, own, ("mine",), (), (), (), 0)
        chain.pallets.rewards.pay(MALLORY, NOE, paid)
        through_an_epoch(chain)
    chain.call(MALLORY, "rewards", "claim", sources=("mine",))
    assert chain.pallets.balances.free(MALLORY) <= start


def test_what_nobody_earned_is_not_issued() -> None:
    chain = Chain(replace(CONFIG, issuance=IssuanceConfig(1_000, 500_000)))
    chain.pallets.rewards.pay(DAVE, 10_000, run("empty"))
    assert through_an_epoch(chain) == [Issued(500, 0)]
    assert EPOCH > 1
