"""A few seeds of everything, and the special cases that no seed is likely to meet."""

import pytest

from consensus.core.height import LINES
from tests.simulation.hidden_lock import hidden_lock
from tests.simulation.run import run_seed
from tests.simulation.scenario import Scenario
from tests.simulation.world import World


def quiet(
    powers: tuple[int, ...], *, seed: int = 0, calm_ms: int = 0, watchers: int = 0
) -> Scenario:
    return Scenario(
        seed=seed,
        powers=powers,
        twins=(),
        are_sets_changing=False,
        are_twins_stale=False,
        bad_builder=None,
        loss=dict.fromkeys(("proposal", "PREVOTE", "PRECOMMIT", "repair"), 0.0),
        duplication=0.0,
        delay_ms=5,
        calm_ms=calm_ms,
        splits=(),
        crashes=(),
        watchers=watchers,
    )


def test_seeds_hold_and_every_line_of_the_paper_acts() -> None:
    fired: dict[str, int] = {}
    for seed in range(24):
        run_seed(seed, fired)
    assert sorted(fired) == sorted(LINES)


def test_hidden_locks_do_not_stop_the_chain() -> None:
    world = hidden_lock(1)
    world.run()
    assert world.fired()["L16"] == 1
    assert world.reports["rounds"] == 2


@pytest.mark.parametrize("powers", [(1,), (1, 1), (5, 1, 1), (1,) * 5, (3,) * 10])
def test_every_size_of_network_decides(powers: tuple[int, ...]) -> None:
    world = World(quiet(powers, watchers=1))
    world.run()
    assert world.reports["rounds"] == 0


def test_halts_without_two_thirds_and_goes_on_by_itself() -> None:
    world = World(quiet((1, 1, 1, 1), calm_ms=6000))
    frozen: list[tuple[int, int]] = []

    def stand() -> tuple[int, int]:
        live = world.nodes[0].machine
        assert live is not None
        assert live.height is not None
        return live.height.number, live.height.round

    def part(node: int) -> None:
        world.nodes[node].stop()
        world._at(4000, world._starter(world.nodes[node]))

    for node in (2, 3):
        world._at(500, lambda node=node: part(node))  # type: ignore[misc]
    for moment in (2000, 4400):
        world._at(moment, lambda: frozen.append(stand()))
    world.run()

    assert frozen[0][0] > 1
    assert frozen[0] == frozen[1]
    assert world.nodes[3].ledger.head().height > frozen[1][0] + 3
