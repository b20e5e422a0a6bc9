"""Casts between floats of 16 and 32 bits and to whole numbers, each in one pass over bits."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import whole
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

Kernel = Callable[..., Tensor]
INT64_END: Final = 2.0**63
INT64_LAST: Final = (1 << 63) - 1
BIAS_STEP: Final = 0x38000000
"""How much farther apart exponents of binary32 begin than those of float16, as bits."""
HALF_BITS: Final = 0x3F000000
"""Added to a number below 2^-14, 0.5 leaves its last bits where float16 has them."""


@compiled
def to_whole(x: Any, low: float, high: float, result: Any) -> None:
    """Cut floats to whole numbers of at most 32 bits from low to high; NaN is 0."""
    for place in range(x.size):
        wide: float = np.float64(x[place])
        wide = 0.0 if wide != wide else wide
        wide = low if wide < low else wide
        result[place] = np.int64(high if wide > high else wide)


@compiled
def to_int64(x: Any, result: Any) -> None:
    """Cut floats to whole numbers of 64 bits; NaN is 0."""
    for place in range(x.size):
        wide: float = np.float64(x[place])
        wide = 0.0 if wide != wide else wide
        beyond = wide >= INT64_END
        inside = -INT64_END if wide < -INT64_END else (0.0 if beyond else wide)
        result[place] = np.int64(INT64_LAST) if beyond else np.int64(inside)


@compiled
def from_half(x: Any, result: Any) -> None:
    """Bits of float16 as those of binary32."""
    for place in range(x.size):
        bits = np.int32(x[place])
        size = np.int32(bits & np.int32(0x7FFF))
        usual = np.int32(np.int32(size << np.int32(13)) + np.int32(BIAS_STEP))
        small = np.float32(np.float32(size) * np.float32(2.0**-24)).view(np.int32)
        found = np.int32(usual + np.int32(BIAS_STEP)) if size >= np.int32(0x7C00) else usual
        found = small if size < np.int32(0x400) else found
        result[place] = np.int32(found | np.int32(bits & np.int32(-0x80000000)))


@compiled
def to_half(x: Any, result: Any) -> None:
    """Bits of binary32 as those of float16, half to even."""
    for place in range(x.size):
        bits = x[place]
        size = np.int32(bits & np.int32(0x7FFFFFFF))
        odd = np.int32(np.int32(size >> np.int32(13)) & np.int32(1))
        moved = np.int32(np.int32(size - np.int32(BIAS_STEP - 0xFFF)) + odd)
        usual = np.int32(moved >> np.int32(13))
        shifted = np.float32(size.view(np.float32) + np.float32(0.5))
        small = np.int32(shifted.view(np.int32) - np.int32(HALF_BITS))
        found = small if size < np.int32(0x38800000) else usual
        found = np.int32(0x7C00) if size >= np.int32(0x47800000) else found
        found = np.int32(0x7E00) if size > np.int32(0x7F800000) else found
        sign = np.int32(np.int32(bits >> np.int32(16)) & np.int32(0x8000))
        result[place] = np.int16(np.int32(found | sign))


@compiled
def to_bfloat(x: Any, result: Any) -> None:
    """Bits of binary32 as those of bfloat16, half to even."""
    for place in range(x.size):
        bits = np.uint32(x[place])
        odd = np.uint32(bits >> np.uint32(16)) & np.uint32(1)
        found = np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)
        size = np.uint32(bits & np.uint32(0x7FFFFFFF))
        result[place] = np.uint16(np.uint32(0x7FC0) if size > np.uint32(0x7F800000) else found)


@compiled
def from_bfloat(x: Any, result: Any) -> None:
    """Bits of bfloat16 as those of binary32."""
    for place in range(x.size):
        result[place] = np.uint32(x[place]) << np.uint32(16)


def _by_bits(compute: Callable[..., None], given: Any, made: Any, dtype: Any) -> Kernel:
    def kernel(x: Tensor, *others: Tensor | None) -> Tensor:
        result = np.empty(x.shape, made)
        compute(whole(x, (x.size,)).view(given), result.reshape(-1))
        return result.view(dtype)

    return kernel


def _whole_numbers(dtype: str) -> Kernel:
    bounds = np.iinfo(dtype)

    def kernel(x: Tensor, *others: Tensor | None) -> Tensor:
        result = np.empty(x.shape, dtype)
        flat, target = whole(x, (x.size,)), result.reshape(-1)
        if dtype == "int64":
            to_int64(flat, target)
        else:
            to_whole(flat, float(bounds.min), float(bounds.max), target)
        return result

    return kernel


def _narrow(made: str) -> np.dtype[Any]:
    return np.dtype(made)


WHOLE: Final = ("int8", "uint8", "int32", "int64")
CASTS: Final[Mapping[tuple[str, str], Kernel]] = {
    **{(given, made): _whole_numbers(made) for given in ("float32", "float64") for made in WHOLE},
    ("float32", "float16"): _by_bits(to_half, np.int32, np.int16, np.float16),
    ("float16", "float32"): _by_bits(from_half, np.int16, np.int32, np.float32),
    ("float32", "bfloat16"): _by_bits(to_bfloat, np.uint32, np.uint16, _narrow("bfloat16")),
    ("bfloat16", "float32"): _by_bits(from_bfloat, np.uint16, np.uint32, np.float32),
}
"""By the element types before and after."""


UNCHANGED: Final = frozenset(
    ("float32", "float64", "float16", "bool", "int8", "uint8", "int32", "int64")
)
"""A cast of one of these to itself changes nothing."""


def cast(node: Node, program: Program) -> Kernel | None:
    """Give the kernel of a Cast; None leaves it to the operator's own."""
    given, made = program.operands[node.inputs[0]].dtype, program.operands[node.outputs[0]].dtype
    if given == made and made in UNCHANGED:
        return lambda x, *others: x
    return CASTS.get((given, made))
