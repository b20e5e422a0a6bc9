"""Failures as they stand on the wire in `ExtrinsicFailed` (Substrate's DispatchError)."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U8, Codec, fixed, union

Byte = Annotated[int, U8]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call was refused, without words."""


@dataclass(frozen=True, slots=True)
class Other(Failure):
    """A cause without a number of its own."""


@dataclass(frozen=True, slots=True)
class CannotLookup(Failure):
    """The address form is not known to this chain."""


@dataclass(frozen=True, slots=True)
class BadOrigin(Failure):
    """The call does not accept this origin."""


@dataclass(frozen=True, slots=True)
class Module(Failure):
    """A pallet's own error."""

    index: Byte
    """The pallet's index."""

    error: Annotated[bytes, fixed(4)]
    """The error's index and three zero bytes."""


@dataclass(frozen=True, slots=True)
class ConsumerRemaining(Failure):
    """Something still depends on the account."""


@dataclass(frozen=True, slots=True)
class NoProviders(Failure):
    """The account does not exist."""


@dataclass(frozen=True, slots=True)
class TooManyConsumers(Failure):
    """Too many things depend on the account."""


@dataclass(frozen=True, slots=True)
class Token(Failure):
    """A rule of tokens was violated."""

    index: Byte
    """Which rule."""


@dataclass(frozen=True, slots=True)
class Arithmetic(Failure):
    """A number left its bounds."""

    index: Byte
    """0 below the least, 1 above the greatest, 2 division by zero."""


@dataclass(frozen=True, slots=True)
class Transactional(Failure):
    """Layers of storage were exhausted."""

    index: Byte
    """Which limit."""


@dataclass(frozen=True, slots=True)
class Exhausted(Failure):
    """A resource of the block is used up."""


@dataclass(frozen=True, slots=True)
class Corruption(Failure):
    """The state contradicts itself."""


@dataclass(frozen=True, slots=True)
class Unavailable(Failure):
    """Something needed is not there now."""


@dataclass(frozen=True, slots=True)
class RootNotAllowed(Failure):
    """The chain itself may not do this."""


@dataclass(frozen=True, slots=True)
class Trie(Failure):
    """A proof was refused."""

    index: Byte
    """Which check."""


FAILURE: Final[Codec[Failure]] = union(
    "DispatchError",
    {
        0: Other,
        1: CannotLookup,
        2: BadOrigin,
        3: Module,
        4: ConsumerRemaining,
        5: NoProviders,
        6: TooManyConsumers,
        7: Token,
        8: Arithmetic,
        9: Transactional,
        10: Exhausted,
        11: Corruption,
        12: Unavailable,
        13: RootNotAllowed,
        14: Trie,
    },
)
