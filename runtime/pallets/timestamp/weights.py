"""Weights of timestamp's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

SET: Final = 20 * MICROSECOND
"""Two values read, two written."""
