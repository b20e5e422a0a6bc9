"""Operators by family; importing this registers them all."""
