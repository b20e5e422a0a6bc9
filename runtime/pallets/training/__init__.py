"""Training: the chain itself trains models."""

from runtime.pallets.training.pallet import Training
from runtime.pallets.training.pricing import TrainingConfig
from runtime.pallets.training.stored import Job, JobStatus, Status

__all__ = ["Job", "JobStatus", "Status", "Training", "TrainingConfig"]
