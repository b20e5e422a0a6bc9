"""Origins: on whose authority a call is dispatched."""

from dataclasses import dataclass

from chain.primitives.keys import Address


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction with a checked signature."""

    address: Address
    """Who signed and pays."""


@dataclass(frozen=True, slots=True)
class Root:
    """The chain itself, by genesis or by a decision of its members."""


@dataclass(frozen=True, slots=True)
class Inherent:
    """The proposer of the block, by a bare extrinsic that every validator checks."""


Origin = Signed | Root | Inherent
"""Every origin there is; a call names the ones it accepts in its signature."""

ORIGINS = (Signed, Root, Inherent)
