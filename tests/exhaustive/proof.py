"""Proof by enumeration: both engines' functions of one binary32 number are the true value rounded.

The reference computes in binary64 and asks integers where that cannot decide.  Three steps:

1. An input is decided by binary64 alone if both ends of result * (1 +- DOUBT) round alike.  Then
   the result is right, provided that the sequence is wrong by less than DOUBT = 2^-48.  Each
   operation of a sequence is wrong by at most 2^-53 of its result.  Polynomials add their errors
   to a leading term that is much larger; differences are taken only where both operands are exact
   or far apart; what is cut off a series is below 2^-53.  So the errors add up to a few units, and
   stay below 2^-49.  A regular sample over all binary32 numbers, MPFR beside it, shows how large
   they are: `largest_error`.
2. All other inputs are candidates.  MPFR with 320 bits decides each of them.
3. The fast engine computes by other formulas and other tables.  Its result must have the
   reference's bits for each of the 2^32 inputs.  An error of the reference beyond DOUBT would
   have to be one of the fast engine too.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ai_exec.fast import passes
from ai_exec.semantics import functions
from ai_exec.semantics.functions import DOUBT
from tests.support.true_functions import BITS, true_rounded, true_value

SLICES = 256
SLICE_LENGTH = 1 << 24
CHUNK = 1 << 13
SAMPLE_STEP = 65_521
"""A prime, so that the sample meets all patterns of low bits."""
NAN_BITS = np.uint32(0x7FC0_0000)


@dataclass(slots=True)
class Findings:
    """What one slice of the 2^32 inputs brought."""

    digest: bytes = b""
    candidates: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)
    """Inputs for which an engine's result is not the true one."""


def patterns(index: int) -> Iterator[np.ndarray]:
    """Give all binary32 numbers of a slice, in pieces."""
    for start in range(index * SLICE_LENGTH, (index + 1) * SLICE_LENGTH, CHUNK):
        yield np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)


def canonical_bits(values: np.ndarray) -> np.ndarray:
    """Give the bits, with one pattern for all NaNs."""
    return np.where(np.isnan(values), NAN_BITS, values.view(np.uint32))


def prove_slice(name: str, index: int) -> Findings:
    """Run both engines over a slice of all inputs."""
    return prove(name, patterns(index))


def prove(name: str, pieces: Iterable[np.ndarray]) -> Findings:
    """Run both engines over inputs, and MPFR over those that binary64 does not decide."""
    found, hashed = Findings(), hashlib.blake2b(digest_size=32)
    asked: list[float] = []
    rounded = functions.rounded

    def noted(function: str, number: float) -> float:
        asked.append(number)
        return rounded(function, number)

    functions.rounded = noted  # type: ignore[assignment]
    try:
        with np.errstate(all="ignore"):
            for x in pieces:
                reference = canonical_bits(functions.apply(name, x))
                fast = canonical_bits(passes.apply(name, x))
                found.wrong += x[reference != fast].tolist()
                hashed.update(reference.tobytes())
    finally:
        functions.rounded = rounded  # type: ignore[assignment]
    found.candidates = asked
    found.wrong += wrong_among(name, asked)
    found.digest = hashed.digest()
    return found


def wrong_among(name: str, numbers: list[float]) -> list[float]:
    """Give the inputs for which either engine's result differs from MPFR's."""
    x = np.array(numbers, np.float32)
    right = np.array([true_rounded(name, number) for number in numbers], np.float32)
    with np.errstate(all="ignore"):
        results = functions.apply(name, x), passes.apply(name, x)
    bits = canonical_bits(right)
    wrong = [canonical_bits(result) != bits for result in results]
    return x[wrong[0] | wrong[1]].tolist()


def sample() -> np.ndarray:
    """Give the regular sample of all binary32 numbers."""
    bits = np.arange(0, 1 << 32, SAMPLE_STEP, dtype=np.uint64)
    return bits.astype(np.uint32).view(np.float32)


def largest_error(name: str, x: np.ndarray) -> float:
    """Give the largest relative error of the binary64 sequence where the reference relies on it."""
    function = functions.FUNCTIONS[name]
    near, far = np.abs(x) >= function.near[0], (x >= function.below[0]) & (x <= function.above[0])
    x = x[near & far & np.isfinite(x)]
    with np.errstate(all="ignore"):
        values = function.sequence(x.astype(np.float64))
    worst = 0.0
    with gmpy2.context(precision=BITS):
        for number, value in zip(x.tolist(), values.tolist(), strict=True):
            true = true_value(name, number)
            if true != 0 and gmpy2.is_finite(true) and abs(true) < 2.0**128:
                worst = max(worst, abs(float((mpfr(value) - true) / true)))
    return worst


def nearness(name: str, number: float) -> float:
    """Give the distance of the true value to the nearest boundary, relative to the value."""
    with gmpy2.context(precision=BITS):
        true = true_value(name, number)
        result = true_rounded(name, number)
        size = np.float32(abs(result))
        ends = [np.nextafter(size, np.float32(0)), np.nextafter(size, np.float32(np.inf))]
        halves = [(mpfr(float(size)) + mpfr(float(end))) / 2 for end in ends if np.isfinite(end)]
        return min(abs(float((abs(true) - half) / true)) for half in halves)


def hardest(name: str, candidates: list[float], count: int) -> list[tuple[float, float]]:
    """Give the candidates nearest to a boundary, nearest first, with their nearness."""
    measured = [(nearness(name, number), number) for number in candidates]
    return [(number, distance) for distance, number in sorted(measured)[:count]]


def is_below_doubt(error: float) -> bool:
    """Tell whether an error leaves a factor of two to DOUBT."""
    return error < DOUBT / 2
