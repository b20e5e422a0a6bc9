"""What a codec encodes, as data: the source of metadata and of typed input on the command line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Primitive:
    """A scalar, by its SCALE name: bool, u8 ... u256, i8 ... i128, str."""

    name: str


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact integer holding the inner one."""

    inner: Primitive


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of at most `items_max` items with its count in front."""

    item: "Shape"
    items_max: int


@dataclass(frozen=True, slots=True)
class Array:
    """Exactly `length` items, no count."""

    item: "Shape"
    length: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Values one after the other."""

    items: tuple["Shape", ...]


@dataclass(frozen=True, slots=True)
class Optional:
    """A value or nothing."""

    inner: "Shape"


@dataclass(frozen=True, slots=True)
class Field:
    """A named part of a composite."""

    name: str
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Composite:
    """A record with named fields."""

    name: str
    fields: tuple[Field, ...]
    docs: str


@dataclass(frozen=True, slots=True)
class VariantCase:
    """One alternative of a variant, with its byte."""

    index: int
    composite: Composite


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several records, told apart by their first byte."""

    name: str
    cases: tuple[VariantCase, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A shape that has a meaning of its own, such as an account."""

    name: str
    inner: "Shape"


Shape = Primitive | Compact | Sequence | Array | Tuple | Optional | Composite | Variant | Named
