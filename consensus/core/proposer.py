"""Who proposes: a pure function of the validator set, its seed, the height and the round.

The rounds of a height walk through a random order of the validators in which the heavier ones tend
to come first, so that silent proposers cost at most one round each before everyone had a turn.
"""

from functools import lru_cache
from typing import Final

from chain.primitives.codec import U32
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Address
from consensus.core.validators import Validator, ValidatorSet

_DOMAIN: Final = b"noema-proposer"

_KEPT: Final = 64
"""Orders kept: a few heights of every engine in the process."""


def proposer(validators: ValidatorSet, height: int, round_number: int) -> Address:
    """Give the validator that proposes in a round of a height."""
    cycle, place = divmod(round_number, len(validators))
    return _order(validators.validators, validators.seed, height, cycle)[place]


@lru_cache(maxsize=_KEPT)
def _order(
    validators: tuple[Validator, ...], seed: bytes, height: int, cycle: int
) -> tuple[Address, ...]:
    left = list(validators)
    order: list[Address] = []
    while left:
        ticket = _DOMAIN + seed + U32.encode(height) + U32.encode(cycle) + U32.encode(len(order))
        draw = int.from_bytes(blake2_256(ticket), "big") % sum(each.power for each in left)
        order.append(left.pop(_drawn(left, draw)).address)
    return tuple(order)


def _drawn(validators: list[Validator], draw: int) -> int:
    for index, each in enumerate(validators):
        draw -= each.power
        if draw < 0:
            return index
    raise AssertionError("a draw lies below the total power")
