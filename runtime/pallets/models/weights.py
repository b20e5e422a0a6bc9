"""Weights of models, in picoseconds of a reference core.

Counted: reads and writes of the state at 3 us each, 10 us a call, 5 us for each dataset named and
for the entry in a queue of 64 that is written whole, 100 us for eight parents with 24 ancestors
and the training job.  Admission runs between transactions and is bounded by the number of models a
block admits; so are moves, by the places of the agenda and of the gate.
"""

from typing import Final

from runtime.frame import MICROSECOND

REGISTER: Final = 330 * MICROSECOND
PUBLISH: Final = 290 * MICROSECOND
RETIRE: Final = 200 * MICROSECOND
MOVE: Final = 250 * MICROSECOND
"""With up to 16 blocks of the agenda looked through, and two evaluations ordered."""

CANCEL: Final = 150 * MICROSECOND
RELEASE: Final = 100 * MICROSECOND
