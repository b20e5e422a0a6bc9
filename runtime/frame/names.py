"""Names that people give to models and datasets: one rule for all."""

from typing import Annotated, Final

from chain.primitives.codec import named, text

NAME_BYTES_MAX: Final = 48
"""Long enough to say something, short enough for a line of a table."""

NAME: Final = named("Name", text(NAME_BYTES_MAX))
Name = Annotated[str, NAME]
"""Small letters, digits and dashes, beginning with a letter."""

_FIRST: Final = "abcdefghijklmnopqrstuvwxyz"
_REST: Final = _FIRST + "0123456789-"


def is_name(candidate: str) -> bool:
    """Tell whether the text is a name."""
    return (
        0 < len(candidate) <= NAME_BYTES_MAX
        and candidate[0] in _FIRST
        and all(each in _REST for each in candidate)
    )
