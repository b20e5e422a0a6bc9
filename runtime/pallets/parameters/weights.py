"""Weights of parameters' calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

SET: Final = 200 * MICROSECOND
"""All changed numbers are read, checked against each other and written."""
