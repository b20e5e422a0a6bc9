"""Passes for sin, cos and tan: one over all elements, one more over those too far from zero."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.scalar import COS_SERIES, SIN_SERIES, WHOLE, horner, mended, numbers
from ai_exec.semantics.angles import TABLE, TWO_OVER_PI

Singles = npt.NDArray[np.float32]

NEAR: Final = np.float32(2.0**20)
"""Up to this size, products of the count of quarter turns with parts of pi/2 are exact."""
_HALF_PI: Final = float.fromhex("0x1.921fb54442d18p+0")
_FIRST: Final = float.fromhex("0x1.921fb544p+0")
_SECOND: Final = float.fromhex("0x1.0b4611a6p-34")
_THIRD: Final = float.fromhex("0x1.3198a2e037073p-69")
_LIMB: Final = np.uint64((1 << 32) - 1)
_BITS: Final = np.uint64(32)

_SIN_HARD: Final = numbers("0x1.33333p+13", "-0x1.33333p+13")
_SIN_RIGHT: Final = numbers("-0x1.63f4bap-2", "0x1.63f4bap-2")
_COS_HARD: Final = numbers("0x1.4555p+51", "0x1.3170fp+63", "0x1.2b9622p+67")
_COS_RIGHT: Final = numbers("0x1.115d7ep-1", "0x1.fe2976p-1", "0x1.f0285ep-1")
"""Numbers, of the cosine sizes, whose results binary64 rounds wrongly: so near is a boundary."""


@inlined
def sine(r: float) -> float:
    """Sine of an angle up to pi/4."""
    square = r * r
    return r + r * (square * horner(SIN_SERIES, square))


@inlined
def cosine(r: float) -> float:
    """Cosine of an angle up to pi/4."""
    square = r * r
    return 1.0 - (0.5 * square - square * (square * horner(COS_SERIES, square)))


@inlined
def sin_of(turns: Any, r: float) -> float:
    """Sine of an angle of so many quarter turns and a rest."""
    value = cosine(r) if turns & 1 else sine(r)
    return -value if turns & 2 else value


@inlined
def tan_of(turns: Any, r: float) -> float:
    """Tangent of an angle of so many quarter turns and a rest."""
    above, below = sine(r), cosine(r)
    return (-below if turns & 1 else above) / (above if turns & 1 else below)


@inlined
def near_turns(x: float) -> tuple[Any, float]:
    """Quarter turns and rest of an angle up to NEAR."""
    shifted = x * TWO_OVER_PI + WHOLE
    count = shifted - WHOLE
    rest = ((x - count * _FIRST) - count * _SECOND) - count * _THIRD
    return np.float64(shifted).view(np.int64), rest


@inlined
def window(place: Any, shift: Any) -> Any:
    """32 binary digits of 2/pi."""
    digits = (TABLE[place] << np.uint64(shift)) | (TABLE[place + 1] >> np.uint64(32 - shift))
    return digits & _LIMB


@inlined
def far_turns(x: float) -> tuple[Any, float]:
    """Quarter turns and rest of a number beyond NEAR, by the digits of 2/pi that matter."""
    bits = np.int64(np.float32(x).view(np.int32))
    whole = np.uint64((bits & 0x7FFFFF) | 0x800000)
    place = ((bits >> 23) & 0xFF) - 150 + 62
    start, shift = place >> 5, place & 31
    fourth = whole * window(start + 3, shift)
    third = whole * window(start + 2, shift) + (fourth >> _BITS)
    second = whole * window(start + 1, shift) + (third >> _BITS)
    first = (whole * window(start, shift) + (second >> _BITS)) & _LIMB
    turns = np.int64(first >> np.uint64(29)) + 1 >> 1
    flip = _LIMB if (first >> np.uint64(29)) & np.uint64(1) else np.uint64(0)
    first = (first ^ flip) & np.uint64((1 << 30) - 1)
    upper = np.float64(np.int64(first)) * 2.0**-30
    upper += np.float64(np.int64((second ^ flip) & _LIMB)) * 2.0**-62
    lower = np.float64(np.int64((third ^ flip) & _LIMB)) * 2.0**-94
    lower += np.float64(np.int64((fourth ^ flip) & _LIMB)) * 2.0**-126
    rest = (upper + lower) * _HALF_PI
    rest = -rest if flip else rest
    return (-turns, -rest) if x < 0.0 else (turns, rest)


@inlined
def is_far(x: float) -> bool:
    """Tell whether a number is beyond NEAR and finite."""
    return bool(abs(x) > NEAR and abs(x) < np.inf)


@compiled
def sin(x: Singles, result: Singles) -> None:
    """Sine."""
    far = False
    for place in range(x.size):
        wide = np.float64(x[place])
        turns, rest = near_turns(wide)
        value = mended(sin_of(turns, rest), wide, _SIN_HARD, _SIN_RIGHT)
        result[place] = np.float32(wide if wide == 0.0 else value)
        far |= abs(x[place]) > NEAR
    if far:
        for place in range(x.size):
            if is_far(x[place]):
                turns, rest = far_turns(x[place])
                result[place] = np.float32(sin_of(turns, rest))


@compiled
def cos(x: Singles, result: Singles) -> None:
    """Cosine."""
    far = False
    for place in range(x.size):
        turns, rest = near_turns(np.float64(x[place]))
        result[place] = np.float32(sin_of(turns + 1, rest))
        far |= abs(x[place]) > NEAR
    if far:
        for place in range(x.size):
            if is_far(x[place]):
                turns, rest = far_turns(x[place])
                size = np.float64(abs(x[place]))
                value = mended(sin_of(turns + 1, rest), size, _COS_HARD, _COS_RIGHT)
                result[place] = np.float32(value)


@compiled
def tan(x: Singles, result: Singles) -> None:
    """Tangent."""
    far = False
    for place in range(x.size):
        wide = np.float64(x[place])
        turns, rest = near_turns(wide)
        value = tan_of(turns, rest)
        result[place] = np.float32(wide if wide == 0.0 else value)
        far |= abs(x[place]) > NEAR
    if far:
        for place in range(x.size):
            if is_far(x[place]):
                turns, rest = far_turns(x[place])
                result[place] = np.float32(tan_of(turns, rest))
