"""When a message arrives, if it does: loss, delay, duplication, splits, until the calm."""

from random import Random

from tests.simulation.scenario import Scenario

CALM_DELAY_MS = 10
WITHHELD = 0.7
"""Share of its prevotes that a stale twin keeps from each of the others."""


class SimulatedNetwork:
    def __init__(self, scenario: Scenario, random: Random) -> None:
        self._scenario = scenario
        self._random = random
        self._favours: dict[int, frozenset[int]] = {}
        self._share_out_twins()

    def arrivals(self, sender: int, receiver: int, now_ms: int, sort: str) -> list[int]:
        """Give the delays after which copies of a message arrive."""
        if now_ms >= self._scenario.calm_ms:
            return [self._random.randint(1, CALM_DELAY_MS)]
        if self._is_cut(sender, receiver, now_ms) or self._is_lost(sender, sort):
            return []
        copies = 2 if self._random.random() < self._scenario.duplication else 1
        return [self._random.randint(1, self._scenario.delay_ms) for _ in range(copies)]

    def _is_lost(self, sender: int, sort: str) -> bool:
        if self._scenario.are_twins_stale and sender in self._favours and sort == "PREVOTE":
            return self._random.random() < WITHHELD
        return self._random.random() < self._scenario.loss[sort]

    def _share_out_twins(self) -> None:
        """Let the two halves of a twin talk to different, overlapping parts of the others."""
        size = len(self._scenario.powers)
        for index, twin in enumerate(self._scenario.twins):
            others = [each for each in range(size) if each != twin]
            self._random.shuffle(others)
            half = (len(others) + 1) // 2
            self._favours[twin] = frozenset(others[:half])
            self._favours[size + index] = frozenset(others[len(others) - half :])

    def _is_cut(self, sender: int, receiver: int, now_ms: int) -> bool:
        for twin, other in ((sender, receiver), (receiver, sender)):
            favoured = self._favours.get(twin)
            if favoured is not None and other not in favoured and other not in self._favours:
                return True
        for split in self._scenario.splits:
            inside = sender in split.side, receiver in split.side
            crosses = inside[0] != inside[1] and not (split.one_way and inside[0])
            if split.start_ms <= now_ms < split.end_ms and crosses:
                return True
        return False
