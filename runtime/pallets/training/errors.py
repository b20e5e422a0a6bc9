"""Why a call about training is refused, and what to do then."""

from runtime.frame import DispatchError


class NotAvailable(DispatchError, index=0):
    """The bytes of a program or of the parameters are not available.  Upload them and wait."""


class ProgramTooLong(DispatchError, index=1):
    """A program or the parameters are longer than the chain trains.  Make a smaller network."""


class BadSteps(DispatchError, index=2):
    """A training has at least one step, and not more than the chain allows.  Choose others."""


class TooManyJobs(DispatchError, index=3):
    """As many trainings are open as may be.  Wait until one has ended."""


class BadBounds(DispatchError, index=4):
    """Bounds are at least 1, each axis is named once, and names ascend.  Correct them."""


class UnknownJob(DispatchError, index=5):
    """There is no such training.  Look the numbers up with `noema train list`."""


class NotOwner(DispatchError, index=6):
    """The training was started by another account.  Sign with its owner's key."""


class NotOpen(DispatchError, index=7):
    """The training has ended already.  Nothing to do."""


class NotFinished(DispatchError, index=8):
    """The training has made no model.  Name one that finished."""
