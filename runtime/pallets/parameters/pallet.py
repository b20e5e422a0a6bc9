"""Parameters: numbers of the rules that a vote may change.

What was changed lies here by name; the assembly builds the pallets of every block with it, so that
a change holds from the next block on.

Invariant: every changed number is known, lies within its bounds, and fits together with the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from chain.primitives.codec import U128, pair, sequence, text
from chain.primitives.numbers import Amount
from runtime.frame import DispatchError, Event, Overlay, Pallet, Root, StorageValue, call
from runtime.pallets.parameters import weights

CHANGED_MAX: Final = 256
"""Names that the table may have."""

NAME: Final = text(64)
Name = Annotated[str, NAME]


class Rules(Protocol):
    """Knows which numbers may change, and how far."""

    def bounds(self, name: str) -> tuple[int, int] | None:
        """Give the least and the greatest value, None for an unknown name."""
        ...

    def original(self, name: str) -> int:
        """Give what the number is until a vote changes it."""
        ...

    def conflict(self, changed: Mapping[str, int]) -> str:
        """Say what does not fit together once these numbers hold; nothing if all does."""
        ...


@dataclass(frozen=True)
class ParameterSet(Event, index=0):
    """A number of the rules changes from the next block on."""

    name: Name
    before: Amount
    after: Amount


class UnknownParameter(DispatchError, index=0):
    """No number has this name.  Look the names up with `noema govern parameters`."""


class OutOfBounds(DispatchError, index=1):
    """The number may not be that small or great.  Stay within the bounds of its name."""


class DoesNotFit(DispatchError, index=2):
    """The number contradicts others.  Change those first, or change it less."""


class Parameters(
    Pallet,
    events=(ParameterSet,),
    errors=(UnknownParameter, OutOfBounds, DoesNotFit),
):
    """Numbers of the rules that a vote may change."""

    changed = StorageValue(
        sequence(pair(NAME, U128), CHANGED_MAX),
        default=(),
        docs="Numbers that votes have changed, names ascending.",
    )

    def __init__(self, state: Overlay, rules: Rules) -> None:
        super().__init__(state)
        self.rules = rules

    @call(index=0, weight=weights.SET)
    def set(self, origin: Root, name: Name, value: Amount) -> None:
        """Change a number of the rules from the next block on."""
        bounds = self.rules.bounds(name)
        if bounds is None:
            raise UnknownParameter(repr(name))
        least, most = bounds
        if not least <= value <= most:
            raise OutOfBounds(f"{name}: {value}, from {least} to {most}")
        changed = self.overrides()
        before = changed.get(name, self.rules.original(name))
        changed[name] = value
        conflict = self.rules.conflict(changed)
        if conflict:
            raise DoesNotFit(conflict)
        self.changed.set(tuple(sorted(changed.items())))
        self.emit(ParameterSet(name, before, value))

    def overrides(self) -> dict[str, int]:
        """Give the numbers that votes have changed."""
        return dict(self.changed.get())

    def check_invariants(self) -> None:
        """Assert that every change could be made today."""
        changed = self.overrides()
        for name, value in changed.items():
            bounds = self.rules.bounds(name)
            assert bounds is not None, f"{name} is unknown"
            assert bounds[0] <= value <= bounds[1], f"{name} is out of bounds"
        assert not changed or not self.rules.conflict(changed), "numbers do not fit together"
