"""A paid run as pallets hand it on: what is run, what it costs, and who gets it."""

from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from chain.primitives.codec import text
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, Parts
from runtime.frame.ports import Bounds, TensorType

PARTS: Final = 1_000_000
"""The shares of a policy are parts of this, and add up to it."""


Source = Annotated[str, text(80)]
"""Whose contributors are paid together: `digits` are the rows of the dataset digits that count
now, each the same; `digits.3` is snapshot 3, which is of digits, by what its rows were worth."""

ROYALTIES_MAX: Final = 24
"""Of one version; it has at most that many ancestors within three generations."""


@dataclass(frozen=True, slots=True)
class Royalty:
    """What an ancestor of a version gets of each price."""

    owner: Address
    parts: Parts
    """Of the whole price."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What one run costs and who gets it, after the ancestors; shares in parts per million."""

    price: Amount
    """Of one run, on top of the network's fee."""

    validators: Parts
    """For the validators, by stake."""

    owner: Parts
    """For the model's owner."""

    contributors: Parts
    """For those who contributed rows to the version's sources; each source the same."""

    treasury: Parts
    """For the treasury, with the remainder of every division."""

    royalty: Parts = 0
    """What the owner of a child version owes this model's owner of each price; a grandchild half
    of it, its child a quarter.  Not one of the shares."""


@dataclass(frozen=True, slots=True)
class FeeSplit:
    """Where the price of one run went; the five add up to it."""

    validators: Amount = 0
    """For the validators, by stake."""

    owner: Amount = 0
    """For the model's owner."""

    contributors: Amount = 0
    """For those who contributed rows."""

    treasury: Amount = 0
    """For the treasury: its own share and the remainder of every division."""

    parents: Amount = 0
    """For the owners of the models that the version came from."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """All that a run of a version needs to know."""

    model: str
    version: int
    root: bytes
    """Name of its content."""

    owner: bytes
    policy: FeePolicy
    sources: tuple[Source, ...]
    """Whose contributors are paid."""

    royalties: tuple[Royalty, ...]
    """What its ancestors get."""

    inputs: tuple[TensorType, ...]
    bounds: Bounds
    """Of its open axes."""

    gas: int
    """Of one run."""


class RunnableSource(Protocol):
    """The registry of models, as far as running one needs it."""

    def runnable(self, name: str, version: int | None) -> Runnable:
        """Give what a run needs to know; raises DispatchError for what cannot be run."""
        ...
