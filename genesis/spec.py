"""Chain specification: the file that says with what a chain starts.  Read strictly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from chain.primitives.keys import Address, InvalidAddress, ss58_decode, ss58_encode
from chain.primitives.numbers import Amount

SPEC_BYTES_MAX: Final = 4 * 1024 * 1024
"""Room for thousands of accounts; read whole, so it has a bound."""

PRESETS: Final = ("dev", "local")
CHAIN_TYPES: Final = ("Development", "Local", "Live")
_AMOUNT_END = 1 << 128
_INTERVAL_MS = (100, 60_000)


class InvalidSpec(ValueError):
    """The chain specification can't be used.  Each line of the message names one thing to mend."""


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """With what a chain starts.  Two chains with different ones have different genesis hashes."""

    name: str
    """What people call the chain."""

    id: str
    """What folders and files call it: lower case letters, digits, hyphens."""

    chain_type: str
    """Development, Local or Live."""

    block_interval_ms: int
    """Least time between two blocks; every validator of the chain keeps to it."""

    endowments: Mapping[Address, Amount]
    """First funds of each account, in the smallest unit."""

    validators: Mapping[Address, Amount]
    """Stake of each validator, taken from its endowment."""


def preset(name: str) -> ChainSpec:
    """Give a specification that comes with Noema: `dev` (one validator) or `local` (four)."""
    assert name in PRESETS, name
    return parse_spec((files("genesis") / "presets" / f"{name}.json").read_bytes())


def parse_spec(content: bytes) -> ChainSpec:
    """Read a specification; raises InvalidSpec with everything that is wrong with it."""
    if len(content) > SPEC_BYTES_MAX:
        raise InvalidSpec(f"{len(content)} bytes, at most {SPEC_BYTES_MAX}")
    try:
        document = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise InvalidSpec(f"not JSON: {error}") from error
    complaints = _complaints(document)
    if complaints:
        raise InvalidSpec("\n".join(complaints))
    return ChainSpec(
        name=document["name"],
        id=document["id"],
        chain_type=document["chain_type"],
        block_interval_ms=document["block_interval_ms"],
        endowments=_amounts(document["endowments"]),
        validators=_amounts(document["validators"]),
    )


def write_spec(spec: ChainSpec) -> bytes:
    """Give the file of a specification; equal ones give equal bytes."""
    document = {
        "name": spec.name,
        "id": spec.id,
        "chain_type": spec.chain_type,
        "block_interval_ms": spec.block_interval_ms,
        "endowments": _texts(spec.endowments),
        "validators": _texts(spec.validators),
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(names) < 99 else []
    if repeated or len(dict(pairs)) != len(pairs):
        raise ValueError(f"named twice: {', '.join(repeated) or 'an account'}")
    return dict(pairs)


def _amounts(entries: Mapping[str, int]) -> dict[Address, Amount]:
    return {ss58_decode(text): amount for text, amount in entries.items()}


def _texts(amounts: Mapping[Address, Amount]) -> dict[str, int]:
    return {ss58_encode(address): amounts[address] for address in sorted(amounts)}


def _complaints(document: Any) -> list[str]:
    known = ("name", "id", "chain_type", "block_interval_ms", "endowments", "validators")
    if not isinstance(document, dict):
        return ["the file is no JSON object"]
    found = [f"{name}: missing" for name in known if name not in document]
    found += [f"{name}: unknown, take it out" for name in document if name not in known]
    if found:
        return found
    found += _text_complaints(document)
    low, high = _INTERVAL_MS
    interval = document["block_interval_ms"]
    if not _is_whole(interval) or not low <= interval <= high:
        found.append(f"block_interval_ms: a whole number from {low} to {high}")
    for name in ("endowments", "validators"):
        found += _amount_complaints(name, document[name])
    return found or _stake_complaints(document["endowments"], document["validators"])


def _text_complaints(document: Mapping[str, Any]) -> list[str]:
    found = []
    name, identifier = document["name"], document["id"]
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable():
        found.append("name: 1 to 64 printable characters")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= 32:
        found.append("id: 1 to 32 characters")
    elif not set(identifier) <= allowed:
        found.append("id: lower case letters, digits and hyphens only")
    if document["chain_type"] not in CHAIN_TYPES:
        found.append(f"chain_type: one of {', '.join(CHAIN_TYPES)}")
    return found


def _amount_complaints(name: str, entries: Any) -> list[str]:
    if not isinstance(entries, dict) or not entries:
        return [f"{name}: an object of addresses and amounts, at least one"]
    found = []
    for text, amount in entries.items():
        try:
            ss58_decode(text)
        except InvalidAddress as error:
            found.append(f"{name}: {error}")
        if not _is_whole(amount) or not 0 < amount < _AMOUNT_END:
            found.append(f"{name}: {text}: a whole number of smallest units above zero")
    return found


def _stake_complaints(endowments: Mapping[str, int], validators: Mapping[str, int]) -> list[str]:
    found = [
        f"validators: {text}: its stake of {stake} is more than its endowment"
        for text, stake in validators.items()
        if endowments.get(text, 0) < stake
    ]
    if sum(endowments.values()) >= _AMOUNT_END:
        found.append("endowments: together they are 2^128 or more")
    return found


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
