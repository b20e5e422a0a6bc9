"""Pallet: the base class of everything the chain has rules about.

A pallet's file is always written in this order: docstring with the invariant, stored types,
config, events, errors, and the class with its storage, constants, genesis, calls, services to
other pallets, hooks, `check_invariants`, and private parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

from chain.primitives.codec import Codec
from runtime.frame.calls import Call, calls_of
from runtime.frame.origin import Origin
from runtime.frame.outcome import BadOrigin, DispatchError, Event, PostInfo
from runtime.frame.overlay import Overlay
from runtime.frame.storage import AnyStorage, storage_of

T = TypeVar("T")


@dataclass(frozen=True)
class Constant(Generic[T]):
    """A number of a pallet that clients are told; read like an attribute."""

    codec: Codec[T]
    value: Callable[[Any], T]
    """Gives the value, from the pallet."""

    docs: str

    @overload
    def __get__(self, pallet: None, owner: type) -> "Constant[T]": ...
    @overload
    def __get__(self, pallet: "Pallet", owner: type) -> T: ...
    def __get__(self, pallet: "Pallet | None", owner: type) -> "Constant[T] | T":
        return self if pallet is None else self.value(pallet)


class Pallet:
    """Storage and rules of one subject, over the state of one block."""

    name: ClassVar[str]
    """On the wire and in storage keys."""

    calls: ClassVar[dict[int, Call]]
    storage_items: ClassVar[tuple[AnyStorage, ...]]
    constants: ClassVar[dict[str, Constant[Any]]]
    event_types: ClassVar[tuple[type[Event], ...]]
    error_types: ClassVar[tuple[type[DispatchError], ...]]

    def __init_subclass__(
        cls,
        name: str = "",
        events: tuple[type[Event], ...] = (),
        errors: tuple[type[DispatchError], ...] = (),
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        cls.name = name or cls.__name__
        cls.calls = calls_of(cls)
        cls.storage_items = storage_of(vars(cls).items())
        cls.constants = {k: v for k, v in vars(cls).items() if isinstance(v, Constant)}
        cls.event_types = _unique(cls, events)
        cls.error_types = _unique(cls, errors)
        for item in cls.storage_items:
            item.attach(cls.name)

    def __init__(self, state: Overlay) -> None:
        self.state = state

    def emit(self, event: Event) -> None:
        """Say that something happened."""
        self.state.events.append(event)

    def run(self, origin: Origin, call: Call, values: tuple[Any, ...]) -> PostInfo:
        """Run a decoded call; raises DispatchError, having changed nothing."""
        if type(origin) not in call.origins:
            raise BadOrigin(f"{call.name} does not accept {type(origin).__name__}")
        state = self.state
        state.begin()
        done = False
        try:
            post = call.function(self, origin, *values)
            done = True
        finally:
            if done:
                state.commit()
            else:
                state.rollback()
        return post or _AS_ANNOUNCED

    def on_initialize(self, number: int) -> None:
        """Do what a block starts with."""

    def on_finalize(self, number: int) -> None:
        """Do what a block ends with."""

    def check_invariants(self) -> None:
        """Assert what must hold after every block; needs a state that can be listed."""


_AS_ANNOUNCED = PostInfo()

Numbered = TypeVar("Numbered", type[Event], type[DispatchError])


def _unique(owner: type, kinds: tuple[Numbered, ...]) -> tuple[Numbered, ...]:
    indices = [kind.index for kind in kinds]
    for kind in kinds:
        if kind.index is None or indices.count(kind.index) > 1:
            raise TypeError(f"{owner.__name__}: {kind.__name__} has no index of its own")
    return tuple(sorted(kinds, key=lambda kind: kind.index or 0))
