"""Weights of blobs, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, 10 us a call, and for `attest` a walk over 100
validators.
"""

from typing import Final

from runtime.frame.weight import MICROSECOND

ANNOUNCE: Final = 50 * MICROSECOND
ATTEST: Final = 100 * MICROSECOND
RELEASE: Final = 50 * MICROSECOND
