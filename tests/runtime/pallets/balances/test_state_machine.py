"""Balances under random histories: refused or not, funds are conserved."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runtime.assembly import CONFIG
from runtime.frame import DispatchError, Overlay, Signed
from runtime.pallets.balances import Balances, BalancesConfig
from runtime.pallets.system import System
from tests.support.pallet_calls import dispatch

ACCOUNTS = [bytes([n]) * 32 for n in range(4)]
WHO = st.sampled_from(ACCOUNTS)
AMOUNT = st.one_of(st.integers(0, 40), st.sampled_from([9, 10, 11, 90, 100, 101, 10**9]))


class History(RuleBasedStateMachine):
    """Calls and services in any order."""

    @initialize()
    def begin(self) -> None:
        self.state = Overlay.over({})
        self.system = System(self.state, CONFIG.system)
        self.balances = Balances(self.state, BalancesConfig(10), self.system)
        self.balances.build_genesis({ACCOUNTS[0]: 100, ACCOUNTS[1]: 100})

    @rule(who=WHO, to=WHO, amount=AMOUNT, call=st.sampled_from([0, 3]))
    def transfer(self, who: bytes, to: bytes, amount: int, call: int) -> None:
        self.system.count_transaction(who)
        self.try_call(Signed(who), call, {"dest": to, "value": amount})

    @rule(who=WHO, to=WHO, keep_alive=st.booleans())
    def transfer_all(self, who: bytes, to: bytes, keep_alive: bool) -> None:
        self.try_call(Signed(who), 4, {"dest": to, "keep_alive": keep_alive})

    @rule(who=WHO, amount=AMOUNT, service=st.sampled_from(["reserve", "unreserve"]))
    def set_aside(self, who: bytes, amount: int, service: str) -> None:
        try:
            getattr(self.balances, service)(who, amount)
        except DispatchError:
            return

    @invariant()
    def funds_are_conserved(self) -> None:
        if hasattr(self, "balances"):
            self.balances.check_invariants()

    def try_call(self, origin: Signed, index: int, arguments: dict[str, object]) -> None:
        before = self.state.changes(), len(self.state.events)
        try:
            dispatch(self.balances, origin, index, arguments)
        except DispatchError:
            assert (self.state.changes(), len(self.state.events)) == before


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
