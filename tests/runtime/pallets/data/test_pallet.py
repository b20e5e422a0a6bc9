"""Data: records that count when their bytes are there, and consent that can be withdrawn."""

from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG
from runtime.frame import DispatchError
from runtime.frame.rows import rows_root
from runtime.pallets.blobs.pallet import BlobInUse, NotAnnounced, WrongKind
from runtime.pallets.data import DatasetStatus, Standing, errors, events
from runtime.pallets.data.pallet import SHOWN_MAX, WAITING_MAX
from runtime.pallets.data.stored import Dataset, Record
from runtime.pallets.rewards.pallet import RewardStatus
from tests.support.economy import ALICE, BOB, CAROL, MALLORY, VALIDATORS, Chain

ROWS = 3
CONTENT = bytes(range(195))
TOP, OTHER = b"\1" * 32, b"\2" * 32
BLOB = root_over(TOP, len(CONTENT))
THIRD, FOURTH, FIFTH = (root_over(bytes((each,)) * 32, len(CONTENT)) for each in (3, 4, 5))
ROOT = rows_root(CONTENT, 65)


@pytest.fixture
def chain() -> Chain:
    chain = Chain(replace(CONFIG, data=replace(CONFIG.data, waiting_blocks=3)))
    chain.call(ALICE, "data", "create_dataset", **form())
    return chain


def form(**changes: Any) -> dict[str, Any]:
    digits = {"name": "digits", "element": 2, "shape": (64,), "classes": 10, "licence": "CC0"}
    return {**digits, **changes}


def record(**changes: Any) -> dict[str, Any]:
    return {"dataset": "digits", "blob": BLOB, "rows": ROWS, "rows_root": ROOT, **changes}


def announce(chain: Chain, who: bytes, top: bytes = TOP, kind: int = 1) -> None:
    chain.call(who, "blobs", "announce", top=top, length=len(CONTENT), kind=kind)


def contribute(chain: Chain, who: bytes, top: bytes = TOP) -> None:
    chain.make_available(who, top, len(CONTENT), 1)
    chain.call(who, "data", "contribute", **record(blob=root_over(top, len(CONTENT))))


def data_events(happened: list[Any]) -> list[Any]:
    return [each for each in happened if type(each).__module__ == events.__name__]


def test_rows_count_when_their_bytes_are_there(chain: Chain) -> None:
    announce(chain, BOB)
    chain.call(BOB, "data", "contribute", **record())
    assert data_events(chain.end_block())[1:] == [events.Contributed("digits", 0, BOB, BLOB, ROWS)]
    assert chain.pallets.rewards.units("digits") == 0

    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=BLOB)
    assert data_events(chain.end_block()) == [events.Counted("digits", 0, BOB, ROWS)]

    assert chain.pallets.rewards.units("digits") == ROWS
    assert chain.pallets.data.status("digits") == DatasetStatus(
        Dataset(ALICE, 2, (64,), 10, "CC0", 1, NOE, records=1, rows=ROWS),
        ((0, Record(BOB, BLOB, ROWS, ROOT, 1, NOE // 10, Standing.COUNTED)),),
    )


def test_rows_whose_bytes_are_there_count_at_once(chain: Chain) -> None:
    contribute(chain, BOB)

    assert chain.events_of(events.Contributed, events.Counted) == [
        events.Contributed("digits", 0, BOB, BLOB, ROWS),
        events.Counted("digits", 0, BOB, ROWS),
    ]
    chain.end_block()


def test_withdrawn_consent_frees_rows_blob_and_deposit(chain: Chain) -> None:
    before = chain.pallets.balances.free(BOB)
    contribute(chain, BOB)
    chain.refuse(BlobInUse("1 uses"), BOB, "blobs", "release", root=BLOB)

    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)
    chain.call(BOB, "blobs", "release", root=BLOB)

    assert chain.pallets.balances.free(BOB) == before
    assert chain.pallets.rewards.units("digits") == 0
    assert chain.pallets.rewards.status(BOB) == RewardStatus(0, (), 0)
    assert chain.events_of(events.ConsentWithdrawn) == [events.ConsentWithdrawn("digits", 0)]
    chain.end_block()
    contribute(chain, CAROL)
    chain.end_block()


def test_consent_can_be_withdrawn_before_the_bytes_came(chain: Chain) -> None:
    announce(chain, BOB)
    chain.call(BOB, "data", "contribute", **record())

    chain.call(BOB, "data", "withdraw_consent", dataset="digits", record=0)

    assert chain.pallets.data.waiting.get() == ()
    chain.refuse(
        errors.NothingToWithdraw("withdrawn"),
        *(BOB, "data", "withdraw_consent"),
        dataset="digits",
        record=0,
    )
    chain.end_block()


def test_a_record_whose_bytes_do_not_come_expires(chain: Chain) -> None:
    announce(chain, BOB)
    chain.call(BOB, "data", "contribute", **record())
    chain.end_block()
    for _ in range(2):
        assert data_events(chain.end_block()) == []

    assert data_events(chain.end_block()) == [events.Expired("digits", 0)]

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


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dataset": "none"}, errors.UnknownDataset("'none'")),
        ({"rows": 0}, errors.NoRows()),
        ({"rows": 4}, errors.RowsDoNotFit("4 rows of 65 bytes are not 195 bytes")),
        ({"blob": THIRD}, errors.DuplicateRecord("record 0")),
        ({"blob": FOURTH}, WrongKind("0, not 1")),
        ({"blob": FIFTH}, NotAnnounced(FIFTH.hex())),
    ],
)
def test_a_refused_contribution_changes_nothing(
    chain: Chain, changes: dict[str, Any], error: DispatchError
) -> None:
    announce(chain, BOB)
    contribute(chain, CAROL, b"\3" * 32)
    announce(chain, BOB, b"\3" * 32)
    announce(chain, BOB, b"\4" * 32, kind=0)
    announce(chain, CAROL, b"\5" * 32)
    chain.refuse(error, BOB, "data", "contribute", **record(**changes))


def test_refused_withdrawals(chain: Chain) -> None:
    contribute(chain, BOB)
    call = ("data", "withdraw_consent")
    chain.refuse(errors.UnknownDataset("'none'"), BOB, *call, dataset="none", record=0)
    chain.refuse(errors.UnknownRecord("digits record 1"), BOB, *call, dataset="digits", record=1)
    chain.refuse(errors.NotContributor(), MALLORY, *call, dataset="digits", record=0)
    assert chain.pallets.data.status("none") is None


def test_a_full_queue_refuses_only_those_whose_bytes_are_not_there(chain: Chain) -> None:
    for number in range(WAITING_MAX + 1):
        top = number.to_bytes(32, "big")
        blob = root_over(top, len(CONTENT))
        announce(chain, BOB, top)
        if number < WAITING_MAX:
            chain.call(BOB, "data", "contribute", **record(blob=blob))
    chain.refuse(errors.QueueFull("256 records"), BOB, "data", "contribute", **record(blob=blob))
    contribute(chain, CAROL, OTHER)

    status = chain.pallets.data.status("digits", first=WAITING_MAX - 1)
    assert status is not None
    assert [number for number, _ in status.records] == [WAITING_MAX - 1, WAITING_MAX]
    shown = chain.pallets.data.status("digits")
    assert shown is not None
    assert len(shown.records) == SHOWN_MAX
