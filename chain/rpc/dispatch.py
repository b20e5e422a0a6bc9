"""From the text of a request to the text of its answer, for HTTP and for WebSockets alike."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar

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

PARSED_AT_ONCE_BYTES: Final = 64 * 1024
"""Longer requests are read in a thread."""

Done = TypeVar("Done")

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
        self._threads = trio.CapacityLimiter(limits.threads)

    @property
    def ports(self) -> Ports:
        """Give what the methods reach."""
        return self._ports

    async def answer_message(
        self, message: bytes | str, subscribe: Subscribe, unsubscribe: Unsubscribe
    ) -> str | None:
        """Give the text that answers a message; None if it held notifications only."""
        try:
            if len(message) > PARSED_AT_ONCE_BYTES:
                batch = await self._in_thread(partial(parse, message, self._limits))
            else:
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
            text = await self._answer_text(call, subscribe, unsubscribe)
        except RpcError as error:
            text = dump(refusal(call.id, error))
        except SlowReader:
            raise
        except Exception:
            _log.exception("a mistake of ours in %s", call.method[:100])
            text = dump(refusal(call.id, RpcError(INTERNAL_ERROR, "Internal error")))
        return text if call.wants_answer else None

    async def _answer_text(
        self, call: Request, subscribe: Subscribe, unsubscribe: Unsubscribe
    ) -> str:
        if self._registry.ends_subscription(call.method):
            params = list(call.params.values()) if isinstance(call.params, dict) else call.params
            return dump(answer(call.id, unsubscribe(params[0] if params else None)))
        method = self._registry.find(call.method)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        try:
            with trio.fail_after(self._limits.request_timeout_s):
                if method.notification is not None:
                    return dump(answer(call.id, await subscribe(method, call)))
                if method.in_thread:
                    return await self._in_thread(partial(self._compute, method, call))
                return dump(answer(call.id, await method.call(self._ports, call.params)))
        except trio.TooSlowError as error:
            message = f"The call took longer than {self._limits.request_timeout_s:g} s"
            raise RpcError(TIMED_OUT, message) from error

    def _compute(self, method: Method, call: Request) -> str:
        return dump(answer(call.id, method.compute(self._ports, call.params)))

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        """Do what may take long beside the trio thread, in turn with all other clients."""
        return await trio.to_thread.run_sync(work, limiter=self._threads)
