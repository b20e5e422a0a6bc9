"""No single key: which calls only the chain itself makes, and that no key becomes the chain.

There is no sudo, in no preset: nothing but a referendum makes a call with the chain's own origin.
"""

import ast
from pathlib import Path

import pytest

import runtime
from chain.primitives.numbers import NOE
from runtime.assembly import CONSTRUCT
from runtime.frame import BadOrigin, Inherent, Root, Signed
from tests.support.economy import ALICE, VALIDATORS, Chain

CALLS = [
    (index, f"{pallet.name}.{call.name}", call)
    for index, pallet in CONSTRUCT.pallets.items()
    for call in pallet.calls.values()
]
BY_VOTE_ONLY = ["Governance.schedule_upgrade", "Parameters.set", "Treasury.spend"]
MAKES_ROOT = {"pallets/governance/pallet.py"}
"""Files of the runtime that make the chain's own origin."""


def test_only_votes_spend_and_change_rules() -> None:
    assert sorted(name for _, name, call in CALLS if call.origins == (Root,)) == BY_VOTE_ONLY


def test_every_call_checks_its_origin() -> None:
    """Whatever its arguments: the origin is looked at before the call sees them."""
    chain = Chain()
    for index, _, call in CALLS:
        pallet = chain.pallets.by_index[index]
        for origin in (Signed(ALICE), Signed(VALIDATORS[0]), Root(), Inherent()):
            if type(origin) in call.origins:
                continue
            before = chain.state.changes(), list(chain.state.events)
            with pytest.raises(BadOrigin) as refusal:
                pallet.run(origin, call, ())
            assert str(refusal.value) == f"{call.name} does not accept {type(origin).__name__}"
            assert (chain.state.changes(), chain.state.events) == before


def test_nothing_but_a_referendum_makes_the_chains_own_origin() -> None:
    root = Path(runtime.__file__).parent
    makes = set()
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Root":
                makes.add(str(path.relative_to(root)))
    assert makes == MAKES_ROOT


def test_calls_within_calls_reach_no_more_than_their_signer() -> None:
    chain = Chain()
    change = CONSTRUCT.encode_call("Parameters", "set", {"name": "fees.base", "value": NOE})
    for _ in range(3):
        change = CONSTRUCT.encode_call("Utility", "batch", {"calls": (change,)})
        chain.call(ALICE, "utility", "batch", calls=(change,))
    assert chain.pallets.parameters.overrides() == {}
