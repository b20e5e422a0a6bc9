"""Builds programs that the chain can train: a step, a prediction, and initial parameters."""

from cli.training.build import Built, Plan, build

__all__ = ["Built", "Plan", "build"]
