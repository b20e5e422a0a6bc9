"""Description of a runtime as data: source of metadata, command line and reference pages."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass

from chain.primitives.codec import Shape, record, wire_name
from chain.primitives.codec.shapes import Composite, Field
from runtime.frame.calls import Call
from runtime.frame.outcome import Event, docs_of
from runtime.frame.pallet import Constant, Pallet
from runtime.frame.storage import AnyStorage


@dataclass(frozen=True, slots=True)
class CallDescription:
    """A call."""

    index: int
    name: str
    arguments: tuple[Field, ...]
    origins: tuple[str, ...]
    docs: str


@dataclass(frozen=True, slots=True)
class EventDescription:
    """An event."""

    index: int
    name: str
    fields: tuple[Field, ...]
    docs: str


@dataclass(frozen=True, slots=True)
class ErrorDescription:
    """An error; its docs say what to do."""

    index: int
    name: str
    docs: str


@dataclass(frozen=True, slots=True)
class StorageDescription:
    """A storage item."""

    name: str
    prefix: bytes
    hashers: tuple[str, ...]
    """One for each key; none for a single value."""
    keys: tuple[Shape, ...]
    value: Shape
    default: bytes | None
    """Encoded value of a missing entry; None where a missing entry means nothing."""
    docs: str


@dataclass(frozen=True, slots=True)
class ConstantDescription:
    """A number that clients are told."""

    name: str
    shape: Shape
    value: bytes
    """Encoded."""
    docs: str


@dataclass(frozen=True, slots=True)
class PalletDescription:
    """A pallet."""

    index: int
    name: str
    docs: str
    calls: tuple[CallDescription, ...]
    events: tuple[EventDescription, ...]
    errors: tuple[ErrorDescription, ...]
    storage: tuple[StorageDescription, ...]
    constants: tuple[ConstantDescription, ...]


def describe(pallets: Sequence[tuple[int, Pallet]]) -> tuple[PalletDescription, ...]:
    """Describe pallets, given with their indices."""
    return tuple(_pallet(index, pallet) for index, pallet in pallets)


def without_docs(part: object) -> object:
    """Give a description as plain tuples, without the words that only people read."""
    if isinstance(part, tuple):
        return tuple(map(without_docs, part))
    if not is_dataclass(part):
        return part
    kept = [each.name for each in fields(part) if each.name != "docs"]
    return type(part).__name__, *(without_docs(getattr(part, name)) for name in kept)


def _pallet(index: int, pallet: Pallet) -> PalletDescription:
    return PalletDescription(
        index=index,
        name=pallet.name,
        docs=docs_of(type(pallet)),
        calls=tuple(map(_call, pallet.calls.values())),
        events=tuple(map(_event, pallet.event_types)),
        errors=tuple(
            ErrorDescription(error.index or 0, error.__name__, docs_of(error))
            for error in pallet.error_types
        ),
        storage=tuple(map(_storage, pallet.storage_items)),
        constants=tuple(
            _constant(name, constant, pallet) for name, constant in pallet.constants.items()
        ),
    )


def _call(call: Call) -> CallDescription:
    return CallDescription(
        call.index,
        call.name,
        tuple(Field(wire_name(each.name), each.codec.shape) for each in call.arguments),
        tuple(origin.__name__ for origin in call.origins),
        call.docs,
    )


def _event(event: type[Event]) -> EventDescription:
    shape = record(event).shape
    assert isinstance(shape, Composite)
    return EventDescription(event.index, event.__name__, shape.fields, docs_of(event))


def _storage(item: AnyStorage) -> StorageDescription:
    default = None if item.default is None else item.value.encode(item.default)
    return StorageDescription(
        item.name,
        item.prefix,
        tuple(hasher.name for hasher in item.hashers),
        item.key_shapes,
        item.value.shape,
        default,
        item.docs,
    )


def _constant(name: str, constant: Constant[object], pallet: Pallet) -> ConstantDescription:
    return ConstantDescription(
        camel_case(name),
        constant.codec.shape,
        constant.codec.encode(constant.value(pallet)),
        constant.docs,
    )


def camel_case(name: str) -> str:
    """Give the wire name of an attribute: `block_hash` is `BlockHash`."""
    return "".join(word.capitalize() for word in name.split("_"))
