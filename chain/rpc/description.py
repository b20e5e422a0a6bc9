"""A runtime as a node describes it: finds calls, storage and errors by name, and encodes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chain.primitives.codec import EncodeError, Shape
from chain.primitives.hashing import blake2_128_concat, twox_64_concat
from chain.rpc.type_descriptions import from_description, short_name
from chain.rpc.typed_json import from_json, read

_HASHERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "Blake2_128Concat": blake2_128_concat,
    "Twox64Concat": twox_64_concat,
}


class UnknownName(Exception):
    """The chain has nothing of that name.  The text lists what there is."""


@dataclass(frozen=True, slots=True)
class CallDescription:
    """A call by name, with its arguments."""

    pallet: str
    name: str
    head: bytes
    """Pallet and call index."""

    arguments: tuple[tuple[str, Shape], ...]
    docs: str

    @property
    def full_name(self) -> str:
        """Give Pallet.call."""
        return f"{self.pallet}.{self.name}"

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Give the call's bytes; raises EncodeError with the arguments it takes."""
        names = [name for name, _ in self.arguments]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise EncodeError(f"{self.full_name} has no argument {unknown[0]}: {self.signature()}")
        out = bytearray(self.head)
        for name, shape in self.arguments:
            try:
                out += from_json(shape, values.get(name))
            except EncodeError as error:
                problem = str(error) if name in values else "is missing"
                raise EncodeError(f"{name}: {problem} ({self.signature()})") from error
        return bytes(out)

    def signature(self) -> str:
        """Give the arguments in words."""
        words = (f"{name}={short_name(shape)}" for name, shape in self.arguments)
        return f"{self.full_name} takes " + (", ".join(words) or "nothing")


@dataclass(frozen=True, slots=True)
class StorageDescription:
    """A storage item by name."""

    prefix: bytes
    hashers: tuple[str, ...]
    keys: tuple[Shape, ...]
    value: Shape
    default: bytes | None

    def raw_key(self, keys: tuple[Any, ...]) -> bytes:
        """Give the raw key of as many keys as are given; fewer give a prefix."""
        if len(keys) > len(self.keys):
            raise EncodeError(f"{len(keys)} keys, at most {len(self.keys)}")
        parts = (
            _HASHERS[hasher](from_json(shape, key))
            for hasher, shape, key in zip(self.hashers, self.keys, keys, strict=False)
        )
        return self.prefix + b"".join(parts)

    def decode(self, raw: bytes | None) -> Any:
        """Give the JSON of a value, or of the default."""
        encoded = self.default if raw is None else raw
        return None if encoded is None else read(self.value, encoded)


class RuntimeDescription:
    """What `ai_describe` answered, by name; case and dashes in names don't matter."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._pallets = {_plain(pallet["name"]): pallet for pallet in described["pallets"]}

    def pallets(self) -> list[Mapping[str, Any]]:
        """Give the pallets as they were described."""
        return list(self._pallets.values())

    def call(self, full_name: str) -> CallDescription:
        """Find `Pallet.call`; raises UnknownName."""
        pallet, call = self._find(full_name, "calls")
        arguments = tuple((name, from_description(kind)) for name, kind in call["arguments"])
        head = bytes((pallet["index"], call["index"]))
        return CallDescription(pallet["name"], call["name"], head, arguments, call["docs"])

    def storage(self, full_name: str) -> StorageDescription:
        """Find `Pallet.Item`; raises UnknownName."""
        _, item = self._find(full_name, "storage")
        default = item["default"]
        return StorageDescription(
            bytes.fromhex(item["prefix"][2:]),
            tuple(item["hashers"]),
            tuple(from_description(key) for key in item["keys"]),
            from_description(item["value"]),
            None if default is None else bytes.fromhex(default[2:]),
        )

    def _find(self, full_name: str, kind: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        pallet_name, _, name = full_name.partition(".")
        pallet = self._pallets.get(_plain(pallet_name))
        if pallet is None:
            known = ", ".join(each["name"] for each in self._pallets.values())
            raise UnknownName(f"no pallet {pallet_name!r}; there are {known}")
        for each in pallet[kind]:
            if _plain(each["name"]) == _plain(name):
                return pallet, each
        known = ", ".join(each["name"] for each in pallet[kind]) or "none"
        raise UnknownName(f"{pallet['name']} has no {name!r}; its {kind} are {known}")


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
