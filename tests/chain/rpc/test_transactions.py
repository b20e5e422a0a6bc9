"""Waiting for transactions."""

from typing import Any

import pytest

from chain.rpc.json_rpc import RpcError
from chain.rpc.transactions import (
    CallRefused,
    TransactionLost,
    Transactions,
    TransactionTooSlow,
)
from tests.support.fake_client import HASH, FakeClient, Queue, included

UNKNOWN = RpcError(4004, "unknown")
READY = {"hash": HASH, "status": "ready"}
ERROR = {"name": "Balances.InsufficientBalance", "advice": "Send less."}


def wait(*answers: Any) -> tuple[Any, list[str]]:
    """Wait with a node that gives these answers, the last one for ever."""
    client, told = FakeClient({"ai_transaction": Queue(answers)}), list[str]()
    transactions = Transactions(client, lambda seconds: None)  # type: ignore[arg-type]
    return transactions.wait(HASH, told.append), told


def test_waits_until_final() -> None:
    final = included([])

    assert wait(UNKNOWN, READY, final) == (final, ["ready, waiting for a block"])


def test_a_refused_call_is_an_error_with_advice() -> None:
    with pytest.raises(CallRefused) as refused:
        wait(included([], ERROR))

    assert (refused.value.name, refused.value.advice) == (ERROR["name"], ERROR["advice"])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (UNKNOWN, TransactionLost),
        (READY, TransactionTooSlow),
        (RpcError(-32603, "Internal error"), RpcError),
    ],
)
def test_waiting_ends(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        wait(answer)
