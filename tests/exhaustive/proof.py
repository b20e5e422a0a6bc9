"""Proof by enumeration: both engines' functions of one binary32 number are the true value rounded.

The true value at each of the 2^32 inputs is known within a proved error (`segments`, `angles`;
nothing of the engines is used there).  Where both ends of value (1 +- 2^-48) round to one binary32
number, that is the true value rounded, and the fast engine's result must be it.  The other inputs
are *candidates*: MPFR with 320 bits says what is right.  The reference must give the same
bits on every `step`-th input (on all of them if that is 1) and on all candidates.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ai_exec.fast import passes
from ai_exec.semantics import functions
from tests.exhaustive import angles
from tests.exhaustive.judging import CANDIDATE, NAN_BITS, WRONG, judge
from tests.exhaustive.segments import Table, segments_of, table_of
from tests.support.true_functions import BITS, true_rounded, true_value

SLICES = 256
SLICE_LENGTH = 1 << 24
CHUNK = 1 << 15
NAMES = sorted(functions.FUNCTIONS)

Piece = tuple[int, int]
"""The first of some following bit patterns, and how many there are."""


@dataclass(slots=True)
class Findings:
    """What some inputs brought."""

    digest: bytes = b""
    candidates: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)
    """Inputs for which an engine's result is not the true one."""


def pieces_of(index: int) -> Iterator[Piece]:
    """Give the bit patterns of a slice, in pieces."""
    for start in range(index * SLICE_LENGTH, (index + 1) * SLICE_LENGTH, CHUNK):
        yield start, CHUNK


def numbers_of(piece: Piece) -> np.ndarray:
    """Give the binary32 numbers of following bit patterns."""
    first, count = piece
    return (np.arange(count, dtype=np.uint32) + np.uint32(first)).view(np.float32)


def prove(
    name: str, pieces: Iterable[Piece], step: int = 1, table: Table | None = None
) -> Findings:
    """Prove a function for the inputs in pieces; the reference is run on every `step`-th."""
    found, hashed, table = Findings(), hashlib.sha256(), table or table_of(segments_of(name))
    function = angles.NAMES.index(name) if name in angles.NAMES else -1
    with np.errstate(all="ignore"):
        for piece in pieces:
            x = numbers_of(piece)
            bits = passes.apply(name, x).view(np.uint32)
            told = np.empty(x.shape, np.uint8)
            judge(
                *(piece[0], x, bits, table.first, table.kind, table.value, table.center),
                *(table.inverse_scale, table.terms, function, told),
            )
            hashed.update(bits)
            if told.any():
                found.candidates += x[told == CANDIDATE].tolist()
                found.wrong += x[told == WRONG].tolist()
            compared = slice(-piece[0] % step, None, step)
            other = functions.apply(name, x[compared]).view(np.uint32)
            found.wrong += x[compared][differing(bits[compared], other)].tolist()
    found.wrong += wrong_among(name, found.candidates)
    found.digest = hashed.digest()
    return found


def differing(bits: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Give the places where results differ; all NaNs are one, in the first by their bits."""
    if np.array_equal(bits, other):
        return np.zeros(0, np.intp)
    return np.flatnonzero(bits != canonical_bits(other.view(np.float32)))


def canonical_bits(values: np.ndarray) -> np.ndarray:
    """Give the bits, with one pattern for all NaNs."""
    return np.where(np.isnan(values), NAN_BITS, values.view(np.uint32))


def wrong_among(name: str, numbers: list[float]) -> list[float]:
    """Give the inputs for which either engine's result differs from MPFR's."""
    x = np.array(numbers, np.float32)
    right = np.array([true_rounded(name, number) for number in numbers], np.float32)
    with np.errstate(all="ignore"):
        results = functions.apply(name, x), passes.apply(name, x)
    wrong = [canonical_bits(result) != canonical_bits(right) for result in results]
    return x[wrong[0] | wrong[1]].tolist()


def hardest(name: str, candidates: list[float], count: int) -> list[tuple[float, float]]:
    """Give the candidates nearest to a boundary, nearest first, with their distances.

    Distances are relative to the true value; exact results, which have none, are left out.
    """
    measured = ((nearness(name, number), number) for number in candidates)
    kept = sorted((distance, number) for distance, number in measured if distance is not None)
    return [(number, distance) for distance, number in kept[:count]]


def nearness(name: str, number: float) -> float | None:
    """Give the distance of the true value to the nearest boundary between two results."""
    result = true_rounded(name, number)
    with gmpy2.context(precision=BITS):
        true = true_value(name, number)
        if not gmpy2.is_finite(true) or true == 0 or not np.isfinite(result):
            return None
        size = np.float32(abs(result))
        ends = [np.nextafter(size, np.float32(0)), np.nextafter(size, np.float32(np.inf))]
        halves = [(mpfr(float(size)) + mpfr(float(end))) / 2 for end in ends if np.isfinite(end)]
        return min(abs(float((abs(true) - half) / true)) for half in halves)
