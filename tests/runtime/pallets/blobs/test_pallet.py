"""Blobs: announcements, attestations by stake, releases."""

import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.frame import DispatchError, PostInfo
from runtime.pallets.balances.pallet import InsufficientBalance
from runtime.pallets.blobs import pallet as blobs
from runtime.pallets.blobs.pallet import (
    Announced,
    Attested,
    Available,
    Blob,
    BlobStatus,
    Forgotten,
    Released,
)
from tests.support.economy import ALICE, BOB, DAVE, VALIDATORS, Chain

TOP = b"\1" * 32
ROOT, OTHER = root_over(TOP, 1000), b"\2" * 32
DEPOSIT = NOE // 100 + 1000 * NOE // 1_000_000


@pytest.fixture
def chain() -> Chain:
    return Chain()


def announce(chain: Chain, who: bytes = ALICE, length: int = 1000) -> None:
    chain.call(who, "blobs", "announce", top=TOP, length=length, kind=0)


def attest(chain: Chain, validators: tuple[bytes, ...]) -> None:
    for validator in validators:
        chain.call(validator, "blobs", "attest", root=ROOT)


def test_announcing_sets_a_deposit_aside(chain: Chain) -> None:
    announce(chain)

    assert chain.pallets.balances.reserved(ALICE) == DEPOSIT
    assert chain.events_of(Announced) == [Announced(ROOT, ALICE, 1000, 0, DEPOSIT)]
    assert chain.pallets.blobs.status(ROOT) == BlobStatus(Blob(1000, 1), (), 0, 400)
    chain.end_block()


def test_more_than_two_thirds_of_the_stake_make_a_blob_available(chain: Chain) -> None:
    announce(chain)

    attest(chain, VALIDATORS[:2])
    assert not chain.pallets.blobs.is_available(ROOT)
    attest(chain, VALIDATORS[2:3])

    assert chain.pallets.blobs.is_available(ROOT)
    assert chain.events_of(Attested, Available) == [
        *(Attested(ROOT, validator) for validator in VALIDATORS[:3]),
        Available(ROOT),
    ]
    assert chain.pallets.blobs.status(ROOT) == BlobStatus(
        Blob(1000, 1, available_since=1), VALIDATORS[:3], 300, 400
    )
    chain.end_block()


def test_an_attestation_is_free_and_may_come_late(chain: Chain) -> None:
    announce(chain)
    attest(chain, VALIDATORS[:3])
    chain.end_block()

    post = chain.call(VALIDATORS[3], "blobs", "attest", root=ROOT)

    assert post == PostInfo(pays_fee=False)
    assert chain.events_of(Attested, Available) == [Attested(ROOT, VALIDATORS[3])]
    assert chain.pallets.blobs.blobs[ROOT] == Blob(1000, 1, available_since=1)


def test_former_validators_leave_the_list_of_attesters(chain: Chain) -> None:
    announce(chain)
    former = tuple(number.to_bytes(32, "big") for number in range(blobs.ATTESTERS_MAX))
    chain.pallets.blobs.attesters[ROOT] = former

    attest(chain, VALIDATORS[:1])

    assert chain.pallets.blobs.attesters[ROOT] == VALIDATORS[:1]
    chain.end_block()


def test_a_release_gives_the_deposit_back_and_forgets_the_blob(chain: Chain) -> None:
    before = chain.pallets.balances.free(ALICE)
    announce(chain)
    attest(chain, VALIDATORS[:1])

    chain.call(ALICE, "blobs", "release", root=ROOT)

    assert chain.pallets.balances.free(ALICE) == before
    assert chain.pallets.blobs.status(ROOT) is None
    assert chain.events_of(Released, Forgotten) == [
        Released(ROOT, ALICE, DEPOSIT),
        Forgotten(ROOT),
    ]
    chain.end_block()


def test_a_blob_stands_as_long_as_one_account_wants_it(chain: Chain) -> None:
    announce(chain, ALICE)
    announce(chain, BOB)
    attest(chain, VALIDATORS[:3])

    chain.call(ALICE, "blobs", "release", root=ROOT)

    assert chain.events_of(Released, Forgotten) == [Released(ROOT, ALICE, DEPOSIT)]
    assert chain.pallets.blobs.is_available(ROOT)
    assert chain.pallets.blobs.blobs[ROOT].announcements == 1
    chain.end_block()


