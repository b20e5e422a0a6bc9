"""Codecs compiled from dataclasses: records, and variants told apart by a byte."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from chain.primitives.codec import shapes
from chain.primitives.codec.base import Codec, DecodeError, EncodeError, take
from chain.primitives.codec.containers import option
from chain.primitives.codec.numbers import BOOL

T = TypeVar("T")
Numbered = TypeVar("Numbered", bound=IntEnum)


def codec_of(annotation: Any) -> Codec[Any]:
    """Give the codec that an annotation names; raises TypeError where it names none."""
    origin = get_origin(annotation)
    if origin is Annotated:
        for extra in get_args(annotation)[1:]:
            if isinstance(extra, Codec):
                return extra
        return codec_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not NoneType]
        if len(inner) == 1:
            return option(codec_of(inner[0]))
    if annotation is bool:
        return BOOL
    if isinstance(annotation, type) and is_dataclass(annotation):
        return record(annotation)
    raise TypeError(f"{annotation!r} names no codec: write Annotated[type, codec]")


_COMPILED: dict[type, Codec[Any]] = {}


def record(kind: type[T]) -> Codec[T]:
    """Give the codec of a dataclass, its fields in their order; compiled at the first call."""
    if kind not in _COMPILED:
        _COMPILED[kind] = _compile(kind)
    return _COMPILED[kind]


def _compile(kind: type[T]) -> Codec[T]:
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    codecs = [codec_of(hints[name]) for name in names]
    shape = shapes.Composite(
        kind.__name__,
        tuple(
            shapes.Field(wire_name(name), codec.shape)
            for name, codec in zip(names, codecs, strict=True)
        ),
        cleandoc(kind.__doc__ or ""),
    )
    return Codec(_record_writer(names, codecs), _record_reader(kind, codecs), shape)


def wire_name(name: str) -> str:
    """Give the wire name of a field: `from_` is `from`, a word that Python keeps for itself."""
    return name.rstrip("_")


def enumeration(kinds: type[Numbered]) -> Codec[Numbered]:
    """Give the codec of an enumeration: its number as one byte, unknown ones refused."""
    names = {int(kind): "".join(map(str.capitalize, kind.name.split("_"))) for kind in kinds}
    shape = shapes.Variant(
        kinds.__name__,
        tuple(
            shapes.VariantCase(number, shapes.Composite(name, (), ""))
            for number, name in sorted(names.items())
        ),
    )

    def write(value: Numbered, out: bytearray) -> None:
        if int(value) not in names:
            raise EncodeError(f"{kinds.__name__}: no value {value}")
        out.append(int(value))

    def read(data: bytes, offset: int) -> tuple[Numbered, int]:
        number = take(data, offset, 1)[0]
        if number not in names:
            raise DecodeError(f"{kinds.__name__}: no value {number}")
        return kinds(number), offset + 1

    return Codec(write, read, shape)


def union(name: str, cases: Mapping[int, type[T]]) -> Codec[T]:
    """Compile the codec of one of several dataclasses, each behind its own byte."""
    codecs = {index: record(kind) for index, kind in cases.items()}
    bytes_of = {kind: index for index, kind in cases.items()}
    shape = shapes.Variant(
        name,
        tuple(
            shapes.VariantCase(index, codec.shape)
            for index, codec in sorted(codecs.items())
            if isinstance(codec.shape, shapes.Composite)
        ),
    )

    def write(value: T, out: bytearray) -> None:
        index = bytes_of.get(type(value))
        if index is None:
            raise EncodeError(f"{type(value).__name__} is no case of {name}")
        out.append(index)
        codecs[index].write(value, out)

    def read(data: bytes, offset: int) -> tuple[T, int]:
        index = take(data, offset, 1)[0]
        codec = codecs.get(index)
        if codec is None:
            raise DecodeError(f"{name}: no case {index}")
        return codec.read(data, offset + 1)

    return Codec(write, read, shape)


def _record_writer(names: list[str], codecs: list[Codec[Any]]) -> Callable[[Any, bytearray], None]:
    writers = [(name, codec.write) for name, codec in zip(names, codecs, strict=True)]

    def write(value: Any, out: bytearray) -> None:
        for name, write_field in writers:
            write_field(getattr(value, name), out)

    return write


def _record_reader(
    kind: type[T], codecs: list[Codec[Any]]
) -> Callable[[bytes, int], tuple[T, int]]:
    readers = [codec.read for codec in codecs]

    def read(data: bytes, offset: int) -> tuple[T, int]:
        values = []
        for read_field in readers:
            value, offset = read_field(data, offset)
            values.append(value)
        return kind(*values), offset

    return read
