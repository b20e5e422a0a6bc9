"""Storage items: keys, defaults, layers, listing."""

import pytest

from chain.primitives.codec import U32, U128, text
from chain.primitives.hashing import blake2_128, twox_64, twox_128
from runtime.frame import (
    BLAKE2_128_CONCAT,
    TWOX_64_CONCAT,
    Overlay,
    Pallet,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
)


class Shelf(Pallet, name="Zoo"):
    """Some of each kind."""

    total_count = StorageValue(U128, default=7)
    note = StorageValue(text(8))
    plain = StorageMap(U32, U32, default=0)
    named = StorageMap(text(8), U32, hasher=TWOX_64_CONCAT)
    dbl = StorageDoubleMap(U32, U32, U32, hashers=(TWOX_64_CONCAT, BLAKE2_128_CONCAT))


PREFIX = twox_128(b"Zoo")


def le(number: int) -> bytes:
    return number.to_bytes(4, "little")


def test_keys_are_substrates() -> None:
    assert Shelf.total_count.raw_key() == PREFIX + twox_128(b"TotalCount")
    assert Shelf.plain.raw_key(5) == PREFIX + twox_128(b"Plain") + blake2_128(le(5)) + le(5)
    assert Shelf.named.raw_key("a") == PREFIX + twox_128(b"Named") + twox_64(b"\x04a") + b"\x04a"
    hashed = twox_64(le(1)) + le(1) + blake2_128(le(2)) + le(2)
    assert Shelf.dbl.raw_key((1, 2)) == PREFIX + twox_128(b"Dbl") + hashed


@pytest.mark.parametrize("key", [(0, 0), (1, 2), (2**32 - 1, 9)])
def test_keys_can_be_read_back(key: tuple[int, int]) -> None:
    assert Shelf.dbl.key_of(Shelf.dbl.raw_key(key)) == key
    assert Shelf.plain.key_of(Shelf.plain.raw_key(key[0])) == key[0]


def test_missing_values_have_their_default() -> None:
    shelf = Shelf(Overlay.over({}))

    assert (shelf.total_count.get(), shelf.note.find(), shelf.plain[3]) == (7, None, 0)
    assert (shelf.named.find("a"), "a" in shelf.named) == (None, False)
    assert shelf.state.changes() == {}


def test_a_missing_value_without_default_is_our_bug() -> None:
    shelf = Shelf(Overlay.over({}))

    with pytest.raises(AssertionError, match="Note is empty and has no default"):
        shelf.note.get()
    with pytest.raises(AssertionError, match="has no default"):
        shelf.named["a"]


def test_values_are_written_once_with_their_last_value() -> None:
    shelf = Shelf(Overlay.over({Shelf.plain.raw_key(1): le(9), Shelf.plain.raw_key(2): le(8)}))
    shelf.plain[1] += 1
    shelf.plain[1] += 1
    del shelf.plain[2]
    shelf.total_count.set(1)
    shelf.total_count.clear()

    assert shelf.state.changes() == {
        Shelf.plain.raw_key(1): le(11),
        Shelf.plain.raw_key(2): None,
        Shelf.total_count.raw_key(): None,
    }
    assert (shelf.plain[1], shelf.plain[2], shelf.total_count.get()) == (11, 0, 7)


def test_values_are_read_once() -> None:
    asked = []

    def read(key: bytes) -> bytes | None:
        asked.append(key)
        return None

    shelf = Shelf(Overlay(read))
    for _ in range(3):
        assert shelf.plain[1] == 0
        assert shelf.total_count.get() == 7

    assert asked == [Shelf.plain.raw_key(1), Shelf.total_count.raw_key()]


def test_two_pallets_over_one_state_share_what_they_write() -> None:
    state = Overlay.over({})
    Shelf(state).plain[1] = 5

    assert Shelf(state).plain[1] == 5


def test_listing_joins_base_and_changes_in_the_order_of_raw_keys() -> None:
    base = {Shelf.dbl.raw_key((a, b)): le(a * 10 + b) for a in (1, 2) for b in (1, 2, 3)}
    shelf = Shelf(Overlay.over(base))
    shelf.dbl[1, 9] = 19
    shelf.dbl[1, 2] = 99
    del shelf.dbl[1, 1]

    assert shelf.dbl.under(1) == [((1, 2), 99), ((1, 3), 13), ((1, 9), 19)]
    assert sorted(shelf.dbl.keys()) == [(1, 2), (1, 3), (1, 9), (2, 1), (2, 2), (2, 3)]
    raw = [Shelf.dbl.raw_key(key) for key in shelf.dbl]
    assert raw == sorted(raw)


def test_a_view_that_only_reads_cannot_list() -> None:
    shelf = Shelf(Overlay({}.get))

    with pytest.raises(AssertionError, match="cannot list"):
        shelf.plain.items()
