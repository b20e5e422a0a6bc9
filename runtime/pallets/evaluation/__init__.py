"""Evaluation: the chain measures models on snapshots."""

from runtime.pallets.evaluation.pallet import Evaluation, EvaluationConfig, EvaluationStatus

__all__ = ["Evaluation", "EvaluationConfig", "EvaluationStatus"]
