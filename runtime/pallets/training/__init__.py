"""Training: the chain itself trains models."""

from runtime.pallets.training.pallet import Training, TrainingConfig
from runtime.pallets.training.stored import Job, JobStatus, Status

__all__ = ["Job", "JobStatus", "Status", "Training", "TrainingConfig"]
