"""Models: the registry of programs that the chain can run."""

from runtime.pallets.models.config import ModelsConfig
from runtime.pallets.models.pallet import Models, Selection
from runtime.pallets.models.stored import ModelStatus, Status

__all__ = ["ModelStatus", "Models", "ModelsConfig", "Selection", "Status"]
