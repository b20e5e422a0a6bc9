"""Data: datasets, their records and who gave them."""

from runtime.pallets.data.pallet import Data, DataConfig
from runtime.pallets.data.stored import DatasetStatus, Standing

__all__ = ["Data", "DataConfig", "DatasetStatus", "Standing"]
