"""Weight of calls, as events carry it; inside the chain a weight is a plain number."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import COMPACT_U64, U8, Codec, DecodeError, shapes

MICROSECOND: Final = 1_000_000
"""Weight of one microsecond of one reference core, in picoseconds."""

MILLISECOND: Final = 1_000 * MICROSECOND
"""Weight of one millisecond."""

SECOND: Final = 1_000 * MILLISECOND
"""Weight of one second."""


class DispatchClass(IntEnum):
    """For whom the room in a block is kept."""

    NORMAL = 0
    """Transactions of users."""

    OPERATIONAL = 1
    """Transactions that keep the chain alive."""

    MANDATORY = 2
    """Inherents: always fit."""


class Pays(IntEnum):
    """Whether the fee is kept."""

    YES = 0
    """The signer pays."""

    NO = 1
    """The fee is given back."""


def _case(index: int, name: str) -> shapes.VariantCase:
    return shapes.VariantCase(index, shapes.Composite(name, (), ""))


def _read_class(data: bytes, offset: int) -> tuple[DispatchClass, int]:
    byte, offset = U8.read(data, offset)
    if byte > DispatchClass.MANDATORY:
        raise DecodeError(f"DispatchClass: no case {byte}")
    return DispatchClass(byte), offset


def _read_pays(data: bytes, offset: int) -> tuple[Pays, int]:
    byte, offset = U8.read(data, offset)
    if byte > Pays.NO:
        raise DecodeError(f"Pays: no case {byte}")
    return Pays(byte), offset


DISPATCH_CLASS: Final[Codec[DispatchClass]] = Codec(
    U8.write,
    _read_class,
    shapes.Variant(
        "DispatchClass", (_case(0, "Normal"), _case(1, "Operational"), _case(2, "Mandatory"))
    ),
)
PAYS: Final[Codec[Pays]] = Codec(
    U8.write, _read_pays, shapes.Variant("Pays", (_case(0, "Yes"), _case(1, "No")))
)


@dataclass(frozen=True, slots=True)
class WeightV2:
    """A weight on the wire."""

    ref_time: Annotated[int, COMPACT_U64]
    """Picoseconds of one reference core."""

    proof_size: Annotated[int, COMPACT_U64] = 0
    """Bytes of a storage proof; this chain charges none."""


@dataclass(frozen=True, slots=True)
class DispatchInfo:
    """What an extrinsic took, as its last event says."""

    weight: WeightV2
    """What it was charged for in the end."""

    dispatch_class: Annotated[DispatchClass, DISPATCH_CLASS]
    """For whom the room was kept."""

    pays_fee: Annotated[Pays, PAYS]
    """Whether the fee was kept."""
