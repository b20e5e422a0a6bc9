"""Random trainings: started, cancelled, broken off; nothing is lost and all of them end."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.numbers import NOE
from runtime.frame import DispatchError
from runtime.frame.ports import Trapped
from runtime.pallets.training.stored import OPEN
from tests.support.counting import counting_chain
from tests.support.economy import ALICE, BOB, Chain
from tests.support.trainings import run, start

STARTS = st.tuples(
    st.just("start"), st.sampled_from((0, 1, 3, 30)), st.sampled_from((1, NOE)), st.booleans()
)
CANCELS = st.tuples(st.just("cancel"), st.integers(0, 3), st.sampled_from((ALICE, BOB)))
STEPS = st.lists(st.one_of(STARTS, CANCELS, st.just(("block",))), max_size=12)


def play(chain: Chain, programs: dict[str, Any], taken: tuple[Any, ...]) -> None:
    try:
        if taken[0] == "start":
            evaluation = 0 if taken[3] else None
            start(chain, programs, taken[1], budget=taken[2], evaluation=evaluation)
        elif taken[0] == "cancel":
            chain.call(taken[2], "training", "cancel", job=taken[1])
        else:
            chain.end_block()
    except DispatchError:
        pass


@settings(max_examples=25, deadline=None)
@given(STEPS, st.sets(st.integers(1, 40), max_size=3))
def test_random_trainings_keep_every_invariant(steps: list[Any], traps: set[int]) -> None:
    chain, engine, programs = counting_chain()
    engine.instead = {each: Trapped("chance") for each in traps}
    issuance = chain.pallets.balances.total_issuance.get()
    for taken in steps:
        play(chain, programs, taken)
    run(chain, 100)

    training = chain.pallets.training
    jobs = training.jobs.values()
    assert not any(each.status in OPEN for each in jobs)
    assert list(training.chunks) == []
    assert chain.pallets.balances.total_issuance.get() == issuance
    finished = [each for each in jobs if each.model is not None]
    for root in programs.values():
        assert chain.pallets.blobs.announcements[root, ALICE].uses == len(finished)
    held = sum(1 + (each.evaluation is not None) for each in finished)
    taken_snapshot = chain.pallets.snapshots.taken(0)
    assert taken_snapshot is not None
    assert taken_snapshot.uses == held
