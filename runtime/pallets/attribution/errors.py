"""Why a call about worth is refused, and what to do then."""

from typing import Final

from runtime.frame import DispatchError


class NotDatasetOwner(DispatchError, index=0):
    """Only the dataset's owner or a referendum says how it pays.  Sign with its owner's key."""


class SharesDoNotAddUp(DispatchError, index=1):
    """Shares are named once each, greater than zero, and add up to a million.  Correct them."""


class OtherNeighbours(DispatchError, index=2):
    """The dataset fixes by how many neighbours it pays, 0 for the same for each row.  Use that."""


class UnfitEvaluation(DispatchError, index=3):
    """The evaluation rows have another form, no labels, or are the same.  Take other alike rows."""


class BadNeighbours(DispatchError, index=4):
    """One to 64 neighbours can decide.  Choose such a number."""


class BadRows(DispatchError, index=5):
    """So many evaluation rows there are not.  Ask for fewer, at least one, or for all."""


class TooLarge(DispatchError, index=6):
    """The chain does not value so many rows, records or numbers.  Take a smaller snapshot."""


class UnfitEmbedding(DispatchError, index=7):
    """The model gives no numbers for such rows.  Choose another, or compare features."""


class PriceAboveLimit(DispatchError, index=8):
    """The valuation costs more than the limit given.  Raise it to the price in the message."""


class QueueFull(DispatchError, index=9):
    """As many valuations are open as may be.  Wait until one has ended."""


class NoShares(DispatchError, index=10):
    """No shares were declared before the snapshot was taken.  Have its worth measured."""


class AlreadyOpen(DispatchError, index=11):
    """How the snapshot pays is settled.  Nothing to do."""


class DeclaredByChain(DispatchError, index=12):
    """A referendum said how the dataset pays, and only another may change it.  Propose one."""


ALL: Final = (
    NotDatasetOwner,
    SharesDoNotAddUp,
    OtherNeighbours,
    UnfitEvaluation,
    BadNeighbours,
    BadRows,
    TooLarge,
    UnfitEmbedding,
    PriceAboveLimit,
    QueueFull,
    NoShares,
    AlreadyOpen,
    DeclaredByChain,
)
"""Of the pallet."""
