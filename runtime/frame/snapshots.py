"""Snapshots: rows of a dataset that never change any more, and the reading of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Annotated, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from chain.primitives.codec import U32, U64, sequence
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame.ports import Content
from runtime.frame.rows import label_bytes, row_bytes

ROWS_PER_RECORD_MAX: Final = 4096
"""Rows of one record: checked whole within one block."""

PARTS_MAX: Final = 1024
"""Records of one snapshot."""

SnapshotNumber = Annotated[int, U64]
"""Counts all snapshots of the chain from 0."""

Array = npt.NDArray[Any]

DTYPES: Final[dict[int, str]] = {
    1: "<f4",
    2: "u1",
    3: "i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "?",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}
"""How elements of rows lie in memory, by ONNX's number of their type."""


@dataclass(frozen=True, slots=True)
class RowForm:
    """What every row of a dataset looks like: features with a label behind them."""

    element: int
    """ONNX's number of the features' element type."""

    shape: tuple[int, ...]
    classes: int
    """Different labels; 0 for rows without one."""

    @property
    def width(self) -> int:
        """Give the bytes of one row."""
        return row_bytes(self.element, self.shape, self.classes)

    @property
    def label_width(self) -> int:
        """Give the bytes of one label."""
        return label_bytes(self.classes)


@dataclass(frozen=True, slots=True)
class Part:
    """What one record gives to a snapshot."""

    record: Annotated[int, U32]
    contributor: Address
    blob: Hash32
    """Its rows, one after the other."""

    rows: Annotated[int, U32]
    """Rows in the blob."""

    left_out: Annotated[tuple[int, ...], sequence(U32, ROWS_PER_RECORD_MAX)]
    """Places of rows in the blob that do not count, ascending: somebody gave them before."""

    @property
    def counted(self) -> int:
        """Give how many rows count."""
        return self.rows - len(self.left_out)


@dataclass(frozen=True)
class Snapshot:
    """Rows that never change any more, in the order of their records."""

    number: int
    dataset: str
    form: RowForm
    parts: tuple[Part, ...]

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Give, part by part, the number of the first row behind it."""
        return tuple(accumulate(part.counted for part in self.parts))

    @property
    def rows(self) -> int:
        """Give how many rows there are."""
        return self.ends[-1] if self.ends else 0


class SnapshotSource(Protocol):
    """Snapshots by number."""

    def snapshot(self, number: int) -> Snapshot:
        """Give a snapshot; raises DispatchError for an unknown one."""
        ...

    def use_snapshot(self, number: int) -> None:
        """Keep a snapshot and its bytes until `unuse_snapshot`; raises DispatchError."""
        ...

    def unuse_snapshot(self, number: int) -> None:
        """Give one `use_snapshot` back."""
        ...


class SnapshotRows:
    """Reads the rows of a snapshot; raises LocalFailure where this node lacks their bytes."""

    def __init__(self, snapshot: Snapshot, content: Content) -> None:
        self.snapshot = snapshot
        self._content = content
        self._parts: dict[int, Array] = {}

    def take(self, rows: Sequence[int]) -> tuple[Array, Array]:
        """Give features [n, *shape] and labels [n] (int64, zeros without classes) of some rows."""
        form = self.snapshot.form
        places = np.asarray(rows, np.int64)
        owners = np.searchsorted(np.asarray(self.snapshot.ends, np.int64), places, side="right")
        raw = np.empty((len(places), form.width), np.uint8)
        for owner in np.unique(owners).tolist():
            mine = owners == owner
            part = self.snapshot.parts[owner]
            first = self.snapshot.ends[owner] - part.counted
            raw[mine] = self._rows_of(owner)[places[mine] - first]
        return _features(raw, form), _labels(raw, form)

    def all(self) -> tuple[Array, Array]:
        """Give features and labels of all rows."""
        return self.take(range(self.snapshot.rows))

    def _rows_of(self, owner: int) -> Array:
        """Give the counted rows of a part as bytes [rows, width]."""
        if owner not in self._parts:
            part = self.snapshot.parts[owner]
            content = np.frombuffer(self._content.read(part.blob), np.uint8)
            rows = content.reshape(part.rows, self.snapshot.form.width)
            self._parts[owner] = np.delete(rows, np.asarray(part.left_out, np.int64), axis=0)
        return self._parts[owner]


def _features(raw: Array, form: RowForm) -> Array:
    features = np.ascontiguousarray(raw[:, : form.width - form.label_width])
    return features.view(DTYPES[form.element]).reshape(len(raw), *form.shape)


def _labels(raw: Array, form: RowForm) -> Array:
    width = form.label_width
    if width == 0:
        return np.zeros(len(raw), np.int64)
    labels = np.ascontiguousarray(raw[:, form.width - width :]).view(f"<u{width}")
    return labels.reshape(len(raw)).astype(np.int64)
