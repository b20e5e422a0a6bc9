"""Weights of evaluation, in picoseconds of a reference core.

A run costs what admission measured, beside reading its rows and comparing labels.
"""

from typing import Final

from chain.primitives.numbers import WEIGHT_PER_GAS
from runtime.frame import MICROSECOND

EVALUATE: Final = 150 * MICROSECOND
RUN_BASE: Final = 300 * MICROSECOND
ROW: Final = 2 * MICROSECOND


def run(gas: int, rows: int) -> int:
    """Weigh one run over some rows."""
    return RUN_BASE + ROW * rows + WEIGHT_PER_GAS * gas
