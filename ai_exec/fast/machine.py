"""What this processor's vectors can do: it shapes the loops of products, never their bits."""

from dataclasses import dataclass
from functools import cache

from llvmlite import binding


@dataclass(frozen=True, slots=True)
class Machine:
    """How products are cut to fit registers."""

    lanes: int
    """Numbers of binary64 in a vector."""
    rows_max: int
    """Rows of a tile: with three vectors each, results and operands fill the registers."""
    fused: bool
    """Whether a product and a sum are one instruction; whole numbers do not tell the difference."""
    pairs: bool
    """Whether two products of 16-bit numbers and their sum are one instruction of 512 bits."""


@cache
def this_machine() -> Machine:
    """Ask the compiler's library once."""
    features = binding.get_host_cpu_features()

    def has(name: str) -> bool:
        return bool(features.get(name, False))

    if has("avx512f"):
        return Machine(8, 8, fused=True, pairs=has("avx512bw") and has("avx512vnni"))
    if has("avx"):
        return Machine(4, 4, fused=has("fma"), pairs=False)
    if has("neon"):
        return Machine(2, 8, fused=True, pairs=False)
    return Machine(2, 4, fused=False, pairs=False)
