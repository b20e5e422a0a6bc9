"""Weights of randomness's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

REVEAL: Final = 30 * MICROSECOND
"""Two values and a map entry read and written, two hashes."""