@pytest.mark.parametrize(
    ("length", "kind", "error"),
    [
        (0, 0, blobs.EmptyBlob()),
        (2**28 + 1, 0, blobs.BlobTooLong("268435457 bytes, at most 268435456")),
        (1000, 3, blobs.UnknownKind("kind 3")),
        (1000, 0, InsufficientBalance("1000000000 < 11000000000")),
    ],
)
def test_a_refused_announcement_changes_nothing(
    chain: Chain, length: int, kind: int, error: DispatchError
) -> None:
    chain.call(DAVE, "balances", "transfer_all", dest=ALICE, keep_alive=True)
    chain.refuse(error, DAVE, "blobs", "announce", top=TOP, length=length, kind=kind)


def test_nobody_announces_a_blob_twice(chain: Chain) -> None:
    announce(chain)

    chain.refuse(blobs.AlreadyAnnounced(), ALICE, "blobs", "announce", top=TOP, length=1000, kind=0)


def test_a_wrong_length_is_another_blob_and_in_nobodys_way(chain: Chain) -> None:
    announce(chain, BOB, length=999)
    announce(chain, ALICE)
    attest(chain, VALIDATORS[:3])

    assert chain.pallets.blobs.blobs[ROOT] == Blob(1000, 1, available_since=1)
    assert chain.pallets.blobs.blobs[root_over(TOP, 999)] == Blob(999, 1)
    chain.end_block()


def test_refused_attestations(chain: Chain) -> None:
    chain.refuse(blobs.UnknownBlob(ROOT.hex()), VALIDATORS[0], "blobs", "attest", root=ROOT)
    announce(chain)
    chain.refuse(blobs.NotValidator(), ALICE, "blobs", "attest", root=ROOT)
    attest(chain, VALIDATORS[:1])
    chain.refuse(blobs.AlreadyAttested(), VALIDATORS[0], "blobs", "attest", root=ROOT)


def test_refused_releases(chain: Chain) -> None:
    chain.refuse(blobs.UnknownBlob(ROOT.hex()), ALICE, "blobs", "release", root=ROOT)
    announce(chain)
    chain.refuse(blobs.NotAnnounced(ROOT.hex()), BOB, "blobs", "release", root=ROOT)
    chain.pallets.blobs.use(ROOT, ALICE, 0)
    chain.refuse(blobs.BlobInUse("1 uses"), ALICE, "blobs", "release", root=ROOT)
    chain.pallets.blobs.unuse(ROOT, ALICE)
    chain.call(ALICE, "blobs", "release", root=ROOT)


def test_a_blob_is_used_by_who_announced_it_as_what_it_is(chain: Chain) -> None:
    announce(chain)

    assert chain.pallets.blobs.use(ROOT, ALICE, 0) == 1000
    for who, kind, error in (
        (BOB, 0, blobs.NotAnnounced(ROOT.hex())),
        (ALICE, 1, blobs.WrongKind("0, not 1")),
    ):
        with pytest.raises(type(error)) as refusal:
            chain.pallets.blobs.use(ROOT, who, kind)
        assert refusal.value == error
    with pytest.raises(blobs.UnknownBlob):
        chain.pallets.blobs.use(OTHER, ALICE, 0)


def test_what_every_node_made_itself_is_available_at_once(chain: Chain) -> None:
    chain.pallets.blobs.provide(ROOT, 1000, ALICE, 0)

    assert chain.pallets.blobs.deposit_of(1000) == DEPOSIT == chain.pallets.balances.reserved(ALICE)
    assert chain.events_of(Announced, Available) == [
        Announced(ROOT, ALICE, 1000, 0, DEPOSIT),
        Available(ROOT),
    ]
    assert chain.pallets.blobs.use(ROOT, ALICE, 0) == 1000
    chain.end_block()


def test_an_announcement_of_before_stands_when_content_is_provided(chain: Chain) -> None:
    announce(chain)
    announce(chain, BOB)
    chain.pallets.blobs.provide(ROOT, 1000, ALICE, 0)
    chain.pallets.blobs.provide(ROOT, 1000, ALICE, 0)

    assert chain.pallets.balances.reserved(ALICE) == DEPOSIT
    status = chain.pallets.blobs.status(ROOT)
    assert status == BlobStatus(Blob(1000, 2, available_since=1), (), 0, 400)
    assert chain.events_of(Available) == [Available(ROOT)]
    chain.end_block()
