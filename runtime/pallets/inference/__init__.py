"""Inference: paid runs of models and their receipts."""

from runtime.pallets.inference.pallet import Inference, InferenceConfig
from runtime.pallets.inference.stored import DryRun, Quote, Receipt

__all__ = ["DryRun", "Inference", "InferenceConfig", "Quote", "Receipt"]
