"""Evaluation by command: ordered, waited for, and told as a share."""

from typing import Any

import pytest

from tests.support.fake_client import FakeClient, Queue, chain_answers, included, noema, sent, shown

TYPED = ("evaluate", "digits@2", "1", "--from", "//Alice", "--json")
ORDERED = {
    "name": "Evaluation.EvaluationOrdered",
    "fields": {"evaluation": 4, "model": "0x00", "snapshot": 1, "payer": "alice"},
}


def evaluation(done: int, *, is_open: bool, failure: dict[str, str] | None = None) -> Any:
    shown_ = {"number": 4, "rows": 8, "done": done, "correct": done // 2}
    return {**shown_, "open": is_open, "failure": failure}


def client_of(*answers: Any) -> FakeClient:
    waited = {"ai_evaluation": Queue(answers), "ai_transaction": included([ORDERED])}
    return FakeClient({**chain_answers(), **waited})


def test_a_model_is_measured() -> None:
    client = client_of(evaluation(4, is_open=True), evaluation(8, is_open=False))

    result = shown(noema(*TYPED, client=client))

    assert sent(client)[1:] == (
        {"model": "digits", "version": 2, "snapshot": 1},
        "Evaluation.evaluate",
    )
    assert client.params_of("ai_evaluation") == [[4], [4]]
    assert (result["correct"], result["rows"], result["accuracy"]) == (4, 8, 0.5)


def test_an_evaluation_without_a_score_is_a_refusal() -> None:
    client = client_of(evaluation(4, is_open=False, failure={"reason": "too deep"}))
    result = noema(*TYPED, client=client)
    assert (result.exit_code, "too deep" in result.stderr) == (1, True)


@pytest.mark.parametrize("model", ["digits@x", "digits@\u00b2"])
def test_what_is_no_version_is_wrong_use(model: str) -> None:
    result = noema("evaluate", model, "1", "--from", "//Alice", client=client_of())
    assert (result.exit_code, "no version number" in result.stderr) == (2, True)
