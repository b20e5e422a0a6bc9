"""What a chain decides about models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """What a chain decides about models."""

    model_deposit: int
    """Set aside for a name, in the smallest unit: names are scarce."""

    version_deposit: int
    """Set aside for each version until it is retired: pays for its entry in the state."""

    examination_base: int
    """Fee of any version, in the smallest unit: one block examines few, and whoever fills the
    queue pays for every place in it."""

    examination_per_byte: int
    """Fee of each byte, in the smallest unit: all validators read the whole content."""

    gas_max: int
    """Greatest cost of one run: what fits into a block beside other transactions."""

    admissions_per_block: int
    """Models examined in one block: examining a large one takes a good part of a second."""

    waiting_blocks: int
    """Blocks that a version waits for its bytes before it is rejected and frees its place."""

    time_lock_max: int
    """Most blocks of a time-lock: a longer one would let nobody live to see the move."""
