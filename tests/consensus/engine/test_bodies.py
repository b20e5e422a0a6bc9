"""Blocks at hand, and whom to ask for the others."""

from consensus.engine.bodies import BODIES_MAX, Bodies
from tests.simulation.ledger import SimulatedLedger

BLOCKS = [SimulatedLedger().build(f"block {number}") for number in range(BODIES_MAX + 3)]


def test_asks_the_source_first_then_everybody_in_turn() -> None:
    bodies, wanted = Bodies(), BLOCKS[0].hash()
    bodies.note_source(wanted, "c")
    asked = [bodies.next_to_ask(wanted, ("a", "b", "c")) for _ in range(4)]

    assert asked == ["c", "a", "b", "c"]
    assert bodies.is_asked_for(wanted)
    bodies.keep(BLOCKS[0], ())
    assert not bodies.is_asked_for(wanted)
    assert bodies.get(wanted) == BLOCKS[0]


def test_nobody_to_ask() -> None:
    bodies = Bodies()
    assert bodies.next_to_ask(BLOCKS[0].hash(), ()) is None
    assert bodies.is_asked_for(BLOCKS[0].hash())
    bodies.forget_question(BLOCKS[0].hash())
    assert not bodies.is_asked_for(BLOCKS[0].hash())


def test_what_is_needed_outlives_the_bound() -> None:
    bodies, needed = Bodies(), [BLOCKS[1].hash()]
    for block in BLOCKS:
        bodies.keep(block, needed)
    kept = [number for number, block in enumerate(BLOCKS) if bodies.get(block.hash())]
    assert kept == [1, *range(4, BODIES_MAX + 3)]
