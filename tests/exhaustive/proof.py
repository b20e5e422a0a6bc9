"""Proof by enumeration: both engines' functions of one binary32 number are the true value rounded.

For each of the 2^32 inputs one of three holds.

1. It is *plain*: below, above or near enough to zero that the result follows from an inequality
   (`semantics.functions.FUNCTIONS` has bounds and results).  The fast engine's must be that.
2. It is *decided*: the fast engine's result in binary64, before its last rounding, rounds to the
   same number when it is moved by 2^-48 of itself either way (for some functions more: DOUBTS).
   That is the true value rounded, provided that binary64 is wrong by less, and the pass must have
   given it.
3. It is a *candidate*, near a boundary between two binary32 numbers.  MPFR with 320 bits says
   what is right, and both engines are run.

The provision of 2: each operation of a sequence is wrong by at most 2^-53 of its result.
Polynomials add their errors to a leading term that is much larger; differences are taken only
where both operands are exact or far apart; what is cut off a series is below 2^-53.  So errors add
up to a few units.  A regular sample of all inputs, MPFR beside it, shows how large they are, for
the fast engine's sequences and for the reference's, which are other ones; each must stay below
half of that.

The reference decides in the same way: by its own sequence in binary64 where that is 2^-48 away
from a boundary, else by integers.  It is run on all candidates and on every STEP-th input, or on
all of them (STEP = 1).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import gmpy2
import numpy as np
from gmpy2 import mpfr
from numba import njit

from ai_exec.fast import passes
from ai_exec.semantics import functions
from ai_exec.semantics.functions import DOUBT
from tests.exhaustive import unrounded
from tests.support.true_functions import BITS, true_rounded, true_value

SLICES = 256
SLICE_LENGTH = 1 << 24
CHUNK = 1 << 16
STEP = 61
SAMPLE_STEP = 65_521
"""A prime, so that the sample meets all patterns of low bits."""
NAN_BITS = np.uint32(0x7FC0_0000)
RIGHT, CANDIDATE, WRONG = 0, 1, 2
DOUBTS = {"gelu_tanh": 2.0**-44}
"""For functions whose pass rounds the exponent of a power."""


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


def prove_slice(name: str, step: int, index: int) -> Findings:
    """Prove a slice of all inputs."""
    return prove(name, patterns(index), step)


def prove(name: str, pieces: Iterable[np.ndarray], step: int = STEP) -> Findings:
    """Prove a function for the inputs in pieces; the reference is run on every `step`-th."""
    found, hashed = Findings(), hashlib.sha256()
    with np.errstate(all="ignore"):
        for x in pieces:
            fast = passes.apply(name, x)
            plain, expected = plain_results(name, x)
            verdicts = np.empty(x.shape, np.uint8)
            value = unrounded.apply(name, x) if not plain.all() else np.zeros(x.shape)
            doubt = DOUBTS.get(name, DOUBT)
            judge(plain, expected, value, fast.view(np.uint32), doubt, verdicts)
            hashed.update(fast.tobytes())
            found.candidates += x[verdicts == CANDIDATE].tolist()
            found.wrong += x[verdicts == WRONG].tolist()
            reference = canonical_bits(functions.apply(name, x[::step]))
            found.wrong += x[::step][reference != fast.view(np.uint32)[::step]].tolist()
    found.wrong += wrong_among(name, found.candidates)
    found.digest = hashed.digest()
    return found


@njit(error_model="numpy")
def judge(
    plain: np.ndarray,
    expected: np.ndarray,
    value: np.ndarray,
    bits: np.ndarray,
    doubt: float,
    verdicts: np.ndarray,
) -> None:
    """Judge the bits of results by the plain ones or the unrounded ones; NaNs become one."""
    for place in range(bits.size):
        if bits[place] & 0x7FFF_FFFF > 0x7F80_0000:
            bits[place] = NAN_BITS
        low = np.float32(value[place] * (1 - doubt)).view(np.uint32)
        high = np.float32(value[place] * (1 + doubt)).view(np.uint32)
        right = expected[place] if plain[place] else low
        known = plain[place] or (low == high and value[place] == value[place])
        verdicts[place] = CANDIDATE if not known else (RIGHT if bits[place] == right else WRONG)


def plain_results(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell which inputs have a plain result (NaN has), and give its bits."""
    rule = functions.FUNCTIONS[name]
    plain, expected = np.isnan(x), np.full(x.shape, NAN_BITS)
    zones = (
        (x < rule.below[0], functions.always(rule.below[1])),
        (x > rule.above[0], rule.above[1]),
        (np.abs(x) < rule.near[0], rule.near[1]),
    )
    for chosen, give in zones:
        if chosen.any():
            plain |= chosen
            results = np.broadcast_to(give(x[chosen]), x[chosen].shape)
            expected[chosen] = canonical_bits(np.ascontiguousarray(results))
    return plain, expected


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


def errors(name: str, x: np.ndarray) -> tuple[float, float]:
    """Give the largest relative errors of the reference's and the fast engine's sequences."""
    x = x[~plain_results(name, x)[0] & np.isfinite(x)]

    def reference(numbers: np.ndarray) -> np.ndarray:
        return functions.FUNCTIONS[name].sequence(numbers.astype(np.float64))

    def fast(numbers: np.ndarray) -> np.ndarray:
        return unrounded.apply(name, numbers)

    return largest_error(name, x, reference), largest_error(name, x, fast)


def are_small(name: str, found: tuple[float, float]) -> tuple[bool, bool]:
    """Tell whether the errors leave a factor of two to what the decisions rely on."""
    return found[0] < DOUBT / 2, found[1] < DOUBTS.get(name, DOUBT) / 2


def largest_error(name: str, x: np.ndarray, sequence: Callable[[np.ndarray], np.ndarray]) -> float:
    """Give the largest relative error of a sequence whose result is a binary32 number."""
    with np.errstate(all="ignore"):
        values = sequence(x)
    worst = 0.0
    with gmpy2.context(precision=BITS):
        for number, value in zip(x.tolist(), values.tolist(), strict=True):
            true = true_value(name, number)
            if true != 0 and 2.0**-151 < abs(true) < 2.0**128 and not np.isnan(value):
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
    finite = [number for number in candidates if abs(true_rounded(name, number)) < np.inf]
    measured = [(nearness(name, number), number) for number in finite]
    return [(number, distance) for distance, number in sorted(measured)[:count]]
