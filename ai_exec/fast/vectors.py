"""Instructions on vectors that the innermost loops share, for the compiler (LLVM)."""

from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils

from ai_exec.fast.machine import this_machine

I32: Final = ir.IntType(32)
I64: Final = ir.IntType(64)


def address_of(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    """Where something of a kind lies, from an address and a distance in bytes."""
    return builder.inttoptr(builder.add(base, offset), kind.as_pointer())


def load(builder: Any, base: Any, offset: Any, kind: Any, align: int = 4) -> Any:
    """Read something of a kind."""
    return builder.load(address_of(builder, base, offset, kind), align=align)


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """A vector of one value."""
    nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(nothing, value, I32(0))
    places = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    return builder.shuffle_vector(first, nothing, places)


def multiply_add(builder: Any, left: Any, right: Any, total: Any) -> Any:
    """left right + total of vectors of binary64 that hold whole numbers: exact, fused or not."""
    if not this_machine().fused:
        return builder.fadd(builder.fmul(left, right), total)
    kind = left.type
    signature = ir.FunctionType(kind, [kind] * 3)
    name = f"llvm.fma.v{kind.count}f64"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, signature, name), [left, right, total]
    )
