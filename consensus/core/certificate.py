"""Certificates: more than two thirds of the power behind one value, in bytes anyone can check."""

from collections.abc import Callable, Iterable

from chain.primitives.hashing import Hash32, blake2_256
from chain.primitives.keys import Address
from chain.primitives.keys import verify as verify_ed25519
from consensus.core.messages import (
    CERTIFICATE,
    Certificate,
    CertificateEntry,
    Kind,
    Vote,
    vote_bytes,
)
from consensus.core.validators import ValidatorSet

Verify = Callable[[Address, bytes, bytes], bool]
"""Tells whether a signature over a message is the address's."""


class InvalidCertificate(ValueError):
    """The certificate proves nothing.  Ask somebody else for it."""


def certificate_hash(certificate: Certificate) -> Hash32:
    """Give the hash that the header of the next block carries."""
    return blake2_256(CERTIFICATE.encode(certificate))


def certify(votes: Iterable[Vote], validators: ValidatorSet) -> Certificate:
    """Give the certificate of votes that are alike and together a quorum."""
    by_place = sorted((validators.places[each.validator], each) for each in votes)
    first = by_place[0][1]
    entries = tuple(
        CertificateEntry(place, each.valid_round, each.signature) for place, each in by_place
    )
    return Certificate(first.kind, first.height, first.round, first.block_hash, entries)


def check_certificate(
    certificate: Certificate,
    genesis: Hash32,
    validators: ValidatorSet,
    verify: Verify = verify_ed25519,
) -> None:
    """Raise InvalidCertificate unless different validators of the set are a quorum and signed."""
    places = [entry.place for entry in certificate.entries]
    if places != sorted(dict.fromkeys(places)):
        raise InvalidCertificate("validators do not ascend")
    if places and places[-1] >= len(validators):
        raise InvalidCertificate(f"no validator {places[-1]}")
    if not validators.is_quorum(sum(validators.validators[place].power for place in places)):
        raise InvalidCertificate("no two thirds of the power")
    for entry in certificate.entries:
        address = validators.validators[entry.place].address
        if not verify(address, _entry_bytes(certificate, entry, genesis), entry.signature):
            raise InvalidCertificate(f"signature of validator {entry.place}")


def _entry_bytes(certificate: Certificate, entry: CertificateEntry, genesis: Hash32) -> bytes:
    if certificate.kind is Kind.PRECOMMIT and entry.valid_round is not None:
        raise InvalidCertificate("a precommit with a valid round")
    return vote_bytes(
        genesis,
        certificate.kind,
        height=certificate.height,
        round_number=certificate.round,
        block_hash=certificate.block_hash,
        valid_round=entry.valid_round,
    )
