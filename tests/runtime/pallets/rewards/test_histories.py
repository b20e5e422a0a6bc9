"""Random histories of rewards against a distributor that pays everyone at once, in fractions."""

from collections import Counter, defaultdict
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import DispatchError
from runtime.frame.runs import FeePolicy, Runnable
from runtime.pallets.rewards import POT, TREASURY
from tests.support.economy import ALICE, DAVE, PEOPLE, VALIDATORS, Chain

DEPOSIT = CONFIG.balances.existential_deposit
DATASETS = ("digits", "letters")


class Naive:
    """Keeps everybody's exact due: no sums, no checkpoints."""

    def __init__(self) -> None:
        self.due: defaultdict[bytes, Fraction] = defaultdict(Fraction)
        self.units: dict[str, Counter[bytes]] = {name: Counter() for name in DATASETS}
        self.validators = 0
        self.leaves = 0

    def pay(self, price: int, policy: FeePolicy) -> None:
        owner, validators, contributors = (
            price * parts // 1_000_000
            for parts in (policy.owner, policy.validators, policy.contributors)
        )
        self.due[ALICE] += owner
        self.validators += validators
        each = contributors // len(DATASETS)
        treasury = price - owner - validators - each * len(DATASETS)
        for units in self.units.values():
            if not units.total():
                treasury += each
            for account, count in units.items():
                self.due[account] += Fraction(each * count, units.total() or 1)
        self.due[TREASURY] += treasury

    def end_block(self) -> None:
        for validator in VALIDATORS:
            self.due[validator] += self.validators // 4
        self.due[TREASURY] += self.validators % 4
        self.validators = 0


class History:
    """Lets the same things happen on the chain and to the naive distributor."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.naive = Naive()
        self.claimed: Counter[bytes] = Counter()
        self.issuance = self.chain.pallets.balances.total_issuance.get()

    def join(self, who: bytes, dataset: str, units: int) -> None:
        rewards = self.chain.pallets.rewards
        rewards.enrol(dataset, who)
        rewards.add_units(dataset, who, units)
        self.naive.units[dataset][who] += units

    def leave(self, who: bytes, dataset: str) -> None:
        """End one record with all units; other records of the account keep none."""
        rewards, units = self.chain.pallets.rewards, self.naive.units[dataset]
        if (who, dataset) in rewards.shares:
            rewards.leave(dataset, who, units[who])
            units[who] = 0
            self.naive.leaves += 1

    def pay(self, price: int, policy: FeePolicy) -> None:
        run = Runnable("m", 1, bytes(32), ALICE, policy, DATASETS, (), (), (), 0)
        self.chain.pallets.rewards.pay(DAVE, price, run)
        self.naive.pay(price, policy)

    def network_fee(self, fee: int, tip: int) -> None:
        chain = self.chain
        chain.pallets.balances.withdraw(DAVE, fee + tip)
        chain.pallets.rewards.receive_fee(fee, tip)
        self.naive.due[chain.pallets.system.author()] += tip
        self.naive.validators += fee

    def claim(self, who: bytes) -> None:
        before = self.chain.pallets.balances.free(who)
        try:
            sources = self.chain.pallets.rewards.status(who).sources
            self.chain.call(who, "rewards", "claim", sources=tuple(each.source for each in sources))
        except DispatchError:
            assert self.chain.pallets.rewards.status(who).claimable == 0
        self.claimed[who] += self.chain.pallets.balances.free(who) - before

    def end_block(self) -> None:
        self.chain.end_block()
        self.naive.end_block()

    def check(self) -> None:
        """Assert that everyone has what the naive distributor owes, and that nothing is lost."""
        # Truncation holds less than one unit back for each share, open or closed.
        chain, tolerance, claimable = self.chain, len(DATASETS) + self.naive.leaves, 0
        for account in (*PEOPLE, *VALIDATORS):
            now = chain.pallets.rewards.status(account).claimable
            claimable += now
            assert abs(self.claimed[account] + now - self.naive.due[account]) <= tolerance
        treasury = chain.pallets.balances.free(TREASURY) - DEPOSIT
        assert treasury == self.naive.due[TREASURY]
        left = chain.pallets.balances.free(POT) - DEPOSIT - claimable
        assert 0 <= left <= len(PEOPLE) * len(DATASETS) + self.naive.leaves
        assert chain.pallets.balances.total_issuance.get() == self.issuance


@st.composite
def policies(draw: st.DrawFn) -> FeePolicy:
    first, second, third = sorted(draw(st.tuples(*[st.integers(0, 1_000_000)] * 3)))
    return FeePolicy(0, first, second - first, third - second, 1_000_000 - third)


PERSON, DATASET = st.sampled_from(PEOPLE), st.sampled_from(DATASETS)
STEPS = st.one_of(
    st.tuples(st.just(History.join), PERSON, DATASET, st.integers(0, 2**32)),
    st.tuples(st.just(History.leave), PERSON, DATASET),
    st.tuples(st.just(History.pay), st.integers(0, NOE), policies()),
    st.tuples(st.just(History.network_fee), st.integers(0, NOE), st.integers(0, 1_000)),
    st.tuples(st.just(History.claim), PERSON),
    st.tuples(st.just(History.end_block)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_a_random_history_pays_what_a_naive_distributor_pays(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    history = History()
    for step, *arguments in steps:
        step(history, *arguments)
    history.end_block()
    history.check()
