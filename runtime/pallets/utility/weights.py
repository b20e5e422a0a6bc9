"""Weights of utility's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

BASE: Final = 20 * MICROSECOND
"""Of a batch without calls; each call in it adds its own weight and that of a transaction."""
