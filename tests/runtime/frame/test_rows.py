"""Rows in a blob: their width, and a root that does not depend on their order."""

import pytest

from chain.primitives.hashing import blake2_256
from runtime.frame.rows import label_bytes, row_bytes, rows_root, split_rows


@pytest.mark.parametrize(("classes", "width"), [(0, 0), (10, 1), (256, 1), (257, 2), (65_537, 4)])
def test_a_label_is_as_wide_as_its_classes_need(classes: int, width: int) -> None:
    assert label_bytes(classes) == width


def test_a_digit_has_65_bytes() -> None:
    assert row_bytes(2, (64,), 10) == 65
    assert row_bytes(1, (8, 8), 10) == 257


def test_rows_follow_one_another() -> None:
    assert list(split_rows(b"aabbcc", 2)) == [b"aa", b"bb", b"cc"]


def test_the_root_does_not_depend_on_the_order_but_on_every_row() -> None:
    assert rows_root(b"aabbcc", 2) == rows_root(b"ccaabb", 2)
    assert rows_root(b"aabbcc", 2) != rows_root(b"aabbcd", 2)
    assert rows_root(b"aabb", 2) != rows_root(b"aabbbb", 2)


def test_the_root_of_one_row_is_its_hash_with_the_count() -> None:
    assert rows_root(b"aa", 2) == blake2_256(
        b"\2" + (1).to_bytes(8, "little") + blake2_256(b"\0aa")
    )
