"""One WebSocket connection: requests in, answers and notifications out, subscriptions between."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from chain.rpc.dispatch import Dispatcher
from chain.rpc.json_rpc import TOO_MANY_SUBSCRIPTIONS, Request, RpcError, dump, notification
from chain.rpc.limits import RpcLimits
from chain.rpc.outbox import Outbox, SlowReader
from chain.rpc.registry import Method, Pump

_log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[str | bytes | None]]
"""Gives the next message, None when the client is gone."""

Send = Callable[[str], Awaitable[None]]


class Session:
    """Everything that one client has open; ends with the connection, and ends nothing else."""

    def __init__(self, dispatcher: Dispatcher, limits: RpcLimits, name: str) -> None:
        self._dispatcher = dispatcher
        self._limits = limits
        self._name = name
        self._outbox = Outbox(limits)
        self._scopes: dict[str, trio.CancelScope] = {}
        self._starting: dict[str, tuple[Method, Pump]] = {}
        self._opened = 0

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until the client leaves or reads too slowly."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, send)
                await self._read(receive, nursery)
                nursery.cancel_scope.cancel()
        except* SlowReader:
            _log.warning("dropped %s: it reads too slowly", self._name)

    async def _read(self, receive: Receive, nursery: trio.Nursery) -> None:
        slots = trio.CapacityLimiter(self._limits.concurrency_max)
        while (message := await receive()) is not None:
            await self._outbox.room()
            slot = object()
            await slots.acquire_on_behalf_of(slot)
            nursery.start_soon(self._serve, message, nursery, slots, slot)

    async def _write(self, send: Send) -> None:
        while True:
            await send(await self._outbox.take())

    async def _serve(
        self,
        message: str | bytes,
        nursery: trio.Nursery,
        slots: trio.CapacityLimiter,
        slot: object,
    ) -> None:
        """Answer one message; its subscriptions speak only after the answer."""
        opened: list[str] = []

        async def subscribe(method: Method, call: Request) -> str:
            opened.append(await self._subscribe(method, call))
            return opened[-1]

        try:
            text = await self._dispatcher.answer_message(message, subscribe, self._unsubscribe)
            if text is not None:
                self._outbox.put(text)
        finally:
            slots.release_on_behalf_of(slot)
        for subscription in opened:
            if subscription in self._starting:
                method, pump = self._starting.pop(subscription)
                nursery.start_soon(self._pump, subscription, method, pump)

    async def _subscribe(self, method: Method, call: Request) -> str:
        if len(self._scopes) >= self._limits.subscriptions_max:
            raise RpcError(
                TOO_MANY_SUBSCRIPTIONS,
                f"A connection has at most {self._limits.subscriptions_max} subscriptions",
            )
        self._opened += 1
        subscription = f"{self._opened:x}"
        self._scopes[subscription] = trio.CancelScope()
        try:
            pump = await method.call(self._dispatcher.ports, call.params)
        except BaseException:
            del self._scopes[subscription]
            raise
        self._starting[subscription] = method, pump
        return subscription

    async def _pump(self, subscription: str, method: Method, pump: Pump) -> None:
        name = method.notification or ""

        def notify(value: Any) -> None:
            self._outbox.put(dump(notification(name, subscription, value)))

        try:
            with self._scopes[subscription]:
                await pump(notify)
        except SlowReader:
            raise
        except RpcError as error:
            _log.info("subscription %s ended: %s", method.name, error)
        except Exception:
            _log.exception("a mistake of ours in %s", method.name)
        finally:
            self._scopes.pop(subscription, None)

    def _unsubscribe(self, subscription: Any) -> bool:
        scope = self._scopes.pop(str(subscription), None)
        if scope is None:
            return False
        self._starting.pop(str(subscription), None)
        scope.cancel()
        return True
