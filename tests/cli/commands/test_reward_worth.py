"""What rows were worth, by command: what is sent, and what is computed anew."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chain.primitives.keys import ss58_encode
from chain.rpc.rules.questions import QUESTIONS
from runtime.pallets.attribution.stored import Embedding, Measure, Share
from tests.support.economy import ALICE, BOB, CAROL, MALLORY, QUIET, Chain
from tests.support.fake_client import FakeClient, chain_answers, noema, sent, shown
from tests.support.valued_digits import digits, honest, mislabelled, run_all


def answers_of(chain: Chain) -> dict[str, Any]:
    """Answer as a node of a chain in memory."""
    queries = SimpleNamespace(pallets=chain.pallets, dataset=chain.pallets.data.status)

    def chunk(root: str, index: int) -> str:
        return "base64:" + b64encode(chain.executor.contents[bytes.fromhex(root[2:])]).decode()

    def blob(root: str) -> dict[str, Any]:
        length = len(chain.executor.contents[bytes.fromhex(root[2:])])
        return {"chain": {"length": length}, "chunks_held": [0]}

    named = ("valuation", "valuations", "snapshot", "dataset")
    return {
        **{
            f"ai_{name}": lambda *given, name=name: QUESTIONS[name](queries, *given)
            for name in named
        },
        "ai_blobStatus": blob,
        "ai_getChunk": chunk,
    }


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    chain = Chain(QUIET)
    wrong, _ = mislabelled(digits("carol", 300, 60), 1)
    copied = digits("bob", 0, 20)
    copied[:, 0] += 1
    run_all(chain, {**honest(), MALLORY: np.concatenate([wrong, copied])})
    return answers_of(chain)


def test_a_dataset_is_explained_by_its_rows(answers: dict[str, Any]) -> None:
    client = FakeClient(answers)
    found = shown(noema("reward", "explain", "digits", "--rows", "--json", client=client))

    assert found["same_here"]
    assert [each["repeated"] for each in found["records"]] == [0, 0, 20]
    assert found["repeating_rows"] == 20
    assert {each["record"] for each in found["least_valuable"]} == {2}
    assert {each["record"] for each in found["most_valuable"]} <= {0, 1}
    assert all(float(each["worth"]) < 0 for each in found["least_valuable"])


def test_an_address_is_explained_by_its_records(answers: dict[str, Any]) -> None:
    found = shown(noema("reward", "explain", "//Carol", "--json", client=FakeClient(answers)))
    assert [each["contributor"] for each in found["records"]] == [ss58_encode(CAROL)]
    assert "most_valuable" not in found


def test_another_worth_is_found_out(answers: dict[str, Any]) -> None:
    def forged(number: int) -> Any:
        return {**answers["ai_valuation"](number), "exact": "0x" + "00" * 32}

    client = FakeClient({**answers, "ai_valuation": forged})
    result = noema("reward", "explain", "digits", client=client)
    assert (result.exit_code, "Another worth" in result.output) == (1, True)


def test_what_was_never_valued_is_said(answers: dict[str, Any]) -> None:
    result = noema("reward", "explain", "letters", client=FakeClient(answers))
    assert (result.exit_code, "Nothing was valued of letters" in result.output) == (1, True)


def test_valuations_are_listed(answers: dict[str, Any]) -> None:
    (found,) = shown(noema("reward", "valuations", "--json", client=FakeClient(answers)))
    assert (found["stage"], found["rows"], found["counted"]) == ("Finished", 430, 410)


def test_declarations_are_sent() -> None:
    client = FakeClient({**chain_answers(), "ai_dataset": {"neighbours": 5}})
    options = ("--evaluation", "0", "--rows", "9", "--embedding", "encoder@2", "--from", "//Alice")
    noema("reward", "declare", "digits", *options, client=client)
    signed, arguments, call = sent(client)
    measure = Measure(0, 5, 9, Embedding("encoder", 2))
    assert (signed.address, call) == (ALICE, "Attribution.declare")
    assert arguments == {"dataset": "digits", "measure": measure, "shares": ()}

    client = FakeClient(chain_answers())
    noema(
        "reward",
        "declare",
        "digits",
        "--share",
        "//Bob=1000000",
        "--from",
        "//Alice",
        client=client,
    )
    arguments = {"dataset": "digits", "measure": None, "shares": (Share(BOB, 1_000_000),)}
    assert sent(client)[1] == arguments


def test_what_was_declared_is_measured() -> None:
    measure = {"evaluation": 0, "neighbours": 5, "rows": None, "embedding": None}
    declared = {"ai_snapshot": {"dataset": "digits"}, "ai_yardstick": {"measure": measure}}
    client = FakeClient({**chain_answers(), **declared})
    noema("reward", "value", "1", "--max-price", "2NOE", "--from", "//Bob", client=client)
    _, arguments, call = sent(client)
    assert call == "Attribution.value"
    given = {"snapshot": 1, "measure": Measure(0, 5, None, None), "max_price": 2 * 10**12}
    assert arguments == given


@pytest.mark.parametrize(
    "options",
    [
        ("value", "1", "--max-price", "1NOE", "--rows", "3"),
        ("value", "1", "--max-price", "1NOE", "--evaluation", "0"),
        ("declare", "digits", "--share", "//Bob"),
    ],
)
def test_wrong_use_is_explained(options: tuple[str, ...]) -> None:
    assert noema("reward", *options, "--from", "//Bob").exit_code == 2
