"""Random calls of everybody: refusals change nothing, and every block keeps its promises."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.frame import DispatchError, Event
from runtime.frame.ports import AdmissionSummary, Bound
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy
from runtime.pallets.attribution.stored import Measure, Share
from runtime.pallets.blobs.pallet import Attested
from runtime.pallets.data import Standing
from runtime.pallets.data.events import ConsentWithdrawn, Counted
from runtime.pallets.inference.pallet import Inferred
from runtime.pallets.models import Status
from runtime.pallets.models.events import Activated, Rejected, Retired
from runtime.pallets.models.stored import Control, Lineage, Multisig, Parent, Referendum
from runtime.pallets.rewards.pallet import Claimed
from runtime.pallets.training.stored import OPEN
from tests.support.economy import ALICE, BOB, CAROL, PIXELS, VALIDATORS, Chain

TOPS = [bytes((number,)) * 32 for number in range(4)]
ROOTS = [root_over(top, 5) for top in TOPS]
BAD_ROOT = ROOTS[3]
FORM = {
    "element": 2,
    "shape": (1,),
    "classes": 0,
    "licence": "CC0",
    "distance": 0,
    "neighbours": 0,
}
CONTENTS = {root: bytes(range(number, number + 5)) for number, root in enumerate(ROOTS)}
"""Rows of one byte, some of them in several blobs."""

ROWS_ROOTS = {root: rows_root(content, 1) for root, content in CONTENTS.items()}
POLICY = FeePolicy(NOE // 3, 200_000, 300_000, 400_000, 100_000)

PERSON = st.sampled_from((ALICE, BOB, CAROL))
ROOT = st.sampled_from(ROOTS)
NAME = st.sampled_from(("digits", "letters"))
LINEAGES = (
    Lineage(),
    Lineage(datasets=("digits",)),
    Lineage((Parent("digits", 1),)),
    Lineage((Parent("digits", 1), Parent("letters", 1)), datasets=("letters",)),
    Lineage(job=0),
)
LINEAGE = st.sampled_from(LINEAGES)
CONTROL = st.sampled_from(
    (
        Control(),
        Control(time_lock=2),
        Control(Multisig(2, tuple(sorted((ALICE, BOB, CAROL)))), time_lock=1),
        Control(Multisig(1, (ALICE,))),
        Control(Referendum()),
        Control(gate=0),
    )
)
CHANNEL = st.sampled_from(("stable", "next", "canary", "No"))
NUMBER = st.integers(0, 2)
MEASURE = st.none() | st.builds(
    Measure, NUMBER, st.sampled_from((0, 1, 65)), st.none() | NUMBER, st.none()
)
SHARES = st.sampled_from(((), (Share(BOB, 1_000_000),), (Share(BOB, 1),)))


def step(pallet: str, call: str, who: st.SearchStrategy[bytes] = PERSON, **arguments: Any) -> Any:
    return st.tuples(who, st.just(pallet), st.just(call), st.fixed_dictionaries(arguments))


def promised(dataset: str, blob: bytes, rows_of: bytes) -> dict[str, Any]:
    return {"dataset": dataset, "blob": blob, "rows": 5, "rows_root": ROWS_ROOTS[rows_of]}


BOUNDS = st.sampled_from(((), (Bound("batch", 8),), (Bound("batch", 0),)))

STEPS = st.one_of(
    step("blobs", "announce", top=st.sampled_from(TOPS), length=st.just(5), kind=st.integers(0, 2)),
    step("blobs", "attest", st.sampled_from(VALIDATORS), root=ROOT),
    step("blobs", "release", root=ROOT),
    step("data", "create_dataset", name=NAME, **{k: st.just(v) for k, v in FORM.items()}),
    st.tuples(PERSON, NAME, ROOT, ROOT).map(
        lambda drawn: (drawn[0], "data", "contribute", promised(*drawn[1:]))
    ),
    step("snapshots", "take", dataset=NAME),
    step("snapshots", "drop", snapshot=NUMBER),
    step("attribution", "declare", dataset=NAME, measure=MEASURE, shares=SHARES),
    step(
        *("attribution", "value"),
        snapshot=NUMBER,
        measure=MEASURE,
        max_price=st.sampled_from((NOE // 100, NOE)),
    ),
    step("attribution", "share", snapshot=NUMBER),
    step("data", "withdraw_consent", dataset=NAME, record=NUMBER),
    step(
        *("models", "register"),
        name=NAME,
        blob=ROOT,
        licence=st.just("MIT"),
        lineage=LINEAGE,
        policy=st.sampled_from((POLICY, replace(POLICY, royalty=300_000))),
        control=CONTROL,
        bounds=BOUNDS,
    ),
    step("models", "publish", name=NAME, blob=ROOT, lineage=LINEAGE, bounds=BOUNDS),
    step("models", "retire", name=NAME, version=NUMBER),
    step("models", "move", name=NAME, channel=CHANNEL, version=st.none() | NUMBER),
    step("models", "cancel_move", name=NAME, channel=CHANNEL),
    step("models", "release_name", name=NAME),
    step(
        *("inference", "infer"),
        model=NAME,
        version=st.none() | NUMBER,
        input=st.just(PIXELS),
        max_fee=st.sampled_from((NOE // 4, NOE)),
    ),
    step(
        *("training", "start"),
        step=ROOT,
        predict=ROOT,
        bounds=BOUNDS,
        parameters=ROOT,
        snapshot=NUMBER,
        evaluation=st.none() | NUMBER,
        steps=NUMBER,
        budget=st.sampled_from((0, NOE)),
    ),
    step("training", "cancel", job=NUMBER),
    step("rewards", "claim", sources=st.sampled_from(((), ("digits",), ("digits", "letters")))),
    st.none(),
)


def play(chain: Chain, steps: list[Any]) -> list[Event]:
    """Take the steps, None ending a block; gives all events."""
    happened: list[Event] = []
    for taken in steps:
        if taken is None:
            happened += chain.end_block()
            continue
        who, pallet, call, arguments = taken
        before = chain.state.changes(), len(chain.state.events), len(chain.state.results)
        try:
            chain.call(who, pallet, call, **arguments)
        except DispatchError:
            after = chain.state.changes(), len(chain.state.events), len(chain.state.results)
            assert after == before
    return happened + chain.end_block()


def uses(chain: Chain) -> Counter[tuple[bytes, bytes]]:
    """Count the uses of every announcement by looking at models and records."""
    counted: Counter[tuple[bytes, bytes]] = Counter()
    models, data = chain.pallets.models, chain.pallets.data
    for (name, _), version in models.versions.items():
        if version.status in (Status.PENDING, Status.ACTIVE):
            counted[version.blob, models.models[name].owner] += 1
    for record in data.records.values():
        if record.standing in (Standing.WAITING, Standing.COUNTED):
            counted[record.blob, record.contributor] += 1
    for job in chain.pallets.training.jobs.values():
        if job.status in OPEN:
            counted.update((root, job.owner) for root in (job.step, job.predict, job.parameters))
    return counted


def opening() -> list[Any]:
    """Give steps after which there are data and a model, so that random ones meet something."""
    rows = promised("digits", ROOTS[1], ROOTS[1])
    model = {"name": "digits", "licence": "MIT", "lineage": LINEAGES[1], "policy": POLICY}
    rest = {"blob": ROOTS[0], "control": Control(), "bounds": ()}
    return [
        (ALICE, "data", "create_dataset", {"name": "digits", **FORM}),
        (ALICE, "blobs", "announce", {"top": TOPS[0], "length": 5, "kind": 0}),
        (BOB, "blobs", "announce", {"top": TOPS[1], "length": 5, "kind": 1}),
        *((each, "blobs", "attest", {"root": ROOTS[0]}) for each in VALIDATORS[:3]),
        (BOB, "data", "contribute", rows),
        *((each, "blobs", "attest", {"root": ROOTS[1]}) for each in VALIDATORS[:3]),
        (
            ALICE,
            "models",
            "register",
            {**model, **rest},
        ),
        None,
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40), st.booleans())
def test_random_calls_keep_every_invariant(steps: list[Any], opened: bool) -> None:
    chain = Chain()
    chain.executor.contents.update(CONTENTS)
    chain.executor.summaries[BAD_ROOT] = AdmissionSummary(False, ("no",), (), (), 0, 0)
    issuance = chain.pallets.balances.total_issuance.get()

    play(chain, [*(opening() if opened else ()), *steps])

    assert chain.pallets.balances.total_issuance.get() == issuance
    announcements = chain.pallets.blobs.announcements.items()
    assert uses(chain) == Counter({key: each.uses for key, each in announcements})


def test_the_steps_reach_everything() -> None:
    chain = Chain()
    chain.executor.contents.update(CONTENTS)
    chain.executor.summaries[BAD_ROOT] = AdmissionSummary(False, ("no",), (), (), 0, 0)
    version = {"name": "digits", "blob": BAD_ROOT, "lineage": LINEAGES[1], "bounds": ()}
    run = {"model": "digits", "version": None, "input": PIXELS, "max_fee": NOE}
    happened = play(
        chain,
        [
            *opening(),
            (CAROL, "inference", "infer", run),
            (BOB, "rewards", "claim", {"sources": ("digits",)}),
            (BOB, "data", "withdraw_consent", {"dataset": "digits", "record": 0}),
            (ALICE, "blobs", "announce", {"top": TOPS[3], "length": 5, "kind": 0}),
            (ALICE, "models", "publish", version),
            *((each, "blobs", "attest", {"root": BAD_ROOT}) for each in VALIDATORS[:3]),
            None,
            (ALICE, "models", "retire", {"name": "digits", "version": 1}),
        ],
    )
    reached = (Attested, Counted, Activated, Inferred, Claimed, ConsentWithdrawn, Rejected, Retired)
    missed = [kind for kind in reached if not any(isinstance(each, kind) for each in happened)]
    assert missed == []
