"""Validators with real keys for tests, and short ways to let them speak."""

from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Keypair
from consensus.core.certificate import certify
from consensus.core.messages import Certificate, Kind, Proposal, Vote, signed_bytes
from consensus.core.proposer import proposer
from consensus.core.validators import Validator, ValidatorSet

GENESIS = blake2_256(b"genesis of the tests")
KEYS = {
    pair.address: pair for pair in (Keypair.from_seed(bytes([each]) * 32) for each in range(1, 8))
}
ADDRESSES = sorted(KEYS)
STRANGER = Keypair.from_seed(bytes([99]) * 32)
NO_SIGNATURE = bytes(64)
V, W = blake2_256(b"v"), blake2_256(b"w")


def validators(*powers: int) -> ValidatorSet:
    """Give a set with these powers, in the order of ADDRESSES."""
    pairs = zip(ADDRESSES, powers, strict=False)
    return ValidatorSet.of(Validator(address, power) for address, power in pairs)


FOUR = validators(1, 1, 1, 1)


def signed_vote(
    kind: Kind,
    who: int,
    block: bytes | None,
    *,
    height: int = 1,
    round_number: int = 0,
    valid_round: int | None = None,
) -> Vote:
    """Give a vote of the validator at a place."""
    address = ADDRESSES[who]
    bare = Vote(kind, height, round_number, block, valid_round, address, NO_SIGNATURE)
    signature = KEYS[address].sign(signed_bytes(GENESIS, bare))
    return Vote(kind, height, round_number, block, valid_round, address, signature)


def signed_proposal(
    block: bytes,
    *,
    height: int = 1,
    round_number: int = 0,
    valid_round: int | None = None,
    by: bytes | None = None,
    among: ValidatorSet = FOUR,
) -> Proposal:
    """Give a proposal of the validator whose turn it is, or of another."""
    address = by or proposer(among, height, round_number)
    bare = Proposal(height, round_number, block, valid_round, address, NO_SIGNATURE)
    signature = KEYS[address].sign(signed_bytes(GENESIS, bare))
    return Proposal(height, round_number, block, valid_round, address, signature)


def signed_certificate(
    kind: Kind,
    who: tuple[int, ...],
    block: bytes | None,
    *,
    height: int = 1,
    round_number: int = 0,
    among: ValidatorSet = FOUR,
) -> Certificate:
    """Give a certificate of the validators at these places."""
    votes = [
        signed_vote(kind, each, block, height=height, round_number=round_number) for each in who
    ]
    return certify(votes, among)
