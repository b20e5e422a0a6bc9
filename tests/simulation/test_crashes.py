"""A process that ends at any operation on its disk contradicts nothing and comes back."""

from functools import partial

import pytest

from tests.simulation.test_smoke import quiet
from tests.simulation.world import World

OPERATIONS = 36
"""Of the first node's disk: more than two whole heights."""


@pytest.mark.parametrize("powers", [(1, 1, 1, 1), (3, 1, 1)])
def test_power_cut_at_any_disk_operation(powers: tuple[int, ...]) -> None:
    lives: list[int] = []
    for operation in range(OPERATIONS):
        world = World(quiet(powers, seed=operation))
        world.nodes[0].disk.steps_left = operation
        world.run()
        lives.append(world.nodes[0].life)
    assert min(lives) == 3


def test_lone_validator_survives_power_cuts() -> None:
    for operation in range(OPERATIONS):
        world = World(quiet((1,), seed=operation))
        world.nodes[0].disk.steps_left = operation
        world.run()


def cut_all(world: World) -> None:
    for node in world.nodes:
        world._stop(node, power=True)


def test_all_lose_power_at_once_and_go_on() -> None:
    for moment in range(60, 420, 40):
        world = World(quiet((1, 1, 2, 1), seed=moment, calm_ms=500))
        world._at(moment, partial(cut_all, world))
        world.run()
        assert [node.life for node in world.nodes] == [3, 3, 3, 3]
