"""Checking of a record's bytes against what its contributor promised.  Pure."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chain.primitives.hashing import Hash32
from runtime.frame.rows import hashes_of, root_of_hashes
from runtime.frame.snapshots import DTYPES, RowForm

FLOATS: Final = (1, 10, 11)
BOOL: Final = 9


class Unfit(Exception):
    """The bytes are not what was promised; the text says why."""


def check_rows(content: bytes, form: RowForm, promised: Hash32) -> tuple[Hash32, ...]:
    """Give the hashes of a record's rows in their order; raises Unfit."""
    hashes = hashes_of(content, form.width)
    if root_of_hashes(hashes) != promised:
        raise Unfit("the rows have another root than was promised")
    raw = np.frombuffer(content, np.uint8).reshape(len(hashes), form.width)
    features = np.ascontiguousarray(raw[:, : form.width - form.label_width])
    if form.element == BOOL:
        _refuse(features > 1, "a bool that is neither 0 nor 1")
    if form.element in FLOATS:
        _refuse(~np.isfinite(features.view(DTYPES[form.element])), "a number that is not finite")
    if form.classes:
        labels = np.ascontiguousarray(raw[:, form.width - form.label_width :])
        beyond = labels.view(f"<u{form.label_width}") >= form.classes
        _refuse(beyond, f"a label beyond the {form.classes} classes")
    return hashes


def _refuse(wrong: npt.NDArray[Any], what: str) -> None:
    rows = wrong.any(axis=1)
    if rows.any():
        raise Unfit(f"row {int(np.argmax(rows))} has {what}")
