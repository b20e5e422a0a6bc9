"""Why multisig refuses."""

from runtime.frame import DispatchError


class MinimumThreshold(DispatchError, index=0):
    """One signatory needs no others.  Sign alone, or ask for two at least."""


class AlreadyApproved(DispatchError, index=1):
    """The signer approved it before.  Another signatory must."""


class TooFewSignatories(DispatchError, index=3):
    """Fewer signatories are named than must agree.  Name all of them but the signer."""


class TooManySignatories(DispatchError, index=4):
    """An account has at most a hundred signatories.  Name fewer."""


class SignatoriesOutOfOrder(DispatchError, index=5):
    """The other signatories do not ascend, or one is named twice.  Sort them as bytes."""


class SenderInSignatories(DispatchError, index=6):
    """The signer is named among the others.  Leave it out."""


class NotFound(DispatchError, index=7):
    """There is no such operation.  Begin it, or look at signatories, threshold and call hash."""


class NotOwner(DispatchError, index=8):
    """Another signatory began the operation.  Only that one gives it up."""


class NoTimepoint(DispatchError, index=9):
    """The operation was begun before.  Say where: height and index of its first transaction."""


class WrongTimepoint(DispatchError, index=10):
    """The operation was begun elsewhere.  Look its height and index up."""


class UnexpectedTimepoint(DispatchError, index=11):
    """The operation was not begun yet.  Leave the timepoint out."""


class MaxWeightTooLow(DispatchError, index=12):
    """The call may take more than was allowed.  Allow more."""
