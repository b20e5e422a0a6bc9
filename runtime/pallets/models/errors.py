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


class UnknownParent(DispatchError, index=15):
    """A parent is no version that could ever be run.  Look its model up, or leave it out."""


class ParentTwice(DispatchError, index=16):
    """A parent is named twice.  Name each once."""


class JobMadeAnother(DispatchError, index=17):
    """The training job made other bytes than these.  Fetch its model, or leave the job out."""


class NotYourJob(DispatchError, index=18):
    """The training job belongs to another account.  Name its model as parent instead."""


class JobNamesDataset(DispatchError, index=19):
    """The training job says what it was trained on.  Leave the datasets out."""


class RoyaltiesTooHigh(DispatchError, index=20):
    """Royalties would take more than half of each price.  Name fewer parents, or cheaper ones."""


class TooManyAncestors(DispatchError, index=21):
    """Too many models within three generations ask a royalty.  Name fewer parents."""


class BadControl(DispatchError, index=22):
    """The control cannot work.  Correct threshold, signatories or time-lock as it says."""


class NeedsReferendum(DispatchError, index=23):
    """The model is governed: no key decides.  Propose the call for a vote."""


class NotDecidedByVote(DispatchError, index=24):
    """The model is not governed by vote.  Let those who control it make the call."""


class NotSignatory(DispatchError, index=25):
    """The key is none of the model's signatories.  Sign with one of theirs."""


class AlreadyApproved(DispatchError, index=26):
    """You approved this already.  Let other signatories make the same call."""


class UnknownChannel(DispatchError, index=27):
    """The model has no such channel.  Look its channels up."""


class TooManyChannels(DispatchError, index=28):
    """The model has as many channels as it may.  Move one of them."""


class AlreadyThere(DispatchError, index=29):
    """The channel points there already.  Nothing to do."""


class MoveOpen(DispatchError, index=30):
    """The channel is on its way already.  Wait for it, or cancel that move first."""


class NoMove(DispatchError, index=31):
    """No move of this channel is open.  Nothing to do."""


class VersionInUse(DispatchError, index=32):
    """A channel points at the version, or will.  Move the channel first."""


class GateBusy(DispatchError, index=33):
    """Too many moves are being scored.  Try again in some blocks."""


class AgendaFull(DispatchError, index=34):
    """Too many moves are due about then.  Try again in some blocks."""


class GivenUp(DispatchError, index=35):
    """The name was given up and stays empty.  Register another."""


class VersionsLeft(DispatchError, index=36):
    """Not all versions are retired.  Retire them first."""
