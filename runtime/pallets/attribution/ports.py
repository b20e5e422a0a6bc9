"""What attribution needs from other pallets."""

from collections.abc import Sequence
from typing import Protocol

from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame.names import Name
from runtime.frame.ports import TensorType
from runtime.frame.runs import FeeSplit, Runnable, RunnableSource, Source
from runtime.frame.snapshots import Snapshot


class DatasetRules(Protocol):
    """What datasets fix about worth."""

    def valuation(self, dataset: Name) -> tuple[int, int]:
        """Give distance and neighbours; raises DispatchError for an unknown one."""
        ...

    def owner(self, dataset: Name) -> Address:
        """Give whose dataset it is; raises DispatchError for an unknown one."""
        ...


class TakenAt(Protocol):
    """A snapshot as it is stored."""

    @property
    def taken(self) -> int:
        """Give the height of the block that took it."""
        ...


class SnapshotKeeper(Protocol):
    """Snapshots by number."""

    def snapshot(self, number: int) -> Snapshot:
        """Give a snapshot; raises DispatchError for an unknown one."""
        ...

    def taken(self, number: int) -> TakenAt | None:
        """Give what there is to know about a snapshot, None for an unknown one."""
        ...

    def use_snapshot(self, number: int) -> None:
        """Keep a snapshot and its bytes until `unuse_snapshot`; raises DispatchError."""
        ...

    def unuse_snapshot(self, number: int) -> None:
        """Give one `use_snapshot` back."""
        ...


class ModelSource(RunnableSource, Protocol):
    """Models that can be run."""

    def outputs(self, name: Name, version: int) -> tuple[TensorType, ...]:
        """Give what an active version gives."""
        ...


class Earnings(Protocol):
    """Pays contributors, and owners of models."""

    def pay(self, payer: Address, amount: Amount, run: Runnable) -> FeeSplit:
        """Take the price of runs and divide it; raises DispatchError for no funds."""
        ...

    def open_pool(self, source: Source, worth: Sequence[tuple[Address, int]]) -> None:
        """Let a source earn from now on, divided by the worth of accounts."""
        ...

    def exists(self, source: Source) -> bool:
        """Tell whether a source earns."""
        ...
