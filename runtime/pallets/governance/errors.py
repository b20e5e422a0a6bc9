"""Why governance refuses."""

from runtime.frame import DispatchError


class TooManyOpen(DispatchError, index=0):
    """As many referenda are open as may be.  Wait until one is over."""


class TooHeavy(DispatchError, index=1):
    """The call takes more than votes have in a block.  Propose a lighter one."""


class UnknownReferendum(DispatchError, index=2):
    """There is no such referendum.  Look the numbers up with `noema govern list`."""


class NotVoting(DispatchError, index=3):
    """The vote is over.  Look at what became of it with `noema govern show`."""


class NoPower(DispatchError, index=4):
    """The account has no say.  Lock funds first."""


class VotesByDelegate(DispatchError, index=5):
    """Another account votes with this one's power.  Take the delegation back first."""


class NoVote(DispatchError, index=6):
    """The account did not vote there.  Look its votes up with `noema govern voter`."""


class LockTooSmall(DispatchError, index=7):
    """Less would be locked than a voter needs.  Lock more, or free everything."""


class StillNeeded(DispatchError, index=8):
    """The lock decided something that has not taken effect.  Wait for the block it names."""


class NotLocked(DispatchError, index=9):
    """So much is not locked.  Free less."""


class CannotDelegate(DispatchError, index=10):
    """A delegate votes for itself, and who delegates is nobody's delegate.  Choose another."""


class HasVotes(DispatchError, index=11):
    """The account has votes of its own.  Take them back first."""


class NotDelegated(DispatchError, index=12):
    """The account votes for itself already.  There is nothing to take back."""


class NotValidator(DispatchError, index=13):
    """Only validators may slow down or stop.  Vote nay instead."""


class ObjectedAlready(DispatchError, index=14):
    """The validator has said so.  Others must join."""


class NotStoppable(DispatchError, index=15):
    """It is over, or not decided yet.  Look at it with `noema govern show`."""


class BadUpgrade(DispatchError, index=16):
    """An upgrade needs a greater version and a block to come.  Propose others."""
