"""Calls of a pallet: their wire number, weight, origin and arguments, fixed when it is defined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from chain.primitives.codec import Codec, codec_of
from runtime.frame.origin import ORIGINS, Inherent
from runtime.frame.outcome import PostInfo, docs_of

Function = TypeVar("Function", bound=Callable[..., PostInfo | None])
WeightOf = int | Callable[..., int]
"""Picoseconds, or a function `(pallet, **arguments)` that gives them."""

_MARK: Final = "__call_mark__"


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call."""

    name: str
    codec: Codec[Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a pallet, compiled."""

    index: int
    """Its byte on the wire."""

    name: str
    function: Callable[..., PostInfo | None]
    weight: WeightOf
    origins: tuple[type, ...]
    """The origins it accepts."""

    arguments: tuple[Argument, ...]
    docs: str

    @property
    def is_inherent(self) -> bool:
        """Tell whether only the proposer of a block may place it."""
        return self.origins == (Inherent,)

    def read(self, data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
        """Give the arguments at an offset and the offset behind them; raises DecodeError."""
        values = []
        for argument in self.arguments:
            value, offset = argument.codec.read(data, offset)
            values.append(value)
        return tuple(values), offset

    def write(self, arguments: Mapping[str, Any], out: bytearray) -> None:
        """Append named arguments; raises EncodeError, and TypeError for wrong names."""
        names = [argument.name for argument in self.arguments]
        if sorted(names) != sorted(arguments):
            raise TypeError(f"{self.name} takes {', '.join(names) or 'nothing'}")
        for argument in self.arguments:
            argument.codec.write(arguments[argument.name], out)

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Give the arguments by name."""
        return {each.name: value for each, value in zip(self.arguments, values, strict=True)}

    def weigh(self, pallet: Any, values: tuple[Any, ...]) -> int:
        """Give the picoseconds that the call may take."""
        if isinstance(self.weight, int):
            return self.weight
        return self.weight(pallet, **self.named(values))


def call(*, index: int, weight: WeightOf) -> Callable[[Function], Function]:
    """Make a method of a pallet a call; its origin and arguments are those of its signature."""

    def mark(function: Function) -> Function:
        setattr(function, _MARK, (index, weight))
        return function

    return mark


def calls_of(owner: type) -> dict[int, Call]:
    """Compile the calls among a class's methods; raises TypeError where one breaks a rule."""
    calls: dict[int, Call] = {}
    for name, function in vars(owner).items():
        mark = getattr(function, _MARK, None)
        if mark is None:
            continue
        index, weight = mark
        if not 0 <= index <= 255:
            raise TypeError(f"{owner.__name__}.{name}: index {index} is not a byte")
        if index in calls:
            raise TypeError(f"{owner.__name__}.{name}: index {index} is {calls[index].name}'s")
        calls[index] = _compile(owner, name, function, index, weight)
    return dict(sorted(calls.items()))


def _compile(
    owner: type, name: str, function: Callable[..., Any], index: int, weight: WeightOf
) -> Call:
    where = f"{owner.__name__}.{name}"
    _, *parameters = signature(function).parameters
    if not parameters or parameters[0] != "origin":
        raise TypeError(f"{where}: no origin")
    if not function.__doc__:
        raise TypeError(f"{where}: no docstring")
    hints = get_type_hints(function, include_extras=True)
    arguments = []
    for parameter in parameters[1:]:
        if parameter not in hints:
            raise TypeError(f"{where}: {parameter} has no type")
        arguments.append(Argument(parameter, codec_of(hints[parameter])))
    origins = _origins(where, hints.get("origin"))
    return Call(index, name, function, weight, origins, tuple(arguments), docs_of(function))


def _origins(where: str, annotation: Any) -> tuple[type, ...]:
    named = get_origin(annotation) in (Union, UnionType)
    origins = get_args(annotation) if named else (annotation,)
    if not origins or any(each not in ORIGINS for each in origins):
        raise TypeError(f"{where}: origin must be Signed, Root, Inherent or several of them")
    return tuple(origins)
