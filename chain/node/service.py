"""Long-running parts of a node, and how they live and die together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio


@dataclass(frozen=True, slots=True)
class Service:
    """Something that runs until cancelled.  Opening and closing is not its business."""

    name: str
    """Which service this is in logs."""

    run: Callable[[], Awaitable[None]]
    """Works until cancelled; returning early is a failure."""


class ServiceStopped(Exception):
    """A service returned although nobody asked it to."""


async def run_together(services: tuple[Service, ...], stop: trio.Event) -> None:
    """Run all services until `stop` is set; the first one to end takes the others down."""

    async def watch(service: Service) -> None:
        await service.run()
        raise ServiceStopped(service.name)

    async with trio.open_nursery() as nursery:
        for service in services:
            nursery.start_soon(watch, service, name=service.name)
        await stop.wait()
        nursery.cancel_scope.cancel()
