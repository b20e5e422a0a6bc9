"""Buses between parts that must not know each other: subscribed while a node is put together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chain.primitives.extrinsic import Extrinsic
from runtime.frame.ports import LocalFailure
from runtime.validation import InvalidTransaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A transaction that a block left out."""

    encoded: bytes
    why: InvalidTransaction | LocalFailure


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction that the pool took."""

    extrinsic: Extrinsic
    encoded: bytes


class Bus(Generic[T]):
    """Tells every subscriber in the publisher's thread, in the order of subscription."""

    def __init__(self) -> None:
        self._subscribers: tuple[Callable[[T], None], ...] = ()

    def subscribe(self, subscriber: Callable[[T], None]) -> None:
        """Tell one more; before the node runs."""
        self._subscribers += (subscriber,)

    def publish(self, event: T) -> None:
        """Tell all; subscribers return at once and don't raise."""
        for subscriber in self._subscribers:
            subscriber(event)
