"""Weights of models, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, 10 us a call, 5 us for each dataset named and
for the entry in a queue of 64 that is written whole.  Admission runs between transactions and is
bounded by the number of models a block admits.
"""

from typing import Final

from runtime.frame import MICROSECOND

REGISTER: Final = 200 * MICROSECOND
PUBLISH: Final = 180 * MICROSECOND
RETIRE: Final = 150 * MICROSECOND
