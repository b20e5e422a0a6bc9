"""Elements of 2 to 8 bits that are storage only: small floats, and integers of 4 and 2 bits.

A small float is read exactly.  A number is written as the nearest one, ties to the one whose last
bit is 0, in one rounding from any type.  Beyond the greatest it is that one if the cast saturates
or the type has neither infinity nor NaN, else infinity, or NaN where there is none.  NaN is 0 in
types without it.  float8_e8m0fnu holds powers of two: of a number it takes the magnitude and rounds
it up, down or to the nearest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ai_exec.tensor import ELEMENT_BITS, NAN_BITS, Tensor

Floats = npt.NDArray[np.float64]

POWERS: Final = "float8_e8m0fnu"
POWER_MAX: Final = 127
"""The greatest number is 2^127, the least one 2^-127."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bits of a small float are meant, beside its sign."""

    digits: int
    """Bits behind the point."""
    bias: int
    """The exponent's bits are the exponent plus this one; if they are 0 the number is subnormal."""
    codes: int
    """How many codes, from 0 on, are numbers that are not negative."""
    infinity: bool = False
    """Whether the code after them is infinity."""
    negative_zero: bool = True
    """Whether there is one."""


LAYOUTS: Final[Mapping[str, Layout]] = {
    "float8_e4m3fn": Layout(3, 7, 0x7F),
    "float8_e4m3fnuz": Layout(3, 8, 0x80, negative_zero=False),
    "float8_e5m2": Layout(2, 15, 0x7C, infinity=True),
    "float8_e5m2fnuz": Layout(2, 16, 0x80, negative_zero=False),
    "float6_e2m3fn": Layout(3, 1, 0x20),
    "float6_e3m2fn": Layout(2, 3, 0x20),
    "float4_e2m1fn": Layout(1, 1, 0x08),
}

SMALL_FLOATS: Final = (*LAYOUTS, POWERS)
SMALL_INTEGERS: Final[Mapping[str, tuple[int, int]]] = {
    "uint4": (0, 15),
    "int4": (-8, 7),
    "uint2": (0, 3),
    "int2": (-2, 1),
}
"""Integers of 4 and 2 bits, with the least and the greatest of each."""


@cache
def magnitudes(dtype: str) -> Floats:
    """Give the numbers that are not negative, in the order of their codes, which is theirs."""
    layout = LAYOUTS[dtype]
    codes = np.arange(layout.codes)
    exponents, rest = codes >> layout.digits, codes & ((1 << layout.digits) - 1)
    whole = np.where(exponents > 0, rest + (1 << layout.digits), rest).astype(np.float64)
    found: Floats = np.ldexp(whole, np.maximum(exponents, 1) - layout.bias - layout.digits)
    return found


@cache
def values(dtype: str) -> npt.NDArray[np.float32]:
    """Give the number of each code; exact in binary32."""
    if dtype == POWERS:
        exact = np.ldexp(1.0, np.arange(256) - POWER_MAX)
        return np.where(np.arange(256) == NAN_BITS[dtype], np.nan, exact).astype(np.float32)
    layout, half = LAYOUTS[dtype], 1 << (ELEMENT_BITS[dtype] - 1)
    known = np.full(half, np.nan)
    known[: layout.codes] = magnitudes(dtype)
    if layout.infinity:
        known[layout.codes] = np.inf
    both = np.concatenate([known, -known])
    if not layout.negative_zero:
        both[half] = np.nan
    return both.astype(np.float32)


def read(tensor: Tensor) -> Tensor:
    """Give small floats as binary32, small integers as integers of 8 bits; others as they are."""
    dtype = tensor.dtype.name
    if dtype in SMALL_FLOATS:
        mask = np.uint8((1 << ELEMENT_BITS[dtype]) - 1)
        return np.asarray(values(dtype)[tensor.view(np.uint8) & mask])
    if dtype not in SMALL_INTEGERS:
        return tensor
    low, high = SMALL_INTEGERS[dtype]
    code = (tensor.view(np.uint8) & np.uint8(high - low)).astype(np.int8)
    signed = np.where(code > high, code - np.int8(high - low + 1), code).astype(np.int8)
    return signed if low else signed.astype(np.uint8)


def wrapped(whole: Tensor, dtype: str) -> Tensor:
    """Give integers as small ones, by their last bits."""
    low, high = SMALL_INTEGERS[dtype]
    last_bits = np.asarray(whole & whole.dtype.type(high - low))
    return last_bits.astype(np.uint8).view(np.dtype(dtype))


def rounded(number: Floats, dtype: str, *, saturate: bool) -> Tensor:
    """Round numbers to a small float type other than that of powers."""
    layout, known = LAYOUTS[dtype], magnitudes(dtype)
    size = np.where(np.isnan(number), 0.0, np.abs(number))
    finite = np.where(np.isinf(size), 0.0, size)
    _, exponent = np.frexp(finite)
    quantum = np.ldexp(1.0, np.maximum(exponent - 1, 1 - layout.bias) - layout.digits)
    nearest = np.rint(finite / quantum) * quantum
    beyond = (nearest > known[-1]) | np.isinf(size)
    code = np.where(beyond, layout.codes - 1, np.searchsorted(known, nearest)).astype(np.uint8)
    nan = NAN_BITS.get(dtype)
    if not saturate and nan is not None:
        code = np.where(beyond, np.uint8(layout.codes) if layout.infinity else nan, code)
    sign = np.uint8(1 << (ELEMENT_BITS[dtype] - 1))
    negative = np.signbit(number) & (layout.negative_zero | (code != 0))
    code = np.where(negative & (code < sign), code | sign, code)
    code = np.where(np.isnan(number), np.uint8(0) if nan is None else nan, code)
    return code.astype(np.uint8).view(np.dtype(dtype))


def power_of_two(number: Floats, *, saturate: bool, round_mode: str) -> Tensor:
    """Round magnitudes to powers of two: up, down, or to the nearest, the greater of two."""
    size = np.abs(number)
    plain = np.isfinite(size) & (size > 0)
    fraction, exponent = np.frexp(np.where(plain, size, 1.0))
    more = {"up": fraction > 0.5, "nearest": fraction >= 0.75, "down": fraction > 1.0}[round_mode]
    power = exponent - 1 + more
    power = np.where(plain, power, np.where(size == 0, -POWER_MAX - 1, POWER_MAX + 1))
    nan = NAN_BITS[POWERS]
    code = (np.clip(power, -POWER_MAX, POWER_MAX) + POWER_MAX).astype(np.uint8)
    if not saturate:
        code = np.where(np.abs(power) > POWER_MAX, nan, code)
    return np.where(np.isnan(number), nan, code).view(np.dtype(POWERS))
