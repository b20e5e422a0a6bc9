"""Finds the chain that a node was told to run."""

from pathlib import Path

from genesis.spec import PRESETS, ChainSpec, InvalidSpec, parse_spec, preset


def load_specification(chain: str) -> ChainSpec:
    """Give a preset by name, or the specification in a file; raises InvalidSpec."""
    if chain in PRESETS:
        return preset(chain)
    try:
        content = Path(chain).read_bytes()
    except OSError as error:
        known = ", ".join(PRESETS)
        raise InvalidSpec(f"{chain}: {error.strerror}; it is none of {known} either") from error
    return parse_spec(content)
