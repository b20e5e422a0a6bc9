"""Results as lines and tables for people; without colour, and the same on every terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

COIN: Final = 10**12
AMOUNTS: Final = frozenset(
    (
        *("amount", "claimable", "deposit", "endowment", "fee", "free", "frozen", "owed", "paid"),
        *("left", "pending", "price", "reserved", "stake", "tip", "total_issuance"),
        *("base_fee", "len_fee", "adjusted_weight_fee", "network_fee", "total"),
        *("actual_fee", "existential_deposit", "free_balance"),
        *("ayes", "nays", "power", "locked", "staked", "delegated", "spendable"),
    )
)
"""Names of values that people are shown in coins."""

PARTS_OF_AMOUNT: Final = frozenset(("parts",))
"""Names of records whose numbers are all amounts."""

SHARED: Final = frozenset(("validators", "owner", "contributors", "treasury", "royalty"))
"""Names in a policy whose numbers are parts per million."""

WIDTH_MAX: Final = 200
"""Of a table, in characters; wider ones are shown record by record."""

INLINE_MAX: Final = 100
"""Of a list in one line, in characters."""


def lines_of(value: Any, name: str = "", under: str = "") -> list[str]:
    """Give the lines of a result; `name` is its own, `under` that of what holds it."""
    if isinstance(value, Mapping):
        return _record_lines(value, name)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(each, Mapping) for each in value):
            return _table_lines(value)
        return [f"- {_cell(each, name, under)}" for each in value]
    return [_cell(value, name, under)]


def amount_text(amount: int) -> str:
    """Give an amount in coins, exactly."""
    coins, rest = divmod(abs(amount), COIN)
    decimals = f".{rest:012d}".rstrip("0") if rest else ""
    return f"{'-' if amount < 0 else ''}{coins:,}{decimals} NOE".replace(",", "_")


def _record_lines(record: Mapping[str, Any], under: str) -> list[str]:
    width = max((len(name) for name in record), default=0)
    lines = []
    for name, value in record.items():
        label = name.replace("_", " ")
        text = _cell(value, name, under)
        if isinstance(value, Mapping | list | tuple) and value and not _is_short(value, text):
            lines += [label, *("  " + line for line in lines_of(value, name, under))]
        else:
            lines.append(f"{label.ljust(width)}  {text}")
    return lines


def _is_short(value: Any, text: str) -> bool:
    plain = not isinstance(value, Mapping) and not any(
        isinstance(each, Mapping | list | tuple) for each in value
    )
    return plain and len(text) <= INLINE_MAX


def _table_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name), name, "") for name in names] for row in rows]
    head = [name.replace("_", " ") for name in names]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    if sum(widths) + 2 * len(widths) > WIDTH_MAX:
        blocks = [_record_lines(row, "") for row in rows]
        return [line for block in blocks for line in ("", *block)][1:]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *cells)
    ]


def _cell(value: Any, name: str, under: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        inner = (f"{key} {_cell(each, key, name)}" for key, each in value.items())
        return ", ".join(inner) or "-"
    if isinstance(value, list | tuple):
        inside = ", ".join(_cell(each, name, under) for each in value)
        nested = any(isinstance(each, Mapping | list | tuple) for each in value)
        return (f"[{inside}]" if nested or under == "outputs" else inside) or "-"
    if isinstance(value, int | str) and str(value).isascii() and str(value).isdigit():
        if under == "policy" and name in SHARED:
            return f"{int(value) / 10_000:g}%"
        if name in AMOUNTS or under in PARTS_OF_AMOUNT:
            return amount_text(int(value))
    return str(value)
