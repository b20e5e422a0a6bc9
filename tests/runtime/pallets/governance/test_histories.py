"""Random histories of votes against a counter that knows nothing but who has what."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.numbers import NOE
from runtime.assembly import CONSTRUCT
from runtime.frame import DispatchError
from runtime.pallets.governance import Stage
from tests.support.economy import ALICE, BOB, CAROL, QUIET, VALIDATORS, Chain

RULES = replace(QUIET.governance, voting_blocks=4, enactment_blocks=2)
CONFIG = replace(QUIET, governance=RULES)
CHANGE = CONSTRUCT.encode_call("Parameters", "set", {"name": "fees.per_byte", "value": 77})
VOICES = (ALICE, BOB, CAROL, VALIDATORS[0])

VOICE = st.sampled_from(VOICES)
NUMBER = st.integers(0, 1)
COINS = st.sampled_from((0, NOE // 2, NOE, 300 * NOE))


def step(call: str, /, **arguments: Any) -> Any:
    return st.tuples(VOICE, st.just(call), st.fixed_dictionaries(arguments))


STEPS = st.one_of(
    step("propose", call=st.just(CHANGE), note=st.just("")),
    step("vote", referendum=NUMBER, aye=st.booleans()),
    step("vote", referendum=NUMBER, aye=st.booleans()),
    step("take_back", referendum=NUMBER),
    step("lock", amount=COINS),
    step("unlock", amount=COINS),
    step("delegate", to=VOICE),
    step("undelegate"),
    step("cancel", referendum=NUMBER),
    st.none(),
)


class Naive:
    """Counts by walking over everybody."""

    def __init__(self) -> None:
        self.locked = dict.fromkeys(VOICES, 0)
        self.delegates: dict[bytes, bytes] = {}
        self.said: dict[int, dict[bytes, bool]] = {}

    def take(self, who: bytes, call: str, arguments: dict[str, Any]) -> None:
        match call:
            case "lock":
                self.locked[who] += arguments["amount"]
            case "unlock":
                self.locked[who] -= arguments["amount"]
                if not self.power(who):
                    self.delegates.pop(who, None)
            case "delegate":
                self.delegates[who] = arguments["to"]
            case "undelegate":
                del self.delegates[who]
            case "vote":
                self.said.setdefault(arguments["referendum"], {})[who] = arguments["aye"]
            case "take_back":
                del self.said[arguments["referendum"]][who]

    def power(self, who: bytes) -> int:
        return self.locked[who] + (100 * NOE if who in VALIDATORS else 0)

    def tally(self, number: int) -> tuple[int, int]:
        sums = [0, 0]
        for who in VOICES:
            aye = self.said.get(number, {}).get(self.delegates.get(who, who))
            if aye is not None:
                sums[0 if aye else 1] += self.power(who)
        return sums[0], sums[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_tallies_are_those_of_a_naive_counter(steps: list[Any]) -> None:
    chain, naive = Chain(CONFIG), Naive()
    issuance = chain.pallets.balances.total_issuance.get()
    for taken in [(ALICE, "propose", {"call": CHANGE, "note": ""}), *steps]:
        if taken is None:
            chain.end_block()
            continue
        who, call, arguments = taken
        before = chain.state.changes(), len(chain.state.events)
        try:
            chain.call(who, "governance", call, **arguments)
        except DispatchError:
            assert (chain.state.changes(), len(chain.state.events)) == before
        else:
            naive.take(who, call, arguments)
        for number in chain.pallets.governance.open.get():
            found = chain.pallets.governance.referenda[number]
            if found.stage == Stage.VOTING:
                assert (found.ayes, found.nays) == naive.tally(number)
    for _ in range(7):
        chain.end_block()
    assert chain.pallets.governance.open.get() == ()
    assert chain.pallets.balances.total_issuance.get() == issuance
