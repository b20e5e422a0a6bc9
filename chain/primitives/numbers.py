"""Numbers that have a meaning: amounts, heights, nonces, weights."""

from typing import Annotated, Final

from chain.primitives.codec import U32, U64, U128, named

Amount = Annotated[int, named("Balance", U128)]
"""An amount of the native coin in its smallest unit (10^-12 NOE)."""

BlockNumber = Annotated[int, named("BlockNumber", U32)]
"""Height of a block; the first one after genesis is 1."""

Nonce = Annotated[int, named("Nonce", U32)]
"""How many transactions an account has sent."""

Weight = Annotated[int, named("Weight", U64)]
"""Time of one reference core in picoseconds."""

Parts = Annotated[int, named("PartsPerMillion", U32)]
"""A share in parts per million."""

NOE: Final = 10**12
"""One coin in its smallest unit."""

WEIGHT_PER_GAS: Final = 1_000
"""Picoseconds of weight for one gas (one nanosecond) of model execution."""
