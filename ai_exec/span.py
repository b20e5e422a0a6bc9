"""What is known beforehand of numbers that only a run tells: bounds."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ai_exec.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """What the elements of a tensor are at least and at most.

    It bounds shapes, and memory with them: a run that leaves it traps, and no result is taken from
    it.
    """

    low: Tensor
    """Of the tensor's shape, or one number for all elements."""
    high: Tensor


TRUTH: Final = Span(np.array(False), np.array(True))
"""What truth values are."""


def union(*spans: Span | None) -> Span | None:
    """Bound, all elements alike, what lies within one of some spans; None if one is not known."""
    known = [span for span in spans if span is not None and span.low.size]
    if len(known) < len(spans):
        return None
    low, high = (span.low.min() for span in known), (span.high.max() for span in known)
    return Span(np.asarray(min(low)), np.asarray(max(high)))
