"""Operators by family; importing this registers them all."""

from ai_exec.ops import (
    activations,
    arithmetic,
    classic,
    constants,
    convolution,
    linear,
    logic,
    normalisation,
    picking,
    pooling,
    reductions,
    shaping,
)

__all__ = [
    "activations",
    "arithmetic",
    "classic",
    "constants",
    "convolution",
    "linear",
    "logic",
    "normalisation",
    "picking",
    "pooling",
    "reductions",
    "shaping",
]
