"""Randomness: a seed for each epoch that no single proposer chooses."""

from runtime.pallets.randomness.pallet import Commitment, Randomness, RandomnessConfig

__all__ = ["Commitment", "Randomness", "RandomnessConfig"]
