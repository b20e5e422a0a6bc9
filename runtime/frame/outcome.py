"""Outcomes of calls: events, errors, and what is charged afterwards."""

from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, ClassVar

from runtime.frame import failure as wire_forms


@dataclass(frozen=True, slots=True)
class PostInfo:
    """What a call turned out to cost."""

    actual_weight: int | None = None
    """Picoseconds it took; None is what was announced.  Never charged above the announcement."""

    pays_fee: bool = True
    """Whether the fee is kept; False gives it back."""


class Event:
    """Something that happened; subclasses are frozen dataclasses with a wire index."""

    index: ClassVar[int]

    def __init_subclass__(cls, index: int, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.index = _byte(cls, index)


class DispatchError(Exception):
    """A call was refused.  A subclass's docstring says what to do."""

    index: ClassVar[int | None] = None
    """Number among the errors of its pallet; None for errors of the frame."""

    failure: ClassVar[wire_forms.Failure | None] = None
    """Wire form of an error of the frame."""

    def __init_subclass__(
        cls, index: int | None = None, wire: wire_forms.Failure | None = None, **rest: Any
    ) -> None:
        super().__init_subclass__(**rest)
        if (index is None) == (wire is None):
            raise TypeError(f"{cls.__name__}: give an index or a wire form")
        if not cls.__doc__:
            raise TypeError(f"{cls.__name__}: say in the docstring what to do")
        cls.index = None if index is None else _byte(cls, index)
        cls.failure = wire

    def __init__(self, detail: str = "", post: PostInfo | None = None) -> None:
        super().__init__(detail)
        self.post = post or PostInfo()
        """What the refused call is charged for."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.args == self.args and other.post == self.post

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class BadOrigin(DispatchError, wire=wire_forms.BadOrigin()):
    """The call does not accept this origin.  Sign it, or let a proposal dispatch it."""


def docs_of(subject: object) -> str:
    """Give the docstring of a class or function without its indentation."""
    return cleandoc(subject.__doc__ or "")


def _byte(subject: type, index: int) -> int:
    if not 0 <= index <= 255:
        raise TypeError(f"{subject.__name__}: index {index} is not a byte")
    return index
