"""Why a call about models is refused, and what to do then."""

from runtime.frame import DispatchError


class BadName(DispatchError, index=0):
    """A name has small letters, digits and dashes, and begins with a letter.  Choose another."""


class NameTaken(DispatchError, index=1):
    """A model has this name.  Choose another, or publish a version of yours."""


class BadLicence(DispatchError, index=2):
    """The licence is empty.  Name one, such as Apache-2.0."""


class SharesDoNotAddUp(DispatchError, index=3):
    """Shares are parts per million and add up to exactly 1000000.  Correct the policy."""


class UnknownDataset(DispatchError, index=4):
    """No dataset has this name.  Create it first, or leave it out."""


class DatasetTwice(DispatchError, index=5):
    """A dataset is named twice.  Name each once."""


class ContributorsWithoutDataset(DispatchError, index=6):
    """Contributors have a share but no dataset is named.  Name one, or give them nothing."""


class UnknownModel(DispatchError, index=7):
    """No model has this name.  Look it up, or register it."""


class NotOwner(DispatchError, index=8):
    """The model belongs to another account.  Sign with its owner's key."""


class UnknownVersion(DispatchError, index=9):
    """The model has no such version.  Look its versions up."""


class AlreadyRetired(DispatchError, index=10):
    """The version is retired already.  Nothing to do."""


class QueueFull(DispatchError, index=11):
    """Too many versions wait.  Try again when the blob is available, or in some blocks."""


class NotActive(DispatchError, index=12):
    """The version cannot be run.  Look up its status and reasons, or name another."""


class TooManyActive(DispatchError, index=13):
    """The model has as many active versions as it may.  Retire one first."""


class BadBounds(DispatchError, index=14):
    """Bounds are at least 1, each axis is named once, and names ascend.  Correct them."""
