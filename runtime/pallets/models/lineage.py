"""Lineage: from which models a version descends, and what it owes their owners.  Pure.

Parents of a version are older than it, so that nobody descends from himself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chain.primitives.keys import Address
from runtime.frame.runs import PARTS, ROYALTIES_MAX, Royalty
from runtime.pallets.models.errors import RoyaltiesTooHigh, TooManyAncestors
from runtime.pallets.models.stored import PARENTS_MAX, Ancestor, Model

GENERATIONS: Final = 3
"""As far as royalties reach."""

ROYALTIES_PARTS_MAX: Final = PARTS // 2
"""All royalties together: whoever makes a version keeps at least half to divide."""


def ancestors_of(parents: Iterable[tuple[str, Sequence[Ancestor]]]) -> tuple[Ancestor, ...]:
    """Give the ancestors of a version from its parents' models and their own ancestors.

    Each model stands at its nearest generation, however many ways and versions lead to it: nobody
    earns more by publishing the same again.  Names ascend.  Raises TooManyAncestors.
    """
    nearest: dict[str, int] = {}
    for model, older in parents:
        reached = ((each.model, each.generation + 1) for each in older)
        for name, generation in ((model, 1), *reached):
            if generation <= GENERATIONS:
                nearest[name] = min(generation, nearest.get(name, generation))
    if len(nearest) > ROYALTIES_MAX + PARENTS_MAX:
        raise TooManyAncestors(f"{len(nearest)}, at most {ROYALTIES_MAX} that ask a royalty")
    return tuple(Ancestor(name, nearest[name]) for name in sorted(nearest))


def asking(ancestors: Iterable[Ancestor], models: Mapping[str, Model]) -> tuple[Ancestor, ...]:
    """Give those that ask a royalty; raises TooManyAncestors."""
    found = tuple(each for each in ancestors if models[each.model].policy.royalty)
    if len(found) > ROYALTIES_MAX:
        raise TooManyAncestors(f"{len(found)}, at most {ROYALTIES_MAX}")
    return found


def royalties_of(
    owner: Address, ancestors: Iterable[Ancestor], models: Mapping[str, Model]
) -> tuple[Royalty, ...]:
    """Give what each price owes to others than the owner; raises RoyaltiesTooHigh.

    A parent gets its model's royalty, a grandparent half of it, the next a quarter, truncated;
    who owns several of them gets the sum.  Accounts ascend.
    """
    parts: dict[Address, int] = {}
    for each in ancestors:
        model = models[each.model]
        share = model.policy.royalty >> (each.generation - 1)
        if share and model.owner != owner:
            parts[model.owner] = parts.get(model.owner, 0) + share
    if sum(parts.values()) > ROYALTIES_PARTS_MAX:
        raise RoyaltiesTooHigh(f"{sum(parts.values())} parts, at most {ROYALTIES_PARTS_MAX}")
    return tuple(Royalty(account, parts[account]) for account in sorted(parts))
