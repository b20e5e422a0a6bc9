"""Data: rows count once, for whoever promised them first; consent can be withdrawn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import RuntimeConfig
from runtime.frame import DispatchError
from runtime.frame.ports import LocalFailure
from runtime.frame.rows import rows_root
from runtime.frame.snapshots import ROWS_PER_RECORD_MAX, Part, RowForm
from runtime.pallets.blobs.pallet import BlobInUse, NotAnnounced, WrongKind
from runtime.pallets.data import DatasetStatus, Standing, errors, events
from runtime.pallets.data.pallet import SAME_BLOB_MAX, SHOWN_MAX
from runtime.pallets.data.stored import Dataset, Record
from runtime.pallets.rewards.pallet import RewardStatus
from tests.support.economy import ALICE, BOB, CAROL, MALLORY, QUIET, VALIDATORS, Chain

WIDTH = 5
FEE = QUIET.data.row_fee


def config(**changes: Any) -> RuntimeConfig:
    return replace(QUIET, data=replace(QUIET.data, **{"waiting_blocks": 3, **changes}))


def rows(*numbers: int) -> bytes:
    """Give rows of four features and a label, told apart by their numbers."""
    return b"".join(bytes((number, 1, 2, 3, number % 10)) for number in numbers)


CONTENT = rows(1, 2, 3)
TOP = b"\1" * 32
BLOB = root_over(TOP, len(CONTENT))


@pytest.fixture
def chain() -> Chain:
    chain = Chain(config())
    chain.call(ALICE, "data", "create_dataset", **form())
    return chain


def form(**changes: Any) -> dict[str, Any]:
    digits = {"name": "digits", "element": 2, "shape": (4,), "classes": 10, "licence": "CC0"}
    return {**digits, "distance": 0, "neighbours": 0, **changes}


def record(content: bytes = CONTENT, top: bytes = TOP, **changes: Any) -> dict[str, Any]:
    promised = {
        "dataset": "digits",
        "blob": root_over(top, len(content)),
        "rows": len(content) // WIDTH,
        "rows_root": rows_root(content, WIDTH),
    }
    return {**promised, **changes}


def announce(chain: Chain, who: bytes, content: bytes = CONTENT, top: bytes = TOP) -> None:
    chain.call(who, "blobs", "announce", top=top, length=len(content), kind=1)


def upload(chain: Chain, content: bytes = CONTENT, top: bytes = TOP) -> None:
    """Let the bytes come, and three of four validators say that they have them."""
    root = root_over(top, len(content))
    chain.executor.contents[root] = content
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=root)


def promise(chain: Chain, who: bytes, content: bytes = CONTENT, top: bytes = TOP) -> None:
    announce(chain, who, content, top)
    chain.call(who, "data", "contribute", **record(content, top))


def contribute(chain: Chain, who: bytes, content: bytes = CONTENT, top: bytes = TOP) -> list[Any]:
    promise(chain, who, content, top)
    upload(chain, content, top)
    return data_events([*chain.end_block(), *chain.state.events])


def data_events(happened: list[Any]) -> list[Any]:
    found = [each for each in happened if type(each).__module__ == events.__name__]
    return list(dict.fromkeys(found))


def units(chain: Chain, who: bytes) -> int:
    share = chain.pallets.rewards.shares.find((who, "digits"))
    return share.units if share else 0


def test_rows_count_when_their_bytes_were_checked(chain: Chain) -> None:
    promise(chain, BOB)
    assert data_events(chain.end_block())[1:] == [events.Contributed("digits", 0, BOB, BLOB, 3)]
    assert units(chain, BOB) == 0

    upload(chain)
    assert data_events(chain.end_block()) == [events.Counted("digits", 0, BOB, 3)]

    assert units(chain, BOB) == 3
    deposit = NOE // 10
    promised = rows_root(CONTENT, WIDTH)
    assert chain.pallets.data.status("digits") == DatasetStatus(
        Dataset(ALICE, 2, (4,), 10, "CC0", 0, 0, 1, NOE, records=1, rows=3),
        ((0, Record(BOB, BLOB, 3, promised, 1, deposit, Standing.COUNTED)),),
    )
    assert chain.pallets.data.parts("digits") == (Part(0, BOB, BLOB, 3, ()),)
    assert chain.pallets.data.form("digits") == RowForm(2, (4,), 10)


def test_rows_cost_a_fee_each_and_a_deposit(chain: Chain) -> None:
    announce(chain, BOB)
    before = chain.pallets.balances.free(BOB)
    chain.call(BOB, "data", "contribute", **record())
    assert chain.pallets.balances.free(BOB) == before - 3 * FEE - NOE // 10


def test_who_sees_the_bytes_and_copies_them_earns_nothing(chain: Chain) -> None:
    promise(chain, BOB)
    copy = b"\2" * 32
    promise(chain, MALLORY, CONTENT, copy)
    upload(chain, CONTENT, copy)
    chain.end_block()
    assert (units(chain, BOB), units(chain, MALLORY)) == (0, 3)

    upload(chain)
    happened = data_events([*chain.end_block(), *chain.state.events])

    assert happened == [
        events.RowsMoved("digits", 1, 3),
        events.Counted("digits", 0, BOB, 3),
    ]
    assert (units(chain, BOB), units(chain, MALLORY)) == (3, 0)
    assert chain.pallets.data.records["digits", 1].left_out == (0, 1, 2)
    chain.end_block()


def test_rows_given_before_are_left_out(chain: Chain) -> None:
    contribute(chain, BOB, rows(1, 2, 3))
    second = rows(7, 2, 7, 8)
    happened = contribute(chain, CAROL, second, b"\2" * 32)

    assert happened[-1] == events.Counted("digits", 1, CAROL, 2)
    assert chain.pallets.data.records["digits", 1].left_out == (1, 2)
    repeated = contribute(chain, CAROL, rows(8, 1), b"\3" * 32)
    assert repeated[-1] == events.Rejected("digits", 2, "every row was given before")
    assert units(chain, CAROL) == 2
    chain.end_block()


def test_withdrawing_and_giving_again_gains_nothing(chain: Chain) -> None:
    contribute(chain, BOB)
    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)
    assert contribute(chain, CAROL, rows(1, 2), b"\2" * 32)[-1] == events.Rejected(
        "digits", 1, "every row was given before"
    )
    happened = contribute(chain, BOB, rows(1, 2), b"\3" * 32)
    assert happened[-1] == events.Counted("digits", 2, BOB, 2)
    assert units(chain, BOB) == 2
    chain.end_block()


BAD = [
    (form(), rows(1, 2)[:-1] + b"\x0a", "row 1 has a label beyond the 10 classes"),
    (
        form(element=9, shape=(4,)),
        b"\0\1\0\1\0\2\0\0\0\0",
        "row 1 has a bool that is neither 0 nor 1",
    ),
    (
        form(element=1, shape=(1,)),
        np.array([1.5], "<f4").tobytes() + b"\0" + np.array([np.nan], "<f4").tobytes() + b"\0",
        "row 1 has a number that is not finite",
    ),
]


@pytest.mark.parametrize(("shape", "content", "reason"), BAD)
def test_bytes_that_are_no_rows_are_rejected(
    shape: dict[str, Any], content: bytes, reason: str
) -> None:
    chain = Chain(config())
    chain.call(ALICE, "data", "create_dataset", **shape)
    assert contribute(chain, BOB, content)[-1] == events.Rejected("digits", 0, reason)
    found = chain.pallets.data.records["digits", 0]
    assert (found.standing, found.deposit, found.reason) == (Standing.REJECTED, 0, reason)
    chain.call(BOB, "blobs", "release", root=root_over(TOP, len(content)))
    assert chain.pallets.balances.reserved(BOB) == 0
    chain.end_block()


def test_other_rows_than_promised_are_rejected(chain: Chain) -> None:
    announce(chain, BOB)
    chain.call(BOB, "data", "contribute", **record(rows_root=b"\7" * 32))
    upload(chain)
    happened = data_events([*chain.end_block(), *chain.state.events])
    reason = "the rows have another root than was promised"
    assert happened[-1] == events.Rejected("digits", 0, reason)


def test_bytes_that_are_missing_here_are_no_verdict(chain: Chain) -> None:
    promise(chain, BOB)
    upload(chain)
    content = chain.executor.contents.pop(BLOB)
    with pytest.raises(LocalFailure):
        chain.end_block()
    chain.executor.contents[BLOB] = content


def test_large_records_wait_for_their_turn() -> None:
    chain = Chain(config(rows_per_block=4))
    chain.call(ALICE, "data", "create_dataset", **form())
    for number in range(3):
        promise(chain, BOB, rows(*range(10 * number, 10 * number + 3)), bytes([9, number] * 16))
    for number in range(3):
        upload(chain, rows(*range(10 * number, 10 * number + 3)), bytes([9, number] * 16))
    counted = [units(chain, BOB)]
    for _ in range(4):
        chain.end_block()
        counted.append(units(chain, BOB))
    assert counted == [0, 3, 6, 9, 9]


def test_withdrawn_consent_frees_rows_blob_and_deposit(chain: Chain) -> None:
    before = chain.pallets.balances.free(BOB)
    contribute(chain, BOB)
    chain.refuse(BlobInUse("1 uses"), BOB, "blobs", "release", root=BLOB)

    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)
    chain.call(BOB, "blobs", "release", root=BLOB)

    assert chain.pallets.balances.free(BOB) == before - 3 * FEE
    assert chain.pallets.rewards.units("digits") == 0
    assert chain.pallets.rewards.status(BOB) == RewardStatus(0, (), 0)
    assert chain.events_of(events.ConsentWithdrawn) == [events.ConsentWithdrawn("digits", 0)]
    chain.end_block()


def test_consent_can_be_withdrawn_before_the_bytes_came(chain: Chain) -> None:
    promise(chain, BOB)

    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)

    assert chain.pallets.data.waiting[BLOB] == ()
    chain.refuse(
        errors.NothingToWithdraw("withdrawn"),
        *(BOB, "data", "withdraw_consent"),
        dataset="digits",
        record=0,
    )
    upload(chain)
    for _ in range(4):
        chain.end_block()
    assert chain.pallets.data.records["digits", 0].standing == Standing.WITHDRAWN


def test_a_record_whose_bytes_do_not_come_expires(chain: Chain) -> None:
    promise(chain, BOB)
    happened: list[Any] = []
    for _ in range(3):
        happened += chain.end_block()
    assert events.Expired("digits", 0) in happened

    assert chain.pallets.data.records["digits", 0].standing == Standing.EXPIRED
    chain.call(BOB, "blobs", "release", root=BLOB)
    assert chain.pallets.balances.reserved(BOB) == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "Digits!"}, errors.BadName("'Digits!'")),
        ({"name": "digits"}, errors.NameTaken("digits")),
        ({"licence": ""}, errors.BadLicence()),
        ({"element": 8}, errors.UnknownElement("number 8")),
        ({"shape": (8, 0)}, errors.BadShape("a dimension is zero")),
        (
            {"shape": (1024, 1025)},
            errors.BadShape("1049601 bytes a row, at most 1048576"),
        ),
    ],
)
def test_a_refused_dataset_changes_nothing(
    chain: Chain, changes: dict[str, Any], error: DispatchError
) -> None:
    arguments = form(**{"name": "other", **changes})
    chain.refuse(error, BOB, "data", "create_dataset", **arguments)


THIRD, FOURTH, FIFTH = (root_over(bytes((each,)) * 32, len(CONTENT)) for each in (3, 4, 5))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dataset": "none"}, errors.UnknownDataset("'none'")),
        ({"rows": 0}, errors.NoRows()),
        ({"rows": 4}, errors.RowsDoNotFit("4 rows of 5 bytes are not 15 bytes")),
        (
            {"rows": ROWS_PER_RECORD_MAX + 1},
            errors.TooManyRows(f"{ROWS_PER_RECORD_MAX + 1} rows, at most {ROWS_PER_RECORD_MAX}"),
        ),
        ({"blob": THIRD}, errors.DuplicateRecord("record 0")),
        ({"blob": FOURTH}, WrongKind("0, not 1")),
        ({"blob": FIFTH}, NotAnnounced(FIFTH.hex())),
    ],
)
def test_a_refused_contribution_changes_nothing(
    chain: Chain, changes: dict[str, Any], error: DispatchError
) -> None:
    announce(chain, BOB)
    promise(chain, CAROL, top=b"\3" * 32)
    announce(chain, BOB, top=b"\3" * 32)
    chain.call(BOB, "blobs", "announce", top=b"\4" * 32, length=len(CONTENT), kind=0)
    announce(chain, CAROL, top=b"\5" * 32)
    chain.refuse(error, BOB, "data", "contribute", **record(**changes))


def test_refused_withdrawals(chain: Chain) -> None:
    contribute(chain, BOB)
    call = ("data", "withdraw_consent")
    chain.refuse(errors.UnknownDataset("'none'"), BOB, *call, dataset="none", record=0)
    chain.refuse(errors.UnknownRecord("digits record 1"), BOB, *call, dataset="digits", record=1)
    chain.refuse(errors.NotContributor(), MALLORY, *call, dataset="digits", record=0)
    assert chain.pallets.data.status("none") is None


def test_records_that_wait_for_the_same_bytes_are_bounded(chain: Chain) -> None:
    announce(chain, BOB)
    for number in range(SAME_BLOB_MAX + 1):
        chain.call(ALICE, "data", "create_dataset", **form(name=f"digits-{number}"))
        if number < SAME_BLOB_MAX:
            chain.call(BOB, "data", "contribute", **record(dataset=f"digits-{number}"))
    full = errors.QueueFull("16 records wait for the same bytes")
    chain.refuse(full, BOB, "data", "contribute", **record(dataset=f"digits-{SAME_BLOB_MAX}"))


def test_records_are_shown_in_pages(chain: Chain) -> None:
    for number in range(SHOWN_MAX + 2):
        promise(chain, BOB, CONTENT, number.to_bytes(32, "big"))
    status = chain.pallets.data.status("digits", first=SHOWN_MAX + 1)
    assert status is not None
    assert [number for number, _ in status.records] == [SHOWN_MAX + 1]
    shown = chain.pallets.data.status("digits")
    assert shown is not None
    assert len(shown.records) == SHOWN_MAX


PEOPLE = (BOB, CAROL, MALLORY)
RECORDS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.lists(st.integers(0, 9), min_size=1, max_size=4)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(RECORDS, st.randoms(use_true_random=False))
def test_each_row_is_the_first_ones_whatever_comes_first(
    given_rows: list[tuple[bytes, list[int]]], order: Any
) -> None:
    chain = Chain(config(waiting_blocks=50))
    chain.call(ALICE, "data", "create_dataset", **form())
    contents = [rows(*numbers) for _, numbers in given_rows]
    for number, (who, _) in enumerate(given_rows):
        promise(chain, who, contents[number], bytes([number + 1]) * 32)
    arrivals = list(range(len(contents)))
    order.shuffle(arrivals)
    for number in arrivals:
        upload(chain, contents[number], bytes([number + 1]) * 32)
        if order.random() < 0.5:
            chain.end_block()
    for _ in range(2):
        chain.end_block()

    seen: dict[int, bytes] = {}
    for who, numbers in given_rows:
        for number in numbers:
            seen.setdefault(number, who)
    for who in PEOPLE:
        assert units(chain, who) == sum(1 for owner in seen.values() if owner == who)
