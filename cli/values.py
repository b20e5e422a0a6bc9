"""What a person typed for an argument of a call, read by the argument's type."""

import json
from pathlib import Path
from typing import Any

import click

from chain.primitives.codec import shapes as s
from cli.parameters import ADDRESS, AMOUNT

_BYTE = s.Primitive("u8")


def typed_value(shape: s.Shape, text: str, ctx: click.Context | None) -> Any:
    """Give the JSON of a value: numbers, coins, addresses, 0x, @file for bytes, else JSON.

    Raises click.BadParameter.
    """
    match shape:
        case s.Optional():
            return None if text in ("null", "") else typed_value(shape.inner, text, ctx)
        case s.Named() if shape.name in ("AccountId32", "MultiAddress"):
            return ADDRESS.convert(text, None, ctx)
        case s.Named():
            return typed_value(shape.inner, text, ctx)
        case s.Primitive(name="str"):
            return text
        case s.Primitive() | s.Compact():
            return str(AMOUNT.convert(text, None, ctx)) if text.endswith("NOE") else text
        case s.Sequence() | s.Array() if shape.item == _BYTE:
            return _bytes(text)
        case s.Variant():
            return _json(text) if text.startswith(("{", '"')) else text
    return _json(text)


def _bytes(text: str) -> Any:
    if text.startswith("@"):
        return Path(text[1:]).read_bytes()
    return text if text.startswith("0x") else "0x" + text.encode().hex()


def _json(text: str) -> Any:
    try:
        return json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{text[:60]!r} is not JSON: {error}") from error
