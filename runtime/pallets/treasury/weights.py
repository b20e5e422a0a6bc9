"""Weights of treasury's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND

SPEND: Final = 110 * MICROSECOND
"""A transfer and an event."""
