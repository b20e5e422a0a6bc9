"""Whether this thread computes as IEEE 754 says: a library can switch that off for a process."""

from typing import Final

import numpy as np

_LEFT: Final = np.array([2.0**-140, 1.0, 1.0], np.float32)
_RIGHT: Final = np.array([2.0**-140, 2.0**-25, 1.5 * 2.0**-24], np.float32)
_SUMS: Final = np.array([0x400, 0x3F800000, 0x3F800001], np.uint32)
"""A subnormal that is lost if it is flushed, and sums that other directions of rounding change."""


def is_ieee() -> bool:
    """Tell whether subnormals are kept and sums are rounded to nearest; takes a microsecond."""
    return bool(np.array_equal(np.add(_LEFT, _RIGHT).view(np.uint32), _SUMS))
