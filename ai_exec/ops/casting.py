"""Operators that turn elements of one type into those of another."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.rules import ANY, INTEGERS, require_dtype, require_word
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics import numerics
from ai_exec.tensor import DTYPE_NAMES, ELEMENT_BITS, NARROW, Tensor, canonical

_TO_SMALL = 230_000
_TO_FEW_BITS = 60_000
_TO_NARROW = 28_000
_FROM_NARROW = 6_000
_TO_WHOLE = 30_000
_PLAIN = 2_000
"""Picoseconds of an element by what is converted to what, at worst."""


def _cost(call: Call) -> int:
    given, made = call.at(0).dtype, call.outputs[0].dtype
    if made.startswith(("float8", "float4")):
        price = _TO_SMALL
    elif ELEMENT_BITS[made] < 8 or (made == "uint64" and "float" in given):
        price = _TO_FEW_BITS
    elif made in NARROW:
        price = _TO_NARROW
    elif "float" in given and made in INTEGERS:
        price = _TO_WHOLE
    else:
        price = _PLAIN if ELEMENT_BITS[given] >= 32 or "float" not in given else _FROM_NARROW
    return per_element(price, start=20_000)(call)


ROUND_MODES: Final = ("up", "down", "nearest")

OLD_NAMES: Final[Mapping[str, str]] = {
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "BOOL": "bool",
    "FLOAT16": "float16",
    **{name.upper(): name for name in INTEGERS},
}
"""Element types as the first version of Cast writes them."""


def _named_type(call: Call) -> str:
    dtype = DTYPE_NAMES.get(call.whole("to"))
    if dtype is None:
        raise Mismatch(f"element type number {call.whole('to')} is not supported")
    return dtype


def _cast(call: Call) -> tuple[Operand, ...]:
    require_word(call, "round_mode", ROUND_MODES)
    return (Operand(_named_type(call), call.at(0).shape),)


@operator("Cast", since=(24, 25, 28), infer=_cast, cost=_cost, values=ANY, native=True)
def cast(input: Tensor, *, round_mode: str = "up", saturate: int = 1, to: int) -> Tensor:
    """Convert elements (see `numerics.cast`, and `semantics/tiny.py` of small floats)."""
    dtype = DTYPE_NAMES[to]
    return numerics.cast(input, dtype, saturate=bool(saturate), round_mode=round_mode)


earlier("Cast", since=(19, 21, 23), of=24, lacks=("round_mode",))
earlier("Cast", since=(6, 9, 13), of=24, lacks=("round_mode", "saturate"))


def _cast_1(call: Call) -> tuple[Operand, ...]:
    dtype = OLD_NAMES.get(call.word("to"))
    if dtype is None:
        raise Mismatch("to is not one of " + ", ".join(OLD_NAMES))
    return (Operand(dtype, call.at(0).shape),)


@operator("Cast", since=1, infer=_cast_1, cost=_cost, values=ANY, native=True)
def cast_1(input: Tensor, *, to: str) -> Tensor:
    """As later versions, which write the element type as a number."""
    return numerics.cast(input, OLD_NAMES[to])


def _cast_like(call: Call) -> tuple[Operand, ...]:
    require_word(call, "round_mode", ROUND_MODES)
    require_dtype(call.at(1), ANY, "target_type")
    return (Operand(call.at(1).dtype, call.at(0).shape),)


@operator("CastLike", since=(24, 25), infer=_cast_like, cost=_cost, values=ANY, native=True)
def cast_like(
    input: Tensor, target_type: Tensor, *, round_mode: str = "up", saturate: int = 1
) -> Tensor:
    """As `cast` to the element type of another tensor."""
    dtype = target_type.dtype.name
    return numerics.cast(input, dtype, saturate=bool(saturate), round_mode=round_mode)


earlier("CastLike", since=(19, 21, 23), of=24, lacks=("round_mode",))
earlier("CastLike", since=15, of=24, lacks=("round_mode", "saturate"))


def _bit_cast(call: Call) -> tuple[Operand, ...]:
    dtype, first = _named_type(call), call.at(0)
    if ELEMENT_BITS[dtype] != ELEMENT_BITS[first.dtype]:
        raise Mismatch(f"{first} and {dtype} differ in width")
    return (Operand(dtype, first.shape),)


@operator("BitCast", since=26, infer=_bit_cast, cost=per_element(2_000), values=ANY, native=True)
def bit_cast(input: Tensor, *, to: int) -> Tensor:
    """The same bits as another type of that width; NaNs are canonical before, a bool is 0 or 1."""
    plain, dtype = canonical(input), DTYPE_NAMES[to]
    if dtype == "bool":
        return np.not_equal(plain.view(np.uint8), 0)
    return plain.view(np.dtype(dtype))
