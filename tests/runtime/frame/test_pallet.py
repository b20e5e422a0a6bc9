"""Pallet: what is refused when one is defined, and how a call is run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chain.primitives.codec import U32
from chain.primitives.numbers import Amount
from runtime.frame import (
    BadOrigin,
    DispatchError,
    Event,
    Inherent,
    Overlay,
    Pallet,
    PostInfo,
    Root,
    Signed,
    StorageValue,
    call,
)
from tests.support.pallet_calls import dispatch

ALICE = bytes([1]) * 32


@dataclass(frozen=True)
class Counted(Event, index=0):
    """Counted."""

    to: Amount


class TooMuch(DispatchError, index=3):
    """Count less."""


class Broke(Exception):
    """Not a refusal."""


class Counter(Pallet, events=(Counted,), errors=(TooMuch,)):
    """Counts to ten."""

    count = StorageValue(U32, default=0)

    @call(index=4, weight=lambda pallet, by: 10 * by)
    def add(self, origin: Signed | Root, by: Amount) -> PostInfo | None:
        """Add."""
        self.count.set(self.count.get() + by)
        self.state.results.append(b"result")
        self.emit(Counted(self.count.get()))
        if by == 99:
            raise Broke
        if self.count.get() > 10:
            raise TooMuch("too much", PostInfo(actual_weight=1))
        return PostInfo(actual_weight=2) if by == 2 else None


@pytest.fixture
def counter() -> Counter:
    return Counter(Overlay.over({}))


def test_a_call_changes_state_and_says_so(counter: Counter) -> None:
    assert dispatch(counter, Signed(ALICE), 4, {"by": 3}) == PostInfo()
    assert dispatch(counter, Root(), 4, {"by": 2}) == PostInfo(actual_weight=2)
    assert counter.state.events == [Counted(3), Counted(5)]
    assert counter.state.changes() == {Counter.count.raw_key(): b"\5\0\0\0"}


@pytest.mark.parametrize(
    ("origin", "by", "error"),
    [
        (Signed(ALICE), 11, TooMuch("too much", PostInfo(actual_weight=1))),
        (Signed(ALICE), 99, Broke()),
        (Inherent(), 1, BadOrigin("add does not accept Inherent")),
    ],
)
def test_a_refused_call_changes_nothing(
    counter: Counter, origin: Signed | Inherent, by: int, error: Exception
) -> None:
    dispatch(counter, Signed(ALICE), 4, {"by": 1})
    state = counter.state
    before = state.changes(), list(state.events), list(state.results)

    with pytest.raises(type(error)) as refusal:
        dispatch(counter, origin, 4, {"by": by})

    assert isinstance(refusal.value, Broke) or refusal.value == error
    assert (state.changes(), state.events, state.results) == before


def test_weight_may_depend_on_arguments(counter: Counter) -> None:
    assert Counter.calls[4].weigh(counter, (7,)) == 70


def _without_origin(self: Any, by: Amount) -> None:
    """No origin."""


def _untyped_origin(self: Any, origin: int) -> None:
    """Wrong origin."""


def _untyped(self: Any, origin: Signed, by) -> None:  # type: ignore[no-untyped-def]
    """No type."""


def _no_codec(self: Any, origin: Signed, by: int) -> None:
    """No codec."""


def _silent(self: Any, origin: Signed) -> None:
    pass


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (_without_origin, "Broken.f: no origin"),
        (_untyped_origin, "Broken.f: origin must be Signed, Root, Inherent or several of them"),
        (_untyped, "Broken.f: by has no type"),
        (_no_codec, "<class 'int'> names no codec: write Annotated[type, codec]"),
        (_silent, "Broken.f: no docstring"),
    ],
)
def test_wrong_calls_are_refused_when_defined(
    function: Callable[..., None], complaint: str
) -> None:
    with pytest.raises(TypeError) as refusal:
        type("Broken", (Pallet,), {"f": call(index=0, weight=1)(function)})

    assert str(refusal.value) == complaint


def _good(self: Any, origin: Signed) -> None:
    """Good."""


def _good_too(self: Any, origin: Signed) -> None:
    """Good."""


def test_wire_numbers_are_unique_bytes() -> None:
    with pytest.raises(TypeError, match=r"Broken.g: index 1 is f's"):
        type(
            "Broken",
            (Pallet,),
            {"f": call(index=1, weight=1)(_good), "g": call(index=1, weight=1)(_good_too)},
        )
    with pytest.raises(TypeError, match=r"Broken.f: index 256 is not a byte"):
        type("Broken", (Pallet,), {"f": call(index=256, weight=1)(_good)})

    class Twin(DispatchError, index=3):
        """Do not."""

    with pytest.raises(TypeError, match="has no index of its own"):

        class Broken(Pallet, errors=(TooMuch, Twin)):
            """Broken."""

    with pytest.raises(TypeError, match="give an index or a wire form"):

        class Nameless(DispatchError):
            """Nameless."""

    with pytest.raises(TypeError, match="say in the docstring what to do"):
        type("Silent", (DispatchError,), {"__doc__": None}, index=4)  # type: ignore[call-overload]
