"""Descriptions of types as JSON, so that a client can build calls that it was never told about."""

from typing import Any

from chain.primitives.codec import shapes as s


class UnknownDescription(Exception):
    """The node describes a type in a way that this client does not know.  Update the client."""


def to_description(shape: s.Shape) -> Any:
    """Give the JSON description of a type."""
    match shape:
        case s.Primitive():
            return shape.name
        case s.Compact():
            return {"compact": shape.inner.name}
        case s.Named():
            return {"named": shape.name, "type": to_description(shape.inner)}
        case s.Sequence():
            return {"sequence": to_description(shape.item), "max": shape.items_max}
        case s.Array():
            return {"array": to_description(shape.item), "length": shape.length}
        case s.Tuple():
            return {"tuple": [to_description(item) for item in shape.items]}
        case s.Optional():
            return {"option": to_description(shape.inner)}
        case s.Composite():
            fields = [[field.name, to_description(field.shape)] for field in shape.fields]
            return {"record": shape.name, "fields": fields, "docs": shape.docs}
        case s.Variant():
            cases = [[case.index, to_description(case.composite)] for case in shape.cases]
            return {"variant": shape.name, "cases": cases}


def from_description(description: Any) -> s.Shape:
    """Give the type of a JSON description; raises UnknownDescription."""
    try:
        return _from(description)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnknownDescription(str(error)) from error


def _from(described: Any) -> s.Shape:
    if isinstance(described, str):
        return s.Primitive(described)
    kind = next(iter(described), None)
    match kind:
        case "compact":
            return s.Compact(s.Primitive(described["compact"]))
        case "named":
            return s.Named(described["named"], _from(described["type"]))
        case "sequence":
            return s.Sequence(_from(described["sequence"]), int(described["max"]))
        case "array":
            return s.Array(_from(described["array"]), int(described["length"]))
        case "tuple":
            return s.Tuple(tuple(_from(item) for item in described["tuple"]))
        case "option":
            return s.Optional(_from(described["option"]))
        case "record":
            return _composite(described)
        case "variant":
            cases = (s.VariantCase(index, _composite(case)) for index, case in described["cases"])
            return s.Variant(described["variant"], tuple(cases))
    raise ValueError(f"kind {kind!r}")


def _composite(described: Any) -> s.Composite:
    fields = tuple(s.Field(name, _from(field)) for name, field in described["fields"])
    return s.Composite(described["record"], fields, described.get("docs", ""))


def short_name(shape: s.Shape) -> str:
    """Give a few words that tell a person what to type."""
    match shape:
        case s.Primitive():
            return "text" if shape.name == "str" else shape.name
        case s.Compact():
            return shape.inner.name
        case s.Named():
            return {"AccountId32": "address", "MultiAddress": "address"}.get(shape.name, shape.name)
        case s.Sequence() | s.Array() if shape.item == s.Primitive("u8"):
            return "bytes" if isinstance(shape, s.Sequence) else f"{shape.length} bytes"
        case s.Sequence() | s.Array():
            return f"list of {short_name(shape.item)}"
        case s.Tuple():
            return f"[{', '.join(short_name(item) for item in shape.items)}]"
        case s.Optional():
            return f"{short_name(shape.inner)} or nothing"
        case s.Composite():
            return shape.name
        case s.Variant():
            return " | ".join(case.composite.name for case in shape.cases)
