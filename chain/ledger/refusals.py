"""Why a block is refused."""

from enum import Enum


class Reason(Enum):
    """What is wrong with a block, one for each check."""

    HEIGHT = "height is not the head's successor"
    PARENT = "parent is not the head"
    DIGEST = "digest does not hold what it must"
    PROPOSER = "proposer is not a validator of this height"
    PARENT_CERTIFICATE = "certificate of the parent is not named"
    SIZE = "block is too large"
    FORMAT = "a transaction is malformed"
    EXTRINSICS_ROOT = "extrinsics root is not that of the transactions"
    SIGNATURE = "a signature is wrong"
    TRANSACTION = "a transaction may not stand here"
    TIMESTAMP = "time lies too far ahead of this node's clock"
    INCOMPLETE = "block lacks what every block has"
    RESULTS = "results are not those of the inferences"
    RESULTS_ROOT = "results root is not that of the results"
    VALIDATORS = "validators hash is not that of the set"
    NEXT_VALIDATORS = "next validators hash is not that of the set"
    STATE_ROOT = "state root is not that of the execution"


class BlockRefused(Exception):
    """The block breaks a rule that every node checks.  Vote against it."""

    def __init__(self, reason: Reason, detail: str = "", place: int | None = None) -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        """Which check failed."""
        self.detail = detail
        """What was found and what was expected."""
        self.place = place
        """Index of the transaction or inference result concerned, if one is."""


class ConflictingBlock(Exception):
    """Another block is final at this height.  Stop the node: its validators disagree."""


class OutOfOrder(Exception):
    """The block's parent is not here yet.  Commit the blocks between first."""
