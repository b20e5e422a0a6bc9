"""Rewards: what was earned and not yet claimed."""
