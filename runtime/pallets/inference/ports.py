"""What inference needs of other pallets: models that can be run, and a till that divides fees."""

from collections.abc import Sequence
from typing import Protocol

from chain.primitives.keys import Address
from runtime.frame.ports import TensorType


class Policy(Protocol):
    """Price of a run, and shares in parts per million that add up to a million."""

    @property
    def price(self) -> int:
        """Say the price of one run."""
        ...

    @property
    def validators(self) -> int:
        """Say the validators' share."""
        ...

    @property
    def owner(self) -> int:
        """Say the owner's share."""
        ...

    @property
    def contributors(self) -> int:
        """Say the contributors' share."""
        ...

    @property
    def treasury(self) -> int:
        """Say the treasury's share."""
        ...


class Runnable(Protocol):
    """A version that can be run."""

    @property
    def model(self) -> str:
        """Say the model's name."""
        ...

    @property
    def version(self) -> int:
        """Say the version's number."""
        ...

    @property
    def root(self) -> bytes:
        """Say the root of the content."""
        ...

    @property
    def owner(self) -> bytes:
        """Say whose model it is."""
        ...

    @property
    def policy(self) -> Policy:
        """Say price and shares."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """Say which datasets are paid."""
        ...

    @property
    def inputs(self) -> tuple[TensorType, ...]:
        """Say which tensors it takes."""
        ...

    @property
    def gas(self) -> int:
        """Say what a run costs."""
        ...


class ModelSource(Protocol):
    """The registry of models."""

    def runnable(self, name: str, version: int | None) -> Runnable:
        """Give what a run needs to know; raises DispatchError."""
        ...

    def gas(self, name: str, version: int | None) -> int:
        """Say what a run costs: nothing where it cannot be run."""
        ...


class Split(Protocol):
    """Where a fee went."""

    @property
    def validators(self) -> int:
        """Say what the validators got."""
        ...

    @property
    def owner(self) -> int:
        """Say what the owner got."""
        ...

    @property
    def contributors(self) -> int:
        """Say what the contributors got."""
        ...

    @property
    def treasury(self) -> int:
        """Say what the treasury got."""
        ...


class Till(Protocol):
    """Takes the price of a run and divides it."""

    def pay(
        self,
        payer: Address,
        amount: int,
        shares: Policy,
        owner: Address,
        datasets: Sequence[str],
    ) -> Split:
        """Take a price from the payer and divide it; raises DispatchError for no funds."""
        ...

    def preview(self, amount: int, shares: Policy, datasets: Sequence[str]) -> Split:
        """Say how a price would be divided now."""
        ...
