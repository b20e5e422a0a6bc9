"""What models need of other pallets beside the words that all share."""

from typing import Protocol

from runtime.frame.names import Name
from runtime.frame.runs import Source
from runtime.frame.snapshots import SnapshotNumber


class DatasetSource(Protocol):
    """Datasets by name."""

    def exists(self, dataset: Name) -> bool:
        """Tell whether a dataset has this name."""
        ...


class Earnings(Protocol):
    """Pools from which contributors are paid."""

    def exists(self, source: Source) -> bool:
        """Tell whether a source has contributors who are paid."""
        ...


class SnapshotKeeper(Protocol):
    """Snapshots that stay as long as somebody uses them."""

    def use_snapshot(self, number: SnapshotNumber) -> None:
        """Keep a snapshot; raises DispatchError for an unknown one."""
        ...

    def unuse_snapshot(self, number: SnapshotNumber) -> None:
        """Give one `use_snapshot` back."""
        ...
