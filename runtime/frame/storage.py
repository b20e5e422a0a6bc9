"""Storage items: declared as class attributes of a pallet, typed, at Substrate's keys.

A key is twox128(pallet) ++ twox128(item), then for each key of a map its hash and, so that it
can be read back, the key itself.  Items and map keys may be reordered freely; a renamed item lies
elsewhere, so renaming one is a migration.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast, overload

from chain.primitives.codec import Codec, Shape
from chain.primitives.hashing import blake2_128_concat, twox_64_concat, twox_128
from runtime.frame.overlay import NOTHING_WRITTEN, Overlay

K = TypeVar("K")
A = TypeVar("A")
B = TypeVar("B")
V = TypeVar("V")


class _Absent(Enum):
    ABSENT = 0


_ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Hasher:
    """How a map spreads its keys; each can be read back."""

    name: str
    """Substrate's name."""

    index: int
    """Number in metadata."""

    hash_bytes: int
    """Bytes in front of the key."""

    apply: Callable[[bytes], bytes]
    """Gives the hash with the key behind it."""


BLAKE2_128_CONCAT: Final = Hasher("Blake2_128Concat", 2, 16, blake2_128_concat)
"""For keys that a user can choose."""

TWOX_64_CONCAT: Final = Hasher("Twox64Concat", 5, 8, twox_64_concat)
"""For keys that the chain chooses, such as counters."""


class Declared(Generic[V]):
    """What every kind of storage item declares."""

    hashers: tuple[Hasher, ...] = ()
    key_shapes: tuple[Shape, ...] = ()

    def __init__(self, value: Codec[V], default: V | None, docs: str) -> None:
        self.value = value
        self.default = default
        self.docs = docs
        self.attribute = ""
        self.name = ""
        self.prefix = b""

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = "".join(word.capitalize() for word in name.split("_"))

    def attach(self, pallet: str) -> None:
        """Fix the key prefix, now that the pallet's name is known."""
        self.prefix = twox_128(pallet.encode()) + twox_128(self.name.encode())


class Cell(Generic[V]):
    """One value of one block's state."""

    def __init__(self, declared: "StorageValue[V]", state: Overlay) -> None:
        self._declared = declared
        self._state = state
        self._loaded: V | _Absent | None = _ABSENT
        self._written: dict[None, V | None] = {}

    def get(self) -> V:
        """Give the value, or the default; our bug where there is neither."""
        value = self.find()
        if value is None:
            value = self._declared.default
            assert value is not None, f"{self._declared.name} is empty and has no default"
        return value

    def find(self) -> V | None:
        """Give the value, None where none was stored."""
        if self._written:
            return self._written[None]
        if self._loaded is _ABSENT:
            raw = self._state.read(self._declared.prefix)
            self._loaded = None if raw is None else self._declared.value.decode(raw)
        return self._loaded

    def set(self, value: V) -> None:
        """Store a value."""
        self._write(value)

    def clear(self) -> None:
        """Remove the value."""
        self._write(None)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give the raw key and encoded value, if written."""
        for value in self._written.values():
            encoded = None if value is None else self._declared.value.encode(value)
            yield self._declared.prefix, encoded

    def _write(self, value: V | None) -> None:
        written = self._written
        self._state.journal.append((written, None, written.get(None, NOTHING_WRITTEN)))
        written[None] = value


class Entries(Generic[K, V]):
    """One map of one block's state.  Listing it is for invariants and queries, not for calls."""

    def __init__(self, declared: "_DeclaredMap[K, V]", state: Overlay) -> None:
        self._declared = declared
        self._state = state
        self._journal = state.journal
        self._loaded: dict[K, V | None] = {}
        self._written: dict[K, V | None] = {}
        self._raw_keys: dict[K, bytes] = {}

    def find(self, key: K) -> V | None:
        """Give the value under a key, None where none was stored."""
        found = self._written.get(key, _ABSENT)
        if found is _ABSENT:
            found = self._loaded.get(key, _ABSENT)
            if found is _ABSENT:
                return self._load(key)
        return found

    def __getitem__(self, key: K) -> V:
        """Give the value under a key, or the default; our bug where there is neither."""
        value = self.find(key)
        if value is None:
            value = self._declared.default
            assert value is not None, f"{self._declared.name}[{key!r}] has no default"
        return value

    def __contains__(self, key: K) -> bool:
        return self.find(key) is not None

    def __setitem__(self, key: K, value: V) -> None:
        written = self._written
        self._journal.append((written, key, written.get(key, NOTHING_WRITTEN)))
        written[key] = value

    def __delitem__(self, key: K) -> None:
        written = self._written
        self._journal.append((written, key, written.get(key, NOTHING_WRITTEN)))
        written[key] = None

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())

    def items(self) -> list[tuple[K, V]]:
        """Give all keys and values, in the order of their raw keys."""
        return self._under(b"")

    def keys(self) -> list[K]:
        """Give all keys, in the order of their raw keys."""
        return [key for key, _ in self.items()]

    def values(self) -> list[V]:
        """Give all values, in the order of their raw keys."""
        return [value for _, value in self.items()]

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give the raw keys and encoded values that were written; None for removed ones."""
        encode = self._declared.value.encode
        for key, value in self._written.items():
            yield self._raw_key(key), None if value is None else encode(value)

    def _load(self, key: K) -> V | None:
        raw = self._state.read(self._raw_key(key))
        value = None if raw is None else self._declared.value.decode(raw)
        self._loaded[key] = value
        return value

    def _raw_key(self, key: K) -> bytes:
        raw = self._raw_keys.get(key)
        if raw is None:
            raw = self._raw_keys[key] = self._declared.raw_key(key)
        return raw

    def _under(self, suffix: bytes) -> list[tuple[K, V]]:
        prefix = self._declared.prefix + suffix
        found: dict[bytes, tuple[K, V | None]] = {}
        for raw, encoded in self._state.iterate(prefix):
            found[raw] = self._declared.key_of(raw), self._declared.value.decode(encoded)
        for key, value in self._written.items():
            raw = self._raw_key(key)
            if raw.startswith(prefix):
                found[raw] = key, value
        ordered = (found[raw] for raw in sorted(found))
        return [(key, value) for key, value in ordered if value is not None]


class DoubleEntries(Entries[tuple[A, B], V], Generic[A, B, V]):
    """One map with two keys of one block's state."""

    def under(self, first: A) -> list[tuple[tuple[A, B], V]]:
        """Give all keys and values with this first key, in the order of their raw keys."""
        declared = cast("StorageDoubleMap[A, B, V]", self._declared)
        return self._under(declared.first_part(first))


