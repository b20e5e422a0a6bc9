"""Certificates: what proves a quorum, and everything that does not."""

from dataclasses import replace

import pytest

from consensus.core.certificate import (
    InvalidCertificate,
    certificate_hash,
    check_certificate,
)
from consensus.core.messages import Certificate, Kind
from tests.support.consensus_cast import (
    FOUR,
    GENESIS,
    V,
    W,
    signed_certificate,
    validators,
)

GOOD = signed_certificate(Kind.PRECOMMIT, (2, 0, 3), V)


def test_good_certificate_is_accepted() -> None:
    check_certificate(GOOD, GENESIS, FOUR)

    assert [entry.place for entry in GOOD.entries] == [0, 2, 3]
    assert GOOD.is_commit
    assert not signed_certificate(Kind.PREVOTE, (0, 1, 2), V).is_commit
    assert not signed_certificate(Kind.PRECOMMIT, (0, 1, 2), None).is_commit


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (replace(GOOD, entries=GOOD.entries[:2]), "no two thirds of the power"),
        (replace(GOOD, entries=()), "no two thirds of the power"),
        (replace(GOOD, entries=GOOD.entries[:2] * 2), "validators do not ascend"),
        (replace(GOOD, entries=GOOD.entries[::-1]), "validators do not ascend"),
        (replace(GOOD, block_hash=W), "signature of validator 0"),
        (replace(GOOD, block_hash=None), "signature of validator 0"),
        (replace(GOOD, round=1), "signature of validator 0"),
        (replace(GOOD, height=2), "signature of validator 0"),
        (replace(GOOD, kind=Kind.PREVOTE), "signature of validator 0"),
        (
            replace(GOOD, entries=(*GOOD.entries[:2], replace(GOOD.entries[2], place=4))),
            "no validator 4",
        ),
        (
            replace(GOOD, entries=(*GOOD.entries[:2], replace(GOOD.entries[2], valid_round=0))),
            "a precommit with a valid round",
        ),
    ],
)
def test_refused_certificates(bad: Certificate, reason: str) -> None:
    with pytest.raises(InvalidCertificate, match=reason):
        check_certificate(bad, GENESIS, FOUR)


def test_certificate_of_another_chain_is_refused() -> None:
    with pytest.raises(InvalidCertificate, match="signature of validator 0"):
        check_certificate(GOOD, W, FOUR)


def test_power_counts_not_heads() -> None:
    heavy = validators(7, 1, 1, 1)
    check_certificate(signed_certificate(Kind.PRECOMMIT, (0,), V, among=heavy), GENESIS, heavy)
    with pytest.raises(InvalidCertificate, match="no two thirds of the power"):
        check_certificate(
            signed_certificate(Kind.PRECOMMIT, (1, 2, 3), V, among=heavy), GENESIS, heavy
        )


def test_hash_names_the_certificate() -> None:
    other = signed_certificate(Kind.PRECOMMIT, (0, 1, 2, 3), V)
    assert certificate_hash(GOOD) != certificate_hash(other)
