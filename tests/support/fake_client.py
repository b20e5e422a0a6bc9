"""A client that answers from a dictionary, and a command line that uses it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from chain.primitives.extrinsic import decode_extrinsic
from chain.rpc.json_rpc import RpcError
from cli.context import CliContext
from cli.main import main
from runtime.assembly import CONSTRUCT

HASH = "0x" + "ab" * 32
HEAD = "0x" + "cd" * 32


class FakeClient:
    """Answers by method; a list is a queue of answers, an exception is raised."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, list[Any]]] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self.asked.append((method, list(params)))
        answer = self.answers.get(method, RpcError(-32601, "Method not found"))
        if isinstance(answer, Queue):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(*params)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def params_of(self, method: str) -> list[list[Any]]:
        """Give the parameters of every call of a method."""
        return [params for name, params in self.asked if name == method]


class Queue(list[Any]):
    """Answers one after the other; the last one stays."""


def described() -> dict[str, Any]:
    """Give the real description of the runtime, as a node does."""
    from chain.rpc.rules import RuntimeAnswers
    from runtime.frame.ports import NoExecutor

    answer: dict[str, Any] = json.loads(json.dumps(RuntimeAnswers(NoExecutor()).describe()))
    return answer


def chain_answers() -> dict[str, Any]:
    """Give answers of a node that takes every transaction."""
    return {
        "ai_describe": _DESCRIBED or _DESCRIBED.update(described()) or _DESCRIBED,
        "state_getRuntimeVersion": {"specVersion": 1, "transactionVersion": 1},
        "chain_getBlockHash": HASH,
        "chain_getFinalizedHead": HEAD,
        "chain_getHeader": {"number": "0x10", "stateRoot": HASH},
        "system_accountNextIndex": 4,
        "author_submitExtrinsic": HASH,
        "ai_fee": {"weight": 1000, "fee": "2000000000", "base_fee": "1"},
        "ai_transaction": included([]),
    }


_DESCRIBED: dict[str, Any] = {}


def included(events: list[dict[str, Any]], error: Any = None) -> dict[str, Any]:
    """Give what a node says of a final transaction."""
    paid = {"who": "5F", "actual_fee": "1500000000", "tip": "0"}
    return {
        "hash": HASH,
        "status": "final",
        "block": HEAD,
        "number": 17,
        "index": 1,
        "succeeded": error is None,
        "error": error,
        "events": [*events, {"name": "TransactionPayment.TransactionFeePaid", "fields": paid}],
    }


def noema(
    *arguments: str,
    client: FakeClient | None = None,
    keys: Path | None = None,
    typed: str | None = None,
    env: dict[str, str] | None = None,
) -> Result:
    """Run a command."""
    fake = client or FakeClient(chain_answers())
    context = CliContext(url="fake", connect=lambda url: fake, sleep=lambda seconds: None)
    if keys is not None:
        context.keys = keys
    return CliRunner().invoke(main, arguments, obj=context, input=typed, env=env)


def shown(result: Result) -> Any:
    """Give the JSON that a command printed, which must have succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sent(client: FakeClient) -> tuple[Any, dict[str, Any], Any]:
    """Give signed part, arguments by name and call of the only transaction that was sent."""
    ((encoded,),) = client.params_of("author_submitExtrinsic")
    extrinsic = decode_extrinsic(bytes.fromhex(encoded[2:]))
    call = CONSTRUCT.decode_call(extrinsic.call)
    return extrinsic.signed, call.call.named(call.values), f"{call.pallet}.{call.call.name}"