class StorageValue(Declared[V], Generic[V]):
    """A single value of a pallet."""

    def __init__(self, value: Codec[V], *, default: V | None = None, docs: str = "") -> None:
        super().__init__(value, default, docs)

    @overload
    def __get__(self, pallet: None, owner: type) -> "StorageValue[V]": ...
    @overload
    def __get__(self, pallet: Any, owner: type) -> Cell[V]: ...
    def __get__(self, pallet: Any, owner: type) -> "StorageValue[V] | Cell[V]":
        if pallet is None:
            return self
        cell = pallet.state.bind(self.prefix, lambda state: Cell(self, state))
        pallet.__dict__[self.attribute] = cell
        return cast(Cell[V], cell)

    def raw_key(self) -> bytes:
        """Give the raw key of the value."""
        return self.prefix


class _DeclaredMap(Declared[V], ABC, Generic[K, V]):
    @abstractmethod
    def raw_key(self, key: K) -> bytes:
        """Give the raw key of an entry."""

    @abstractmethod
    def key_of(self, raw: bytes) -> K:
        """Give the key back that a raw key was made from."""


class StorageMap(_DeclaredMap[K, V], Generic[K, V]):
    """Values of a pallet under keys."""

    def __init__(
        self,
        key: Codec[K],
        value: Codec[V],
        *,
        default: V | None = None,
        hasher: Hasher = BLAKE2_128_CONCAT,
        docs: str = "",
    ) -> None:
        super().__init__(value, default, docs)
        self._key = key
        self._hasher = hasher
        self.hashers = (hasher,)
        self.key_shapes = (key.shape,)

    @overload
    def __get__(self, pallet: None, owner: type) -> "StorageMap[K, V]": ...
    @overload
    def __get__(self, pallet: Any, owner: type) -> Entries[K, V]: ...
    def __get__(self, pallet: Any, owner: type) -> "StorageMap[K, V] | Entries[K, V]":
        if pallet is None:
            return self
        entries = pallet.state.bind(self.prefix, lambda state: Entries(self, state))
        pallet.__dict__[self.attribute] = entries
        return cast(Entries[K, V], entries)

    def raw_key(self, key: K) -> bytes:
        """Give the raw key of an entry."""
        return self.prefix + self._hasher.apply(self._key.encode(key))

    def key_of(self, raw: bytes) -> K:
        """Give the key back that a raw key was made from."""
        return self._key.decode(raw[len(self.prefix) + self._hasher.hash_bytes :])


class StorageDoubleMap(_DeclaredMap[tuple[A, B], V], Generic[A, B, V]):
    """Values of a pallet under pairs of keys; all entries of one first key lie together."""

    def __init__(
        self,
        first: Codec[A],
        second: Codec[B],
        value: Codec[V],
        *,
        default: V | None = None,
        hashers: tuple[Hasher, Hasher] = (BLAKE2_128_CONCAT, BLAKE2_128_CONCAT),
        docs: str = "",
    ) -> None:
        super().__init__(value, default, docs)
        self._first, self._second = first, second
        self.hashers = hashers
        self.key_shapes = (first.shape, second.shape)

    @overload
    def __get__(self, pallet: None, owner: type) -> "StorageDoubleMap[A, B, V]": ...
    @overload
    def __get__(self, pallet: Any, owner: type) -> DoubleEntries[A, B, V]: ...
    def __get__(
        self, pallet: Any, owner: type
    ) -> "StorageDoubleMap[A, B, V] | DoubleEntries[A, B, V]":
        if pallet is None:
            return self
        entries = pallet.state.bind(self.prefix, lambda state: DoubleEntries(self, state))
        pallet.__dict__[self.attribute] = entries
        return cast("DoubleEntries[A, B, V]", entries)

    def first_part(self, first: A) -> bytes:
        """Give the part of the raw keys that all entries of one first key share."""
        return self.hashers[0].apply(self._first.encode(first))

    def raw_key(self, key: tuple[A, B]) -> bytes:
        """Give the raw key of an entry."""
        second = self.hashers[1].apply(self._second.encode(key[1]))
        return self.prefix + self.first_part(key[0]) + second

    def key_of(self, raw: bytes) -> tuple[A, B]:
        """Give the keys back that a raw key was made from."""
        first, offset = self._first.read(raw, len(self.prefix) + self.hashers[0].hash_bytes)
        return first, self._second.decode(raw[offset + self.hashers[1].hash_bytes :])


AnyStorage = Declared[Any]


def storage_of(namespace: Iterable[tuple[str, object]]) -> tuple[AnyStorage, ...]:
    """Give the storage items among a class's attributes, in the order they were written."""
    return tuple(value for _, value in namespace if isinstance(value, Declared))
