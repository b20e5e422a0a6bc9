"""What requests and answers of worker processes mean beyond their frames."""

from typing import Final

from ai_exec.backend import Completed, Trapped

ROOT_BYTES: Final = 32
"""Length of the name of a model."""

ENGINES: Final = ("fast", "reference")
"""Engines by their number in a request; the second does what the first could not."""

_COMPLETED: Final = b"\x00"
_TRAPPED: Final = b"\x01"


def encode_outcome(outcome: Completed | Trapped) -> bytes:
    """Write the outcome of a run."""
    if isinstance(outcome, Completed):
        return _COMPLETED + outcome.output
    return _TRAPPED + outcome.reason.encode()


def decode_outcome(encoded: bytes) -> Completed | Trapped:
    """Read the outcome of a run."""
    if encoded[:1] == _COMPLETED:
        return Completed(encoded[1:])
    return Trapped(encoded[1:].decode())
