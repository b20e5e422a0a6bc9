"""JSON of a runtime's description; `chain.rpc.description` reads it back."""

from collections.abc import Sequence
from typing import Any

from chain.primitives.codec.shapes import Field
from chain.rpc.rendering import optional_hex
from chain.rpc.type_descriptions import to_description
from chain.rpc.typed_json import hex_of
from runtime.frame.description import PalletDescription


def pallets_json(pallets: Sequence[PalletDescription]) -> list[dict[str, Any]]:
    """Give all pallets."""
    return [_pallet(pallet) for pallet in pallets]


def _pallet(pallet: PalletDescription) -> dict[str, Any]:
    return {
        "index": pallet.index,
        "name": pallet.name,
        "docs": pallet.docs,
        "calls": [
            {
                "index": call.index,
                "name": call.name,
                "arguments": _fields(call.arguments),
                "origins": list(call.origins),
                "docs": call.docs,
            }
            for call in pallet.calls
        ],
        "events": [
            {
                "index": event.index,
                "name": event.name,
                "fields": _fields(event.fields),
                "docs": event.docs,
            }
            for event in pallet.events
        ],
        "errors": [
            {"index": error.index, "name": error.name, "docs": error.docs}
            for error in pallet.errors
        ],
        "storage": [
            {
                "name": item.name,
                "prefix": hex_of(item.prefix),
                "hashers": list(item.hashers),
                "keys": [to_description(key) for key in item.keys],
                "value": to_description(item.value),
                "default": optional_hex(item.default),
                "docs": item.docs,
            }
            for item in pallet.storage
        ],
        "constants": [
            {
                "name": constant.name,
                "type": to_description(constant.shape),
                "value": hex_of(constant.value),
                "docs": constant.docs,
            }
            for constant in pallet.constants
        ],
    }


def _fields(fields: Sequence[Field]) -> list[list[Any]]:
    return [[field.name, to_description(field.shape)] for field in fields]
