"""Snapshots: rows of datasets that never change any more."""

from runtime.pallets.snapshots.pallet import Snapshots, SnapshotsConfig, StoredSnapshot

__all__ = ["Snapshots", "SnapshotsConfig", "StoredSnapshot"]
