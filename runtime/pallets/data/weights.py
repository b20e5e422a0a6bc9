"""Weights of data, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, 10 us a call, 50 us for a queue that is written
whole.
"""

from typing import Final

from runtime.frame import MICROSECOND

CREATE_DATASET: Final = 50 * MICROSECOND
CONTRIBUTE: Final = 200 * MICROSECOND
WITHDRAW_CONSENT: Final = 200 * MICROSECOND
