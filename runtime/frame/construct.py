"""Construct: pallets put together by index; calls, events and errors to bytes and back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from chain.primitives.codec import (
    U32,
    Codec,
    DecodeError,
    read_compact,
    record,
    union,
    write_compact,
)
from chain.primitives.hashing import HASH_32, Hash32
from runtime.frame.calls import Call
from runtime.frame.failure import Failure, Module
from runtime.frame.outcome import DispatchError, Event, docs_of
from runtime.frame.pallet import Pallet

TOPICS_MAX: Final = 16
"""Topics of one event; this chain writes none."""


class UnknownCall(DecodeError):
    """The bytes are no call of this chain.  Build the transaction with its current metadata."""


@dataclass(frozen=True, slots=True)
class RuntimeCall:
    """A call with its arguments, ready to be dispatched."""

    pallet_index: int
    pallet: str
    call: Call
    values: tuple[Any, ...]
    """The arguments, in the order of the signature."""


@dataclass(frozen=True, slots=True)
class Phase:
    """When in a block something happened."""


@dataclass(frozen=True, slots=True)
class ApplyExtrinsic(Phase):
    """While a transaction was applied."""

    index: Annotated[int, U32]
    """Its place in the block."""


@dataclass(frozen=True, slots=True)
class Finalization(Phase):
    """While the block was finished."""


@dataclass(frozen=True, slots=True)
class Initialization(Phase):
    """While the block was begun."""


PHASE: Final[Codec[Phase]] = union("Phase", {0: ApplyExtrinsic, 1: Finalization, 2: Initialization})


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event and when it happened."""

    phase: Phase
    event: Event
    topics: tuple[Hash32, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wire error in words."""

    name: str
    """`Pallet.Error`, or the frame's name of it."""

    advice: str
    """What to do."""


class Construct:
    """Pallets by index, and the codecs of everything they put on the wire."""

    def __init__(self, pallets: Mapping[int, type[Pallet]]) -> None:
        if len({pallet.name for pallet in pallets.values()}) < len(pallets):
            raise TypeError("two pallets have one name")
        self.pallets = dict(sorted(pallets.items()))
        self._indices = {pallet.name: index for index, pallet in self.pallets.items()}
        self._calls = {
            bytes((index, call.index)): (index, pallet.name, call)
            for index, pallet in self.pallets.items()
            for call in pallet.calls.values()
        }
        self._events: dict[bytes, Codec[Any]] = {}
        self._event_heads: dict[type[Event], tuple[bytes, Codec[Any]]] = {}
        self._errors: dict[bytes, tuple[str, type[DispatchError]]] = {}
        self._failures: dict[type[DispatchError], Module] = {}
        for index, pallet in self.pallets.items():
            self._add_events(index, pallet)
            self._add_errors(index, pallet)

    def decode_call(self, data: bytes) -> RuntimeCall:
        """Give the call of whole bytes; raises UnknownCall or DecodeError."""
        found = self._calls.get(data[:2])
        if found is None:
            raise UnknownCall(f"no call {data[:2].hex() or 'in no bytes'}")
        index, name, call = found
        values, end = call.read(data, 2)
        if end != len(data):
            raise DecodeError(f"{name}.{call.name}: {len(data) - end} bytes too many")
        return RuntimeCall(index, name, call, values)

    def encode_call(self, pallet: str, name: str, arguments: Mapping[str, Any]) -> bytes:
        """Give the bytes of a call by names; raises UnknownCall, TypeError or EncodeError."""
        index = self._indices.get(pallet)
        if index is None:
            raise UnknownCall(f"no pallet {pallet}; there are {', '.join(self._indices)}")
        calls = self.pallets[index].calls
        for call in calls.values():
            if call.name == name:
                out = bytearray((index, call.index))
                call.write(arguments, out)
                return bytes(out)
        known = ", ".join(call.name for call in calls.values()) or "none"
        raise UnknownCall(f"no call {pallet}.{name}; there are {known}")

    def encode_events(self, records: Iterable[tuple[bytes, Event]]) -> bytes:
        """Give the encoded event records of a block, from encoded phases and events."""
        out, count = bytearray(), 0
        heads = self._event_heads
        for phase, event in records:
            head, codec = heads[type(event)]
            out += phase
            out += head
            codec.write(event, out)
            out.append(0)
            count += 1
        size = bytearray()
        write_compact(count, size)
        return bytes(size + out)

    def decode_events(self, data: bytes) -> tuple[EventRecord, ...]:
        """Give the event records of a block; raises DecodeError."""
        count, offset = read_compact(data, 0)
        records = []
        for _ in range(count):
            record_, offset = self._read_record(data, offset)
            records.append(record_)
        if offset != len(data):
            raise DecodeError(f"events: {len(data) - offset} bytes too many")
        return tuple(records)

    def event_name(self, event: Event) -> str:
        """Give `Pallet.Event` for an event."""
        head, _ = self._event_heads[type(event)]
        return f"{self.pallets[head[0]].name}.{type(event).__name__}"

    def failure_of(self, error: DispatchError) -> Failure:
        """Give the wire form of an error."""
        return error.failure or self._failures[type(error)]

    def refusal_of(self, failure: Failure) -> Refusal:
        """Give a wire error in words."""
        if isinstance(failure, Module):
            found = self._errors.get(bytes((failure.index, failure.error[0])))
            if found is None:
                return Refusal("Module", "Ask a node of the current release.")
            pallet, error = found
            return Refusal(f"{pallet}.{error.__name__}", docs_of(error))
        return Refusal(type(failure).__name__, docs_of(type(failure)))

    def _read_record(self, data: bytes, offset: int) -> tuple[EventRecord, int]:
        phase, offset = PHASE.read(data, offset)
        codec = self._events.get(data[offset : offset + 2])
        if codec is None:
            raise DecodeError(f"no event {data[offset : offset + 2].hex()}")
        event, offset = codec.read(data, offset + 2)
        count, offset = read_compact(data, offset)
        topics = []
        if count > TOPICS_MAX:
            raise DecodeError(f"{count} topics, at most {TOPICS_MAX}")
        for _ in range(count):
            topic, offset = HASH_32.read(data, offset)
            topics.append(topic)
        return EventRecord(phase, event, tuple(topics)), offset

    def _add_events(self, index: int, pallet: type[Pallet]) -> None:
        for event in pallet.event_types:
            head, codec = bytes((index, event.index)), record(event)
            self._events[head] = codec
            self._event_heads[event] = (head, codec)

    def _add_errors(self, index: int, pallet: type[Pallet]) -> None:
        for error in pallet.error_types:
            assert error.index is not None
            self._errors[bytes((index, error.index))] = (pallet.name, error)
            self._failures[error] = Module(index, bytes((error.index, 0, 0, 0)))
