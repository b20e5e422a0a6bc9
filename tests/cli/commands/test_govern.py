"""Governance by command, over what the real rules answer."""

from typing import Any

import pytest

from chain.primitives.keys import ss58_encode
from chain.primitives.numbers import NOE
from chain.rpc.json_rpc import RpcError
from chain.rpc.rules.questions import QUESTIONS
from runtime.assembly import CONFIG, CONSTRUCT
from runtime.pallets.rewards import TREASURY
from tests.support.economy import ALICE, BOB, Chain
from tests.support.fake_client import FakeClient, Queue, chain_answers, included, noema, sent, shown

CHANGE = CONSTRUCT.encode_call("Parameters", "set", {"name": "fees.base", "value": 2 * 10**9})


class View:
    """What questions need of a state."""

    def __init__(self, chain: Chain) -> None:
        self.pallets = chain.pallets


def node(**answers: Any) -> FakeClient:
    """Give a node over a chain on which Alice proposed and Bob voted."""
    chain = Chain()
    chain.call(ALICE, "governance", "propose", call=CHANGE, note="too low")
    chain.call(BOB, "governance", "lock", amount=5 * NOE)
    chain.call(BOB, "governance", "vote", referendum=0, aye=True)
    view = View(chain)
    ask = {
        "ai_referendum": lambda number: QUESTIONS["referendum"](view, number),
        "ai_referenda": lambda count: QUESTIONS["referenda"](view, count),
        "ai_voter": lambda address: QUESTIONS["voter"](view, BOB),
        "ai_parameters": lambda: QUESTIONS["parameters"](view),
        "ai_treasury": lambda: QUESTIONS["treasury"](view),
        "ai_upgrade": lambda: QUESTIONS["upgrade"](view),
    }
    return FakeClient({**chain_answers(), **ask, **answers})


def test_a_proposal_is_a_call_by_name() -> None:
    proposed = {"referendum": 3, "proposer": "5F", "call_hash": "0x", "end": 47}
    event = {"name": "Governance.Proposed", "fields": proposed}
    client = node(ai_transaction=included([event]))
    result = noema(
        *("govern", "propose", "parameters.set", "--arg", "name=fees.base"),
        *("--arg", "value=2mNOE", "--note", "too low", "--from", "//Alice", "--json"),
        client=client,
    )
    assert shown(result)["referendum"] == 3
    _, arguments, name = sent(client)
    assert name == "Governance.propose"
    assert arguments == {"call": CHANGE, "note": "too low"}


@pytest.mark.parametrize(
    ("typed", "name", "arguments"),
    [
        ("vote 0 aye", "vote", {"referendum": 0, "aye": True}),
        ("vote 7 nay", "vote", {"referendum": 7, "aye": False}),
        ("take-back 0", "take_back", {"referendum": 0}),
        ("lock 100NOE", "lock", {"amount": 100 * NOE}),
        ("unlock 5", "unlock", {"amount": 5}),
        ("delegate //Bob", "delegate", {"to": BOB}),
        ("undelegate", "undelegate", {}),
        ("slow 1", "slow", {"referendum": 1}),
        ("cancel 1", "cancel", {"referendum": 1}),
    ],
)
def test_calls_of_governance(typed: str, name: str, arguments: dict[str, Any]) -> None:
    client = node()
    result = noema("govern", *typed.split(), "--from", "//Alice", "--json", client=client)
    assert result.exit_code == 0, result.output
    assert sent(client)[1:] == (arguments, f"Governance.{name}")


@pytest.mark.parametrize(
    "typed",
    [
        "vote 0 maybe --from //Alice",
        "vote one aye --from //Alice",
        "vote 4294967296 aye --from //Alice",
        "vote 0 aye",
        "propose parameters.set --arg nome=x --from //Alice",
        "propose parameters.sit --from //Alice",
        "delegate nobody --from //Alice",
    ],
)
def test_wrong_use_sends_nothing(typed: str) -> None:
    client = node()
    result = noema("govern", *typed.split(), client=client)
    assert result.exit_code == 2, result.output
    assert client.params_of("author_submitExtrinsic") == []


def test_a_refusal_is_told_with_advice() -> None:
    error = {"name": "Governance.NoPower", "advice": "Lock funds first."}
    client = node(ai_transaction=included([], error))
    result = noema("govern", "vote", "0", "aye", "--from", "//Alice", client=client)
    assert result.exit_code == 1
    assert "Lock funds first." in result.output


def test_a_referendum_is_shown_in_words() -> None:
    found = shown(noema("govern", "show", "0", "--json", client=node()))
    assert found == {
        "number": 0,
        "call": "Parameters.set",
        "arguments": {"name": "fees.base", "value": "2000000000"},
        "proposer": ss58_encode(ALICE),
        "note": "too low",
        "deposit": str(CONFIG.governance.deposit),
        "stage": "Voting",
        "due": 1 + CONFIG.governance.voting_blocks,
        "ayes": str(5 * NOE),
        "nays": "0",
        "slowing": [],
        "cancelling": [],
        "encoded": "0x" + CHANGE.hex(),
    }
    (listed,) = shown(noema("govern", "list", "--json", client=node()))
    assert listed == found
    text = noema("govern", "list", client=node()).stdout
    assert "Parameters.set" in text
    assert "5 NOE" in text
    unknown = node(ai_referendum=Queue([RpcError(-32004, "No referendum 9")]))
    assert noema("govern", "show", "9", client=unknown).exit_code == 1


def test_a_voter_is_shown() -> None:
    found = shown(noema("govern", "voter", "//Bob", "--json", client=node()))
    assert (found["power"], found["locked"], found["delegate"]) == (str(5 * NOE),) * 2 + (None,)
    assert found["votes"] == [{"referendum": 0, "aye": True, "power": str(5 * NOE)}]


def test_parameters_treasury_and_rules_are_shown() -> None:
    listed = shown(noema("govern", "parameters", "--json", client=node()))
    (fee,) = [each for each in listed if each["name"] == "fees.base"]
    assert (fee["value"], fee["most"], fee["changed"]) == (
        *(str(CONFIG.fees.base), str(NOE)),
        False,
    )
    assert shown(noema("govern", "treasury", "--json", client=node())) == {
        "account": ss58_encode(TREASURY),
        "spendable": "0",
    }
    rules = shown(noema("govern", "upgrade", "--json", client=node()))
    assert rules == {"spec_version": 1, "next": None}
