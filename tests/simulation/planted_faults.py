"""Faults put into the rules on purpose: a simulator that misses one proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from consensus.core import height
from consensus.core.height import NONE, RULES, Height
from consensus.core.validators import ValidatorSet
from consensus.engine import exchange
from consensus.engine.machine import Machine


def _without(line: str) -> AbstractContextManager[Any]:
    return patch.object(height, "RULES", tuple(rule for rule in RULES if rule[0] != line))


def _ignoring_lock(*, of_fresh: bool) -> AbstractContextManager[Any]:
    prevote = Height._prevote

    def careless(self: Height, proposal: Any, *, free: bool) -> None:
        fresh = proposal.valid_round is None
        prevote(self, proposal, free=free or fresh is of_fresh)

    return patch.object(Height, "_prevote", careless)


def _quorum(more_than: Callable[[int, int], bool]) -> AbstractContextManager[Any]:
    def is_quorum(self: ValidatorSet, power: int) -> bool:
        return more_than(power, self.total)

    return patch.object(ValidatorSet, "is_quorum", is_quorum)


def _forgetting_valid_value() -> AbstractContextManager[Any]:
    def forgetful(self: Height) -> bool:
        fired = Height._lock_polka(self)
        self.valid_block, self.valid_round = None, NONE
        return fired

    rules = tuple((line, forgetful if line == "L36" else rule) for line, rule in RULES)
    return patch.object(height, "RULES", rules)


@contextmanager
def _silent() -> Iterator[None]:
    def no_rebroadcast(self: Machine, _: Height) -> None:
        self._supply.try_again()

    with (
        patch.object(Machine, "_rebroadcast", no_rebroadcast),
        patch.object(exchange, "answer", lambda *_: []),
    ):
        yield


FAULTS: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
    "lock ignored for fresh proposals": lambda: _ignoring_lock(of_fresh=True),
    "lock ignored for proven proposals": lambda: _ignoring_lock(of_fresh=False),
    "quorum of a half": lambda: _quorum(lambda power, total: 2 * power > total),
    "quorum of a third": lambda: _quorum(lambda power, total: 3 * power > total),
    "no round skip": lambda: _without("L55"),
    "no precommit timeout": lambda: _without("L47"),
    "valid value forgotten": _forgetting_valid_value,
    "no rebroadcast": _silent,
}
