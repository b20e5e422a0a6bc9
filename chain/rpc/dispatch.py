"""From the text of a request to the text of its answer, for HTTP and for WebSockets alike."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from chain.rpc.json_rpc import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    TIMED_OUT,
    TOO_BIG,
    Malformed,
    Request,
    RpcError,
    answer,
    dump,
    parse,
    refusal,
)
from chain.rpc.limits import RpcLimits
from chain.rpc.outbox import SlowReader
from chain.rpc.ports import Ports
from chain.rpc.registry import Method, Registry

_log = logging.getLogger(__name__)

Subscribe = Callable[[Method, Request], Awaitable[Any]]
"""Opens a subscription and gives its id."""

Unsubscribe = Callable[[Any], bool]
"""Ends a subscription by its id; False if there is none."""


class Dispatcher:
    """Runs requests; whatever a request does, the answer is a JSON-RPC answer."""

    def __init__(self, ports: Ports, registry: Registry, limits: RpcLimits) -> None:
        self._ports = ports
        self._registry = registry
        self._limits = limits

    @property
    def ports(self) -> Ports:
        """Give what the methods reach."""
        return self._ports

    async def answer_message(
        self, message: bytes | str, subscribe: Subscribe, unsubscribe: Unsubscribe
    ) -> str | None:
        """Give the text that answers a message; None if it held notifications only."""
        try:
            batch = parse(message, self._limits)
        except RpcError as error:
            return dump(refusal(None, error))
        answers = []
        size = 0
        for call in batch.calls:
            text = await self._answer_call(call, subscribe, unsubscribe)
            if text is not None:
                size += len(text)
                if size > self._limits.outbox_bytes_max // 2 and isinstance(call, Request):
                    too_big = RpcError(TOO_BIG, "The answer is too long; ask for less at once")
                    text = dump(refusal(call.id, too_big))
                answers.append(text)
        if not answers:
            return None
        return f"[{','.join(answers)}]" if batch.is_list else answers[0]

    async def _answer_call(
        self, call: Request | Malformed, subscribe: Subscribe, unsubscribe: Unsubscribe
    ) -> str | None:
        if isinstance(call, Malformed):
            return dump(call.answer)
        try:
            text = dump(answer(call.id, await self._run(call, subscribe, unsubscribe)))
        except RpcError as error:
            text = dump(refusal(call.id, error))
        except SlowReader:
            raise
        except Exception:
            _log.exception("a mistake of ours in %s", call.method[:100])
            text = dump(refusal(call.id, RpcError(INTERNAL_ERROR, "Internal error")))
        return text if call.wants_answer else None

    async def _run(self, call: Request, subscribe: Subscribe, unsubscribe: Unsubscribe) -> Any:
        if self._registry.ends_subscription(call.method):
            params = list(call.params.values()) if isinstance(call.params, dict) else call.params
            return unsubscribe(params[0] if params else None)
        method = self._registry.find(call.method)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        try:
            with trio.fail_after(self._limits.request_timeout_s):
                if method.notification is not None:
                    return await subscribe(method, call)
                return await method.call(self._ports, call.params)
        except trio.TooSlowError as error:
            message = f"The call took longer than {self._limits.request_timeout_s:g} s"
            raise RpcError(TIMED_OUT, message) from error
