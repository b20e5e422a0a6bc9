"""Timestamp: what time a block claims."""

from runtime.pallets.timestamp.pallet import Timestamp, TimestampConfig

__all__ = ["Timestamp", "TimestampConfig"]
