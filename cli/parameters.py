"""Types of arguments and options: what is wrong with a value is said where it was typed."""

from fractions import Fraction
from typing import Any, Final

import click

_UNITS: Final = {"NOE": 10**12, "mNOE": 10**9, "uNOE": 10**6}
_DIGITS_MAX: Final = 60


class AddressType(click.ParamType[str]):
    """An account, as SS58 text, 0x and 64 hex digits, //Name, or the name of a key file."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the SS58 text."""
        from chain.primitives.keys import ss58_decode, ss58_encode
        from cli.keys import UnknownKey, address_of

        if value.startswith("0x"):
            raw = _hex(value)
            if raw is None or len(raw) != 32:
                self.fail(f"{value!r} is not 0x and 64 hex digits", param, ctx)
            return ss58_encode(raw)
        try:
            return ss58_encode(ss58_decode(value))
        except ValueError as wrong:
            try:
                return address_of(ctx, value)
            except UnknownKey:
                self.fail(f"{wrong}; there is no key file of that name either", param, ctx)
            except ValueError as error:
                self.fail(str(error), param, ctx)


class AmountType(click.ParamType[int]):
    """An amount: 1.5NOE, 20mNOE, or a bare whole number of the smallest unit (10^-12 NOE)."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give the smallest units."""
        if isinstance(value, int):
            return value
        text = value.replace("_", "").replace(" ", "")
        unit = next((each for each in ("mNOE", "uNOE", "NOE") if text.endswith(each)), None)
        digits = text.removesuffix(unit) if unit else text
        try:
            amount = _decimal(digits) * (_UNITS[unit] if unit else 1)
        except ValueError:
            self.fail(f"{value!r} is no amount: 1.5NOE, 20mNOE or 1500000000000", param, ctx)
        if amount.denominator != 1:
            hint = "" if unit else "; write NOE behind a number of coins"
            self.fail(f"{value!r} is no whole number of the smallest unit{hint}", param, ctx)
        if not 0 <= amount < 1 << 128:
            self.fail(f"{value!r} is below zero or above 2^128", param, ctx)
        return int(amount)


class HashType(click.ParamType[str]):
    """32 bytes as 0x and 64 hex digits."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give 0x text."""
        raw = _hex(value)
        if raw is None or len(raw) != 32:
            self.fail(f"{value!r} is not 0x and 64 hex digits", param, ctx)
        return "0x" + raw.hex()


class BlockType(click.ParamType[int | str]):
    """A block, as a height or as a hash."""

    name = "block"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """Give the height or 0x text."""
        if value.isdigit() and value.isascii() and len(value) <= 10:
            return int(value)
        return HASH.convert(value, param, ctx)


class NamedValueType(click.ParamType[tuple[str, str]]):
    """name=value, the value still as it was typed."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Give name and value."""
        name, equals, text = value.partition("=")
        if not equals or not name:
            self.fail(f"{value!r}: write name=value", param, ctx)
        return name.replace("-", "_"), text


class NameType(click.ParamType[str]):
    """A name for a model or a dataset, checked before anything is paid for."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the name."""
        from runtime.frame.names import NAME_BYTES_MAX, is_name

        if not is_name(value):
            rule = "small letters, digits and dashes, a letter first"
            self.fail(f"{value!r} is no name: {rule}, {NAME_BYTES_MAX} at most", param, ctx)
        return str(value)


class ShareType(click.ParamType[int]):
    """A share: 30%, 12.5%, or parts per million."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give parts per million."""
        try:
            text = str(value)
            parts = _decimal(text.removesuffix("%")) * (10_000 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{value!r} is no share: 30% or 300000", param, ctx)
        if not 0 <= parts <= 1_000_000 or parts.denominator != 1:
            self.fail(f"{value!r} is not within 0% and 100%, in parts per million", param, ctx)
        return int(parts)


class BoundType(click.ParamType[tuple[str, int]]):
    """How long an open axis may be: its name, an equals sign, and a whole number."""

    name = "axis=length"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Give the axis and its greatest length."""
        if isinstance(value, tuple):
            return value
        axis, _, most = value.rpartition("=")
        if not axis or not (most.isascii() and most.isdigit()) or not 0 < int(most) < 1 << 32:
            self.fail(f"{value!r} is no bound: batch=8", param, ctx)
        return axis, int(most)


class ShapeType(click.ParamType[tuple[int, ...]]):
    """Dimensions, such as 8x8 or 64."""

    name = "shape"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Give the dimensions."""
        parts = str(value).lower().split("x")
        if len(parts) > 8 or not all(each.isascii() and each.isdigit() for each in parts):
            self.fail(f"{value!r} is no shape: 8x8", param, ctx)
        dimensions = tuple(map(int, parts))
        if not all(0 < each < 1 << 32 for each in dimensions):
            self.fail(f"{value!r} has a dimension out of bounds", param, ctx)
        return dimensions


def _decimal(digits: str) -> Fraction:
    """Read a decimal number exactly; raises ValueError."""
    if len(digits) > _DIGITS_MAX or not set(digits) <= set("0123456789.-"):
        raise ValueError(digits)
    return Fraction(digits)


def _hex(value: str) -> bytes | None:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        return None


ADDRESS: Final = AddressType()
AMOUNT: Final = AmountType()
HASH: Final = HashType()
BLOCK: Final = BlockType()
NAMED_VALUE: Final = NamedValueType()
NAME: Final = NameType()
SHARE: Final = ShareType()
SHAPE: Final = ShapeType()
BOUND: Final = BoundType()


def name_and_version(text: str, hint: str) -> tuple[str, int | None]:
    """Give both of NAME@VERSION, None for the version that is not named; `hint` names it."""
    name, _, number = text.partition("@")
    if number and not (number.isdigit() and number.isascii()):
        raise click.BadParameter(f"{number!r} is no version number", param_hint=hint)
    return name, int(number) if number else None
