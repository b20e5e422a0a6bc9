"""Floats of 16 bits: read exactly, written with one rounding to nearest, ties to even.

Numbers wider than binary32 go through binary32 rounded to odd: what is cut off leaves a mark in the
last bit.  Binary32 has two bits more than rounding needs, so the second rounding alone decides.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai_exec.tensor import NAN_BITS, NARROW, Tensor

Singles = npt.NDArray[np.float32]

_EXACT_WHOLE: Final = 1 << 53
"""Whole numbers up to this one are binary64 numbers."""
_CUT_BITS: Final = 11
"""Bits by which a 64-bit number is longer than a binary64 number's digits."""


def widened(tensor: Tensor) -> Tensor:
    """Give a tensor of 16-bit floats as binary32, any other one as it is."""
    if tensor.dtype.name == "bfloat16":
        return (tensor.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
    return tensor.astype(np.float32) if tensor.dtype == np.float16 else tensor


def narrowed(tensor: Tensor, dtype: str) -> Tensor:
    """Round numbers of any type to a 16-bit float type."""
    assert dtype in NARROW
    single = _single(widened(tensor))
    if dtype == "float16":
        return single.astype(np.float16)
    bits = single.view(np.uint32)
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    rounded = ((bits + half) >> np.uint32(16)).astype(np.uint16)
    return np.where(np.isnan(single), NAN_BITS[dtype], rounded).view(np.dtype(dtype))


def _single(tensor: Tensor) -> Singles:
    """Give numbers as binary32, those between two of them as the one whose last bit is 1."""
    if tensor.dtype == np.float32:
        return tensor
    wide = tensor if tensor.dtype == np.float64 else doubled(tensor)
    nearest = wide.astype(np.float32)
    bits = nearest.view(np.uint32)
    below = bits - (np.abs(nearest.astype(np.float64)) > np.abs(wide))
    odd = below.astype(np.uint32) | np.uint32(1)
    inexact = (nearest.astype(np.float64) != wide) & ~np.isnan(wide)
    return np.where(inexact, odd, bits).view(np.float32)


def doubled(tensor: Tensor) -> "npt.NDArray[np.float64]":
    """Give whole numbers as binary64; those that are too long are cut, with a mark in the end."""
    if tensor.dtype.itemsize < 8:
        return tensor.astype(np.float64)
    negative = np.less(tensor, 0)
    size: npt.NDArray[Any] = tensor.astype(np.uint64)
    size = np.where(negative, np.uint64(0) - size, size)
    mark = np.uint64((1 << _CUT_BITS) - 1)
    cut = (size & ~mark) | (np.not_equal(size & mark, 0).astype(np.uint64) << np.uint64(_CUT_BITS))
    whole = np.where(size > _EXACT_WHOLE, cut, size).astype(np.float64)
    return np.where(negative, -whole, whole)
