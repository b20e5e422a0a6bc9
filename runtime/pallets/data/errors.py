"""Why a call about data is refused, and what to do then."""

from typing import Final

from runtime.frame import DispatchError


class BadName(DispatchError, index=0):
    """A name has small letters, digits and dashes, and begins with a letter.  Choose another."""


class NameTaken(DispatchError, index=1):
    """A dataset has this name.  Choose another, or contribute to it."""


class BadLicence(DispatchError, index=2):
    """The licence is empty.  Name one, such as CC-BY-4.0."""


class UnknownElement(DispatchError, index=3):
    """No element type has this number.  Use ONNX's: 1 for float32, 2 for uint8."""


class BadShape(DispatchError, index=4):
    """A dimension is zero, or a row is longer than the chain allows.  Correct the shape."""


class UnknownDataset(DispatchError, index=5):
    """No dataset has this name.  Look it up, or create it."""


class NoRows(DispatchError, index=6):
    """A record has at least one row.  Contribute some."""


class RowsDoNotFit(DispatchError, index=7):
    """The blob is not exactly that many rows long.  Check the dataset's row format."""


class DuplicateRecord(DispatchError, index=8):
    """The dataset has a record with this content.  Contribute other rows."""


class QueueFull(DispatchError, index=9):
    """Too many records wait.  Try again in some blocks."""


class UnknownRecord(DispatchError, index=10):
    """The dataset has no such record.  Look its records up."""


class NotContributor(DispatchError, index=11):
    """The record was given by another account.  Sign with its contributor's key."""


class NothingToWithdraw(DispatchError, index=12):
    """The record earns no more already.  Nothing to do."""


class TooManyRows(DispatchError, index=13):
    """A record has more rows than one may.  Contribute them as several records."""


ALL: Final = (
    BadName,
    NameTaken,
    BadLicence,
    UnknownElement,
    BadShape,
    UnknownDataset,
    NoRows,
    RowsDoNotFit,
    DuplicateRecord,
    QueueFull,
    UnknownRecord,
    NotContributor,
    NothingToWithdraw,
    TooManyRows,
)
"""Of the pallet."""
