"""Parameters: which numbers of the rules a vote may change, and how far.

Left out is what the state relies on for longer than a block: the existential deposit, how long
hashes and receipts are kept, the length of an epoch, prices of work that was prepaid.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from chain.primitives.numbers import NOE
from runtime.frame.weight import MILLISECOND, SECOND

Config = TypeVar("Config")

_AMOUNT: Final = (0, 1_000 * NOE)
_BLOCKS: Final = (1, 10_000_000)
_PER_BYTE: Final = (0, NOE // 1000)
_PARTS: Final = (0, 1_000_000)
_PER_BLOCK: Final = (60 * MILLISECOND, 150 * MILLISECOND)

BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "attribution.weight_per_block": _PER_BLOCK,
    "data.dataset_deposit": _AMOUNT,
    "data.record_deposit": _AMOUNT,
    "data.row_fee": _AMOUNT,
    "data.rows_per_block": (256, 65_536),
    "data.waiting_blocks": _BLOCKS,
    "evaluation.weight_per_block": _PER_BLOCK,
    # A transaction that costs nothing would let anybody fill every block.
    "fees.base": (NOE // 1_000_000, NOE),
    "fees.per_byte": _PER_BYTE,
    "fees.weight_per_unit": (1, 1_000_000),
    "governance.approval": (500_000, 900_000),
    "governance.delay_blocks": _BLOCKS,
    "governance.deposit": (NOE // 100, 100_000 * NOE),
    "governance.deposit_back": (0, 500_000),
    "governance.enactment_blocks": (5, 10_000_000),
    "governance.least_lock": (NOE // 100, 1_000 * NOE),
    "governance.quorum": (50_000, 900_000),
    "governance.voting_blocks": (10, 10_000_000),
    "governance.weight_per_block": (50 * MILLISECOND, 200 * MILLISECOND),
    "issuance.datasets": _PARTS,
    "issuance.per_epoch": _AMOUNT,
    "limits.weight_max": (SECOND // 4, 10 * SECOND),
    "models.admissions_per_block": (1, 16),
    "models.examination_base": _AMOUNT,
    "models.examination_per_byte": _PER_BYTE,
    "models.gas_max": (1_000_000, 10_000_000_000),
    "models.model_deposit": _AMOUNT,
    "models.time_lock_max": _BLOCKS,
    "models.version_deposit": _AMOUNT,
    "models.waiting_blocks": _BLOCKS,
    "multisig.deposit_base": _AMOUNT,
    "multisig.deposit_factor": _AMOUNT,
    "snapshots.deposit_per_byte": _PER_BYTE,
    "snapshots.deposit_per_record": _AMOUNT,
    "training.examination_base": _AMOUNT,
    "training.examination_per_byte": _PER_BYTE,
    "training.price_per_weight": (1, 1_000),
    "training.steps_max": (1_000, 1_000_000_000),
    "training.weight_per_block": _PER_BLOCK,
}
"""Least and greatest value of each number that may change; names ascending."""


def value_of(config: Any, name: str) -> int:
    """Give a number of a configuration by its name."""
    part, _, field = name.partition(".")
    value = getattr(getattr(config, part), field)
    assert isinstance(value, int), f"{name} is no number"
    return value


def applied(config: Config, changed: Mapping[str, int]) -> Config:
    """Give a configuration in which votes have changed some numbers."""
    for name, value in changed.items():
        part, _, field = name.partition(".")
        changes: dict[str, Any] = {part: replace(getattr(config, part), **{field: value})}
        config = replace(config, **changes)  # type: ignore[type-var]
    return config


class Table(Generic[Config]):
    """The numbers of one configuration that may change."""

    def __init__(self, config: Config, conflict: Callable[[Config], str]) -> None:
        """Take what holds without votes, and a check of what must fit together."""
        self._config = config
        self._conflict = conflict

    def bounds(self, name: str) -> tuple[int, int] | None:
        """Give the least and the greatest value, None for an unknown name."""
        return BOUNDS.get(name)

    def original(self, name: str) -> int:
        """Give what the number is until a vote changes it."""
        return value_of(self._config, name)

    def conflict(self, changed: Mapping[str, int]) -> str:
        """Say what does not fit together once these numbers hold; nothing if all does."""
        return self._conflict(applied(self._config, changed))
