"""Lineage: what is checked, what follows from it, and what is owed to ancestors."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.numbers import NOE
from runtime.frame import DispatchError
from runtime.frame.runs import PARTS, ROYALTIES_MAX, Royalty
from runtime.frame.trainings import Trained
from runtime.pallets.models import Status, errors
from runtime.pallets.models.lineage import ancestors_of, asking, royalties_of
from runtime.pallets.models.stored import Ancestor, Control, Lineage, Model, Parent, TrainedOn
from runtime.pallets.rewards.split import split_fee
from tests.support.economy import ALICE, BOB, CAROL, DAVE
from tests.support.registry import POLICY, ROOTS, Registry, Unknown

FORM = {"element": 2, "shape": (64,), "classes": 10, "licence": "CC0"}
JOB = Trained(ALICE, "digits", 4, b"\1" * 32, ROOTS[0])


@pytest.fixture
def chain() -> Registry:
    chain = Registry(ALICE, BOB, CAROL)
    rest = {"distance": 0, "neighbours": 0}
    chain.call(ALICE, "data", "create_dataset", name="digits", **FORM, **rest)
    return chain


def family(chain: Registry, *people: tuple[bytes, int]) -> None:
    """Let each register a model made from the one before, asking so many parts."""
    parents: tuple[Parent, ...] = ()
    for number, (owner, royalty) in enumerate(people):
        policy = replace(POLICY, royalty=royalty)
        chain.register(owner, f"m{number}", policy=policy, lineage=Lineage(parents))
        chain.end_block()
        parents = (Parent(f"m{number}", 1),)


def test_royalties_halve_by_generation_and_end_after_three(chain: Registry) -> None:
    family(chain, (BOB, 100_000), (CAROL, 80_000), (BOB, 40_001), (CAROL, 10_000), (ALICE, 0))

    def owed(number: int) -> tuple[Royalty, ...]:
        return chain.pallets.models.runnable(f"m{number}", None).royalties

    assert owed(0) == ()
    assert owed(1) == (Royalty(BOB, 100_000),)
    assert owed(2) == (Royalty(CAROL, 80_000),), "nobody owes himself"
    assert owed(3) == (Royalty(BOB, 40_001 + 25_000),)
    sums = {BOB: 40_001 // 2, CAROL: 10_000 + 20_000}
    assert owed(4) == tuple(Royalty(each, sums[each]) for each in sorted(sums))


def test_a_run_pays_them(chain: Registry) -> None:
    family(chain, (BOB, 100_000), (ALICE, 0))
    run = chain.pallets.models.runnable("m1", None)
    division = split_fee(1_000, run.policy, 0, run.royalties)
    assert (division.royalties, division.split.parents) == ((100,), 100)


def test_royalties_take_half_of_a_price_at_most(chain: Registry) -> None:
    for number, (owner, royalty) in enumerate(((BOB, 300_000), (CAROL, 200_001))):
        chain.register(owner, f"m{number}", policy=replace(POLICY, royalty=royalty))
        chain.end_block()
    both = Lineage((Parent("m0", 1), Parent("m1", 1)))
    error = errors.RoyaltiesTooHigh("500001 parts, at most 500000")
    refuse(chain, error, lineage=both)
    error = errors.RoyaltiesTooHigh("500001 parts, at most 500000")
    refuse(chain, error, policy=replace(POLICY, royalty=500_001))
    chain.register(lineage=Lineage((Parent("m0", 1),)))


def refuse(chain: Registry, error: DispatchError, **changes: Any) -> None:
    values = {
        "name": "child",
        "blob": ROOTS[0],
        "licence": "MIT",
        "lineage": Lineage(),
        "policy": POLICY,
        "control": Control(),
        "bounds": (),
    }
    chain.refuse(error, ALICE, "models", "register", **{**values, **changes})


def test_a_lineage_that_is_not_so_is_refused(chain: Registry) -> None:
    chain.register(BOB, "parent")
    chain.training.jobs = {
        0: JOB,
        1: replace(JOB, owner=BOB),
        2: replace(JOB, model_root=ROOTS[1]),
    }
    parent = Parent("parent", 1)
    for lineage, error in (
        (Lineage((parent,)), errors.UnknownParent("parent@1")),
        (Lineage((Parent("parent", 2),)), errors.UnknownParent("parent@2")),
        (Lineage((Parent("No", 1),)), errors.UnknownParent("No@1")),
        (Lineage((Parent("child", 1),)), errors.UnknownParent("child@1")),
        (Lineage(job=1), errors.NotYourJob("job 1")),
        (Lineage(job=2), errors.JobMadeAnother(f"0x{ROOTS[1].hex()}")),
        (Lineage(job=3), Unknown("job 3")),
        (Lineage(job=0, datasets=("digits",)), errors.JobNamesDataset("digits")),
    ):
        refuse(chain, error, lineage=lineage)
    chain.end_block()
    refuse(chain, errors.ParentTwice(), lineage=Lineage((parent, parent)))
    chain.register(lineage=Lineage((parent,)))


def test_a_retired_version_is_a_parent_but_one_that_never_ran_is_not(chain: Registry) -> None:
    chain.register(BOB, "parent")
    chain.end_block()
    chain.publish(BOB, "parent")
    for version in (1, 2):
        chain.call(BOB, "models", "retire", name="parent", version=version)
    chain.register(lineage=Lineage((Parent("parent", 1),)))
    refuse(chain, errors.UnknownParent("parent@2"), lineage=Lineage((Parent("parent", 2),)))


def test_a_job_says_who_is_paid_and_measured_worth_comes_first(chain: Registry) -> None:
    chain.training.jobs = {7: JOB}
    policy = replace(POLICY, owner=0, contributors=500_000)
    chain.register(lineage=Lineage(job=7), policy=policy)
    chain.end_block()
    version = chain.pallets.models.versions["digits", 1]
    assert version.trained == TrainedOn("digits", 4)
    assert chain.pallets.models.runnable("digits", None).sources == ("digits",)

    chain.pallets.rewards.open_pool("digits.4", ((BOB, 3), (CAROL, 1)))

    assert chain.pallets.models.runnable("digits", None).sources == ("digits.4",)


def test_retirement_leaves_what_old_receipts_and_children_need(chain: Registry) -> None:
    family(chain, (BOB, 100_000), (CAROL, 50_000))
    chain.call(CAROL, "models", "retire", name="m1", version=1)
    version = chain.pallets.models.versions["m1", 1]
    assert (version.status, version.inputs, version.outputs) == (Status.RETIRED, (), ())
    assert (version.blob, version.lineage) == (ROOTS[0], Lineage((Parent("m0", 1),)))

    chain.register(lineage=Lineage((Parent("m1", 1),)))
    chain.end_block()

    assert Counter(chain.pallets.models.runnable("digits", None).royalties) == Counter(
        (Royalty(BOB, 50_000), Royalty(CAROL, 50_000))
    )


def test_models_are_listed_in_pages_in_the_order_of_their_registration(chain: Registry) -> None:
    for name in ("zebra", "ape", "cat"):
        chain.register(name=name)
    models = chain.pallets.models
    assert [name for name, _ in models.page(None, 2)] == ["zebra", "ape"]
    assert [name for name, _ in models.page("ape", 2)] == ["cat"]
    assert models.page("cat", 2) == ()
    with pytest.raises(errors.UnknownModel):
        models.page("dog", 2)


def model_of(owner: bytes, royalty: int) -> Model:
    policy = replace(POLICY, royalty=royalty)
    return Model(owner, "MIT", policy, Control(), 0, 1, NOE)


def naive(
    owner: bytes,
    parents: list[tuple[str, int]],
    tree: dict[tuple[str, int], list[tuple[str, int]]],
    models: dict[str, Model],
) -> dict[bytes, int]:
    """Walk every way up, three steps at most, and take each model at its nearest."""
    nearest: dict[str, int] = {}
    ways = [(each, 1) for each in parents]
    while ways:
        (name, version), generation = ways.pop()
        nearest[name] = min(generation, nearest.get(name, generation))
        if generation < 3:
            ways += [(each, generation + 1) for each in tree[name, version]]
    owed: Counter[bytes] = Counter()
    for name, generation in nearest.items():
        model = models[name]
        if model.owner != owner:
            owed[model.owner] += model.policy.royalty // 2 ** (generation - 1)
    return {account: parts for account, parts in owed.items() if parts}


@pytest.mark.parametrize("seed", range(40))
def test_royalties_of_random_families_are_those_of_a_walk_up_every_way(seed: int) -> None:
    dice = random.Random(seed)
    models = {
        f"m{number}": model_of(dice.choice((ALICE, BOB, CAROL, DAVE)), dice.choice((0, 7, 40_000)))
        for number in range(10)
    }
    tree: dict[tuple[str, int], list[tuple[str, int]]] = {}
    known: dict[tuple[str, int], tuple[Ancestor, ...]] = {}
    for name in dice.choices(sorted(models), k=40):
        version = 1 + sum(each == name for each, _ in tree)
        parents = dice.sample(sorted(tree), min(len(tree), dice.randrange(4)))
        owner = models[name].owner
        ancestors = ancestors_of([(each, known[each, number]) for each, number in parents])
        expected = naive(owner, parents, tree, models)
        if sum(expected.values()) > PARTS // 2:
            with pytest.raises(errors.RoyaltiesTooHigh):
                royalties_of(owner, ancestors, models)
        else:
            found = royalties_of(owner, ancestors, models)
            assert {each.owner: each.parts for each in found} == expected
            assert [each.owner for each in found] == sorted(expected)
        tree[name, version] = parents
        known[name, version] = asking(ancestors, models)


def test_a_family_is_bounded() -> None:
    many = [(f"m{number:02}", ()) for number in range(ROYALTIES_MAX + 1)]
    ancestors = ancestors_of(many)
    dear = {each.model: model_of(BOB, 1) for each in ancestors}
    with pytest.raises(errors.TooManyAncestors, match="25, at most 24"):
        asking(ancestors, dear)
    free = {each.model: model_of(BOB, 0) for each in ancestors}
    assert asking(ancestors, free) == ()
    with pytest.raises(errors.TooManyAncestors):
        ancestors_of([(f"m{number:02}", ()) for number in range(40)])
