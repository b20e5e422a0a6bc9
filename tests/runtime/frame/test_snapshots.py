"""Snapshots: rows are found through their parts, rows that do not count are passed over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from runtime.frame.ports import LocalFailure
from runtime.frame.snapshots import DTYPES, Part, RowForm, Snapshot, SnapshotRows

FORM = RowForm(2, (2, 3), 300)


class Bytes:
    """Content in memory."""

    def __init__(self, contents: dict[bytes, bytes]) -> None:
        self.contents = contents

    def read(self, root: bytes) -> bytes:
        if root not in self.contents:
            raise LocalFailure(root.hex())
        return self.contents[root]


def build(lengths: list[tuple[int, set[int]]]) -> tuple[SnapshotRows, list[bytes]]:
    """Give rows of parts with some left out, and the bytes of those that count."""
    contents, parts, expected = {}, [], []
    for number, (rows, out) in enumerate(lengths):
        left_out = tuple(sorted(place for place in out if place < rows))
        raw = np.random.default_rng(number).integers(0, 256, (rows, FORM.width), np.uint8)
        contents[bytes([number])] = raw.tobytes()
        parts.append(Part(number, bytes(32), bytes([number]), rows, left_out))
        expected += [raw[place].tobytes() for place in range(rows) if place not in left_out]
    return SnapshotRows(Snapshot(0, "digits", FORM, tuple(parts)), Bytes(contents)), expected


@given(
    some.lists(
        some.tuples(some.integers(1, 9), some.sets(some.integers(0, 8))), min_size=1, max_size=5
    ),
    some.data(),
)
def test_every_row_is_where_its_number_says(
    lengths: list[tuple[int, set[int]]], data: some.DataObject
) -> None:
    rows, expected = build(lengths)
    assert rows.snapshot.rows == len(expected)
    chosen = data.draw(some.lists(some.sampled_from(range(len(expected))))) if expected else []
    features, labels = rows.take(chosen)
    assert features.shape == (len(chosen), 2, 3)
    for place, number in enumerate(chosen):
        assert features[place].tobytes() == expected[number][:6]
        assert int(labels[place]) == int.from_bytes(expected[number][6:], "little")


def test_all_rows_without_labels() -> None:
    form = RowForm(1, (2,), 0)
    values = np.array([[1, 2], [3, 4]], "<f4")
    snapshot = Snapshot(0, "plain", form, (Part(0, bytes(32), b"r", 2, ()),))
    features, labels = SnapshotRows(snapshot, Bytes({b"r": values.tobytes()})).all()
    assert features.tolist() == values.tolist()
    assert labels.tolist() == [0, 0]
    assert DTYPES[form.element] == features.dtype.newbyteorder("<").str


def test_bytes_that_are_not_here_are_no_verdict() -> None:
    snapshot = Snapshot(0, "gone", FORM, (Part(0, bytes(32), b"r", 1, ()),))
    with pytest.raises(LocalFailure):
        SnapshotRows(snapshot, Bytes({})).all()
