"""Snapshots: they never change, they keep their bytes, and they go only when nobody needs them."""

import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.frame.rows import rows_root
from runtime.frame.snapshots import Part, RowForm, Snapshot, SnapshotRows
from runtime.pallets.data import errors as data_errors
from runtime.pallets.snapshots.pallet import (
    Dropped,
    NoRecords,
    NotTaker,
    SnapshotInUse,
    StoredSnapshot,
    Taken,
    UnknownSnapshot,
)
from tests.support.economy import ALICE, BOB, CAROL, QUIET, VALIDATORS, Chain

FORM = {"element": 2, "shape": (1,), "classes": 0, "licence": "CC0", "distance": 9, "neighbours": 5}
TOPS = (b"\1" * 32, b"\2" * 32)
CONTENTS = (b"\1\2\3", b"\3\4\5\6")
BLOBS = tuple(root_over(top, len(each)) for top, each in zip(TOPS, CONTENTS, strict=True))


@pytest.fixture
def chain() -> Chain:
    chain = Chain(QUIET)
    chain.call(ALICE, "data", "create_dataset", name="digits", **FORM)
    for who, top, content, blob in zip((BOB, CAROL), TOPS, CONTENTS, BLOBS, strict=True):
        chain.executor.contents[blob] = content
        chain.call(who, "blobs", "announce", top=top, length=len(content), kind=1)
        chain.call(
            *(who, "data", "contribute"),
            dataset="digits",
            blob=blob,
            rows=len(content),
            rows_root=rows_root(content, 1),
        )
        for validator in VALIDATORS[:3]:
            chain.call(validator, "blobs", "attest", root=blob)
    chain.end_block()
    return chain


def test_a_snapshot_holds_what_counts_now(chain: Chain) -> None:
    parts = (Part(0, BOB, BLOBS[0], 3, ()), Part(1, CAROL, BLOBS[1], 4, (0,)))
    chain.call(ALICE, "snapshots", "take", dataset="digits")

    deposit = 2 * NOE // 100 + 7 * NOE // 1_000_000
    assert chain.events_of(Taken) == [Taken(0, "digits", ALICE, 6)]
    stored = StoredSnapshot("digits", ALICE, chain.number, deposit, parts)
    assert chain.pallets.snapshots.taken(0) == stored
    snapshot = chain.pallets.snapshots.snapshot(0)
    assert snapshot == Snapshot(0, "digits", RowForm(2, (1,), 0), parts)
    features, _ = SnapshotRows(snapshot, chain.executor).all()
    assert features.reshape(-1).tolist() == [1, 2, 3, 4, 5, 6]
    chain.end_block()


def test_withdrawn_and_released_rows_stay_in_old_snapshots_only(chain: Chain) -> None:
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    before = chain.pallets.snapshots.snapshot(0)

    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)
    chain.call(BOB, "blobs", "release", root=BLOBS[0])
    chain.call(ALICE, "snapshots", "take", dataset="digits")

    assert chain.pallets.snapshots.snapshot(0) == before
    assert chain.pallets.blobs.is_available(BLOBS[0])
    assert [part.record for part in chain.pallets.snapshots.snapshot(1).parts] == [1]
    chain.end_block()
    chain.call(ALICE, "snapshots", "drop", snapshot=0)
    assert not chain.pallets.blobs.is_available(BLOBS[0])
    chain.end_block()


def test_a_snapshot_goes_when_nobody_needs_it(chain: Chain) -> None:
    reserved = chain.pallets.balances.reserved(ALICE)
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    chain.pallets.snapshots.use_snapshot(0)
    chain.refuse(SnapshotInUse("1 uses"), ALICE, "snapshots", "drop", snapshot=0)
    chain.pallets.snapshots.unuse_snapshot(0)
    chain.refuse(NotTaker(), BOB, "snapshots", "drop", snapshot=0)

    chain.call(ALICE, "snapshots", "drop", snapshot=0)

    assert chain.events_of(Dropped) == [Dropped(0)]
    assert chain.pallets.balances.reserved(ALICE) == reserved
    assert chain.pallets.snapshots.taken(0) is None
    chain.end_block()
    chain.call(BOB, "snapshots", "take", dataset="digits")
    assert chain.pallets.snapshots.snapshot(1).rows == 6


def test_refusals_change_nothing(chain: Chain) -> None:
    unknown = data_errors.UnknownDataset("'letters'")
    chain.refuse(unknown, ALICE, "snapshots", "take", dataset="letters")
    chain.call(ALICE, "data", "create_dataset", name="letters", **FORM)
    chain.refuse(NoRecords("letters"), ALICE, "snapshots", "take", dataset="letters")
    chain.refuse(UnknownSnapshot("number 0"), ALICE, "snapshots", "drop", snapshot=0)
    with pytest.raises(UnknownSnapshot):
        chain.pallets.snapshots.snapshot(0)
    with pytest.raises(UnknownSnapshot):
        chain.pallets.snapshots.use_snapshot(0)


def test_weights_grow_with_the_records(chain: Chain) -> None:
    take, drop = chain.pallets.snapshots.calls.values()
    pallet = chain.pallets.snapshots
    assert take.weigh(pallet, ("digits",)) - take.weigh(pallet, ("none",)) == 2 * 20_000_000
    assert drop.weigh(pallet, (0,)) == take.weigh(pallet, ("none",))
