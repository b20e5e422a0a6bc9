"""Valuations on a chain: who earns, who does not, what is refused, and that all adds up."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from chain.primitives.tensor_bytes import TENSORS
from runtime.frame import Root
from runtime.frame.ports import AdmissionSummary, Completed, LocalFailure, TensorType, Trapped
from runtime.frame.predictions import decode_arrays, encode_arrays
from runtime.frame.runs import FeePolicy
from runtime.pallets.attribution import errors
from runtime.pallets.attribution.events import Declared, Failed, Progressed, Started, Valued
from runtime.pallets.attribution.shapley import fold_of, gain
from runtime.pallets.attribution.stored import (
    Embedding,
    Share,
    Stage,
    Worth,
)
from runtime.pallets.models.stored import Control, Lineage
from runtime.pallets.rewards.pallet import PoolOpened
from runtime.pallets.snapshots.pallet import NotTaker, SnapshotInUse, UnknownSnapshot
from tests.support.economy import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    MALLORY,
    QUIET,
    Chain,
)
from tests.support.pallet_calls import dispatch
from tests.support.valued_digits import (
    MEASURE,
    contribute,
    declare,
    digits,
    finish,
    honest,
    mislabelled,
    open_datasets,
    run_all,
    value,
)

Array = npt.NDArray[Any]


def test_worth_is_measured_and_opens_the_pool() -> None:
    chain = Chain(QUIET)
    wrong, _ = mislabelled(digits("carol", 300, 100), 1)
    found = run_all(chain, {**honest(), MALLORY: wrong})

    job = chain.pallets.attribution.valuations[0]
    assert (job.stage, job.left, job.counts, job.counted) == (Stage.FINISHED, 0, True, 450)
    assert found[BOB].worth > 3 * 10**11
    assert found[CAROL].worth > 2 * 10**11
    assert found[MALLORY].worth < 0
    source = "digits.1"
    opened = chain.events_of(PoolOpened)
    assert opened == [PoolOpened(source, 2, found[BOB].worth + found[CAROL].worth)]
    assert chain.events_of(Valued) == [Valued(0, 1, True)]
    for who, earns in ((BOB, True), (CAROL, True), (MALLORY, False)):
        earning = [each.source for each in chain.pallets.rewards.status(who).sources]
        assert (source in earning) == earns
    chain.call(ALICE, "snapshots", "drop", snapshot=1)
    chain.refuse(SnapshotInUse("1 uses"), ALICE, "snapshots", "drop", snapshot=0)


def test_records_are_worth_together_what_the_snapshot_is() -> None:
    chain = Chain(QUIET)
    run_all(chain, honest())
    rows = np.concatenate(list(honest().values()))
    points = digits("unseen", 0, 60)
    squares = ((points[:, None, :64].astype(int) - rows[None, :, :64]) ** 2).sum(axis=2)
    order = np.argsort(squares, axis=1, kind="stable")
    utility = Fraction(gain(order, rows[:, -1], points[:, -1], 5), 5 * 60)

    total = sum(each.worth for each in chain.pallets.attribution.results[0])

    assert utility > Fraction(8, 10)
    assert total in (int(utility * 10**12) - 1, int(utility * 10**12))


def test_many_blocks_find_what_one_does() -> None:
    small = replace(QUIET.attribution, weight_per_block=2_000_000_000)
    found = {}
    for name, rules in (("one", QUIET.attribution), ("many", small)):
        chain = Chain(replace(QUIET, attribution=rules))
        run_all(chain, honest())
        job = chain.pallets.attribution.valuations[0]
        found[name] = chain.pallets.attribution.results[0], job.exact, job.ended - job.started
    assert found["one"][:2] == found["many"][:2]
    assert found["one"][2] < 5 < found["many"][2]


def test_whoever_repeats_rows_with_noise_earns_nothing() -> None:
    chain = Chain(QUIET)
    copied = digits("bob", 0, 100)
    dice = np.random.default_rng(7)
    places = dice.integers(0, 64, len(copied))
    pixels = copied[np.arange(len(copied)), places]
    copied[np.arange(len(copied)), places] = np.where(pixels > 8, pixels - 2, pixels + 2)

    found = run_all(chain, {**honest(), MALLORY: copied})

    alone = run_all(Chain(QUIET), honest())
    assert found[MALLORY] == Worth(2, MALLORY, 100, 100, 0)
    assert {who: each.worth for who, each in found.items() if who != MALLORY} == {
        who: each.worth for who, each in alone.items()
    }


def test_labels_at_random_earn_less_than_honest_ones() -> None:
    rows = digits("carol", 300, 150)
    guessed = rows.copy()
    guessed[:, -1] = np.random.default_rng(2).integers(0, 10, len(rows))
    found = run_all(Chain(QUIET), {**honest(), MALLORY: guessed})
    fair = run_all(Chain(QUIET), {**honest(), MALLORY: rows})
    assert max(found[MALLORY].worth, 0) < fair[MALLORY].worth // 10


def test_rows_pay_the_same_where_the_dataset_says_so() -> None:
    chain = Chain(QUIET)
    open_datasets(chain, neighbours=0)
    copied = digits("bob", 0, 50)
    copied[:, 0] += 1
    for who, rows in {**honest(), MALLORY: copied}.items():
        contribute(chain, who, "digits", rows)
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    value(chain, measure=None)
    finish(chain)
    assert chain.events_of(PoolOpened) == [PoolOpened("digits.1", 2, 350)]


def test_fixed_shares_pay_as_declared() -> None:
    chain = Chain(QUIET)
    open_datasets(chain)
    declare(chain, measure=None, shares=(Share(BOB, 900_000), Share(DAVE, 100_000)))
    contribute(chain, BOB, "digits", digits("bob", 0, 5))
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    chain.call(CAROL, "attribution", "share", snapshot=1)
    assert chain.events_of(PoolOpened) == [PoolOpened("digits.1", 2, 1_000_000)]
    again = errors.AlreadyOpen("digits.1")
    chain.refuse(again, CAROL, "attribution", "share", snapshot=1)
    chain.refuse(errors.NoShares("unseen"), CAROL, "attribution", "share", snapshot=0)
    chain.end_block()


def small_chain(**rules: Any) -> Chain:
    """Give a chain with a declared measure, a few rows of bob, and their snapshot, number 1."""
    chain = Chain(replace(QUIET, attribution=replace(QUIET.attribution, **rules)))
    open_datasets(chain, unseen=8)
    declare(chain)
    contribute(chain, BOB, "digits", digits("bob", 0, 12))
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    return chain


def test_only_what_was_declared_before_decides() -> None:
    chain = small_chain()
    declare(chain, measure=replace(MEASURE, rows=2))
    chain.end_block()
    value(chain, measure=replace(MEASURE, rows=2))
    value(chain)
    assert [each.counts for each in chain.events_of(Started) if isinstance(each, Started)] == [
        *(False, False)
    ]
    for number in (0, 1):
        finish(chain, number)
    assert not chain.pallets.rewards.exists("digits.1")

    arguments = {"dataset": "digits", "measure": MEASURE, "shares": ()}
    dispatch(chain.pallets.attribution, Root(), 0, arguments)
    assert chain.events_of(Declared) == [Declared("digits", MEASURE, ())]
    chain.refuse(errors.DeclaredByChain(), ALICE, "attribution", "declare", **arguments)
    value(chain)
    value(chain)
    counts = [each.counts for each in chain.events_of(Started) if isinstance(each, Started)]
    assert counts == [True, False]
    finish(chain, 3)
    assert chain.pallets.rewards.exists("digits.1")


def test_shares_do_not_come_between_a_valuation_and_its_end() -> None:
    chain = small_chain()
    value(chain)
    shares = (Share(BOB, 1_000_000),)
    arguments = {"dataset": "digits", "measure": None, "shares": shares}
    dispatch(chain.pallets.attribution, Root(), 0, arguments)
    chain.refuse(errors.AlreadyOpen("digits.1"), BOB, "attribution", "share", snapshot=1)
    finish(chain)
    assert chain.pallets.rewards.exists("digits.1")


def test_a_sample_waits_for_a_seed_that_nobody_knew() -> None:
    chain = small_chain()
    started = chain.pallets.randomness.epoch()
    value(chain, measure=replace(MEASURE, rows=3))
    while chain.pallets.randomness.epoch() == started:
        assert chain.pallets.attribution.valuations[0].stage == Stage.WAITING
        chain.end_block()
    finish(chain)
    job = chain.pallets.attribution.valuations[0]
    assert (job.stage, job.wanted, job.seed is None) == (Stage.FINISHED, 3, False)


def test_the_price_is_known_and_paid() -> None:
    chain = small_chain()
    before = chain.pallets.balances.free(DAVE) + chain.pallets.balances.reserved(DAVE)
    value(chain)
    (started,) = (each for each in chain.events_of(Started) if isinstance(each, Started))
    finish(chain)
    after = chain.pallets.balances.free(DAVE) + chain.pallets.balances.reserved(DAVE)
    assert before - after == started.price == chain.pallets.attribution.valuations[0].paid
    refused = errors.PriceAboveLimit(f"{started.price}")
    arguments = {"snapshot": 1, "measure": MEASURE, "max_price": started.price - 1}
    chain.refuse(refused, DAVE, "attribution", "value", **arguments)


def test_a_node_without_bytes_leaves_nothing_half_done() -> None:
    chain = small_chain()
    value(chain)
    contents = dict(chain.executor.contents)
    chain.executor.contents.clear()
    for pallet in chain.pallets.by_index.values():
        pallet.on_finalize(chain.number)
    before = chain.state.changes()
    with pytest.raises(LocalFailure):
        chain.pallets.attribution.on_initialize(chain.number + 1)
    chain.executor.contents.update(contents)
    kept = {key: value for key, value in chain.state.changes().items() if key in before}
    assert chain.pallets.attribution.valuations[0].done == 0
    assert len(kept) == len(before)


EMBEDDING = replace(MEASURE, embedding=Embedding("embed", 1))


def register(chain: Chain, outputs: tuple[TensorType, ...], price: int = 1000) -> None:
    top, taken = blake2_256(b"model"), (TensorType("pixels", 1, (4, 64)),)
    chain.executor.summaries[root_over(top, 9)] = AdmissionSummary(True, (), taken, outputs, 999, 1)
    chain.make_available(CAROL, top, 9, 0)
    chain.call(
        *(CAROL, "models", "register"),
        name="embed",
        blob=root_over(top, 9),
        licence="MIT",
        lineage=Lineage(),
        policy=FeePolicy(price, 0, 1_000_000, 0, 0),
        control=Control(),
        bounds=(),
    )
    chain.end_block()


FEATURES = (TensorType("features", 1, (4, 64)),)


def scaled(root: bytes, inputs: bytes) -> Completed:
    """Give the pixels as they came, divided by 16."""
    _, pixels = decode_arrays(inputs)["pixels"]
    return Completed(encode_arrays({"features": (1, pixels / np.float32(16))}))


def test_an_embedding_that_keeps_distances_finds_the_same() -> None:
    found = []
    for measure in (MEASURE, EMBEDDING):
        chain = small_chain()
        register(chain, FEATURES)
        chain.executor.answer = scaled
        value(chain, measure=measure)
        found.append(finish(chain))
        chain.end_block()
    assert found[0] == found[1]
    # Twelve rows and eight evaluation rows, four in a run.
    assert len(chain.executor.runs) == 5
    assert chain.pallets.rewards.status(CAROL).claimable == 5 * 1000
    chain.call(CAROL, "models", "retire", name="embed", version=1)


def test_an_embedding_that_breaks_off_gives_back_what_is_left() -> None:
    chain = small_chain()
    register(chain, FEATURES)
    chain.executor.answer = lambda root, inputs: Trapped("no")
    declare(chain, measure=EMBEDDING)
    chain.end_block()
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    value(chain, snapshot=2, measure=EMBEDDING)
    finish(chain)
    job = chain.pallets.attribution.valuations[0]
    assert (job.stage, job.left, job.counts) == (Stage.FAILED, 0, True)
    assert chain.events_of(Failed) == [Failed(0, "the embedding broke off: no")]
    assert chain.pallets.balances.reserved(DAVE) == 0
    chain.executor.answer = scaled
    value(chain, snapshot=2, measure=EMBEDDING)
    finish(chain, 1)
    assert chain.pallets.rewards.exists("digits.2")


def test_an_embedding_that_gives_something_else_fails() -> None:
    chain = small_chain()
    register(chain, FEATURES)
    empty = TENSORS.encode(())
    for answer in (empty, encode_arrays({"features": (1, np.zeros((1, 64), "<f4"))}), b"\1"):
        chain.executor.answer = lambda root, inputs, answer=answer: Completed(answer)
        value(chain, measure=EMBEDDING)
    for number in range(3):
        finish(chain, number)
        assert chain.pallets.attribution.valuations[number].stage == Stage.FAILED


def test_valuations_take_turns() -> None:
    chain = small_chain(weight_per_block=5_000_000_000)
    value(chain)
    value(chain)
    turns = []
    for _ in range(4):
        chain.end_block()
        turns += [each.valuation for each in chain.events_of(Progressed)]  # type: ignore[attr-defined]
    assert turns == [0, 1, 0, 1]


def test_refusals_change_nothing() -> None:
    chain = small_chain()
    form = {"element": 2, "shape": (3,), "classes": 2, "licence": "CC0"}
    chain.call(ALICE, "data", "create_dataset", name="other", **form, distance=0, neighbours=1)
    chain.end_block()

    def declared(error: Exception, who: bytes = ALICE, **changes: Any) -> None:
        arguments = {"dataset": "digits", "measure": MEASURE, "shares": (), **changes}
        chain.refuse(error, who, "attribution", "declare", **arguments)  # type: ignore[arg-type]

    def valued(error: Exception, who: bytes = DAVE, **changes: Any) -> None:
        arguments = {"snapshot": 1, "measure": MEASURE, "max_price": NOE, **changes}
        chain.refuse(error, who, "attribution", "value", **arguments)  # type: ignore[arg-type]

    declared(errors.NotDatasetOwner(), BOB)
    declared(errors.OtherNeighbours("5 for digits"), measure=None)
    declared(errors.OtherNeighbours("5 for digits"), measure=replace(MEASURE, neighbours=4))
    declared(UnknownSnapshot("number 9"), measure=replace(MEASURE, evaluation=9))
    half = Share(BOB, 500_000)
    twice = errors.SharesDoNotAddUp("1000000 parts for 1 accounts")
    declared(twice, measure=None, shares=(half, half))
    both = errors.SharesDoNotAddUp("1000000 parts for 1 accounts")
    declared(both, shares=(Share(BOB, 1_000_000),))
    none = (Share(BOB, 1_000_000), Share(CAROL, 0))
    declared(errors.SharesDoNotAddUp("a share is zero"), measure=None, shares=none)
    valued(UnknownSnapshot("number 9"), snapshot=9)
    valued(errors.UnfitEvaluation("the rows themselves"), measure=replace(MEASURE, evaluation=1))
    for neighbours in (0, 65):
        wrong = replace(MEASURE, neighbours=neighbours)
        valued(errors.BadNeighbours(f"{neighbours}"), measure=wrong)
    for rows in (0, 9):
        valued(errors.BadRows(f"{rows} of 8"), measure=replace(MEASURE, rows=rows))
    chain.refuse(errors.NoShares("digits"), DAVE, "attribution", "share", snapshot=1)
    register(chain, (TensorType("label", 7, (4,)),))
    valued(errors.UnfitEmbedding("no output of floats has a line for each row"), measure=EMBEDDING)
    contribute(chain, BOB, "other", np.array([[1, 2, 3, 1]], np.uint8))
    chain.call(ALICE, "snapshots", "take", dataset="other")
    valued(errors.UnfitEvaluation("snapshot 0"), snapshot=2)
    chain.refuse(NotTaker(), BOB, "snapshots", "drop", snapshot=1)
    for _ in range(16):
        value(chain)
    valued(errors.QueueFull("16 valuations"))


def test_what_no_block_can_do_is_refused() -> None:
    chain = small_chain(weight_per_block=500_000_000)
    with pytest.raises(errors.TooLarge):
        value(chain)
    chain.end_block()


def test_wide_embeddings_are_refused() -> None:
    chain = small_chain()
    register(chain, (TensorType("features", 1, (4, 200_000)),))
    wide = errors.TooLarge("12 rows of 200000 numbers")
    arguments = {"snapshot": 1, "measure": EMBEDDING, "max_price": NOE}
    chain.refuse(wide, DAVE, "attribution", "value", **arguments)


def test_wrong_labels_come_out_lowest(capsys: pytest.CaptureFixture[str]) -> None:
    from runtime.pallets.attribution.neighbours import distances, orders, whole_features
    from runtime.pallets.attribution.shapley import group_sums

    right = np.concatenate([digits("bob", 0, 750), digits("carol", 0, 750)])
    rows, wrong = mislabelled(right, 5, 0.1)
    points, count = digits("unseen", 0, 297), len(rows)
    order = orders(distances(whole_features(points[:, :64]), whole_features(rows[:, :64])))
    fold = fold_of(5, count)
    values = np.zeros(count)
    for first in range(0, count, 300):
        groups = np.full(count, 300)
        groups[first : first + 300] = np.arange(300)
        sums = group_sums(order, rows[:, -1], points[:, -1], groups, 300)
        exact = fold.numerators(sums)
        values[first : first + 300] = [each / (fold.denominator * len(points)) for each in exact]

    bad, good = values[wrong], values[~wrong]
    higher = (good[:, None] > bad[None, :]).mean() + (good[:, None] == bad[None, :]).mean() / 2
    with capsys.disabled():
        print(
            f"\n{wrong.sum()} of {count} labels wrong: AUC {higher:.4f}, "
            f"mean {bad.mean():.2e} against {good.mean():.2e}"
        )
    assert higher > 0.95
    assert bad.mean() < 0 < good.mean()
