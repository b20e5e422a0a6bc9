"""Pallets: one folder for each subject that the chain has rules about."""
