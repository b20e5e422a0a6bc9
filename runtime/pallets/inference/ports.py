"""What inference needs of other pallets: models that can be run, and a till that divides fees."""

from typing import Protocol

from chain.primitives.keys import Address
from runtime.frame.runs import FeeSplit, Runnable, RunnableSource


class ModelSource(RunnableSource, Protocol):
    """The registry of models."""

    def gas(self, name: str, version: int | None) -> int:
        """Say what a run costs: nothing where it cannot be run."""
        ...


class Till(Protocol):
    """Takes the price of a run and divides it."""

    def pay(self, payer: Address, amount: int, run: Runnable) -> FeeSplit:
        """Take a price from the payer and divide it; raises DispatchError for no funds."""
        ...

    def preview(self, amount: int, run: Runnable) -> FeeSplit:
        """Say how a price would be divided now."""
        ...
