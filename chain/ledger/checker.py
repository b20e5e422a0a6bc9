"""Executes a block that somebody else built, and compares everything that its header promises."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from chain.ledger.opening import Head
from chain.ledger.refusals import BlockRefused, Reason
from chain.ledger.signatures import SignatureChecker
from chain.primitives.block import (
    BLOCK,
    BLOCK_BYTES_MAX,
    Block,
    PreDigest,
    digests_of,
    results_root,
)
from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import Extrinsic, decode_extrinsic
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.trie import ordered_root
from chain.storage.state_trie import StateTrie, TriePatch
from consensus.core.validators import ValidatorSet
from runtime.executive import BlockExecution, BlockOutcome, Executive
from runtime.validation import BlockIncomplete, InvalidTransaction

TimeLimit = Callable[[], int]
"""Gives the latest time a block may claim, milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A block with what its execution found; committing it is only writing."""

    block: Block
    patch: TriePatch
    next_validators: ValidatorSet
    contents: tuple[tuple[bytes, bytes], ...]
    """Roots and bytes of blobs that the chain itself made in the block."""


def is_body_of_header(block: Block) -> bool:
    """Say whether transactions and results are those that the header commits to."""
    try:
        _, found = digests_of(block.header)
    except DecodeError:
        return False
    return (
        ordered_root(block.extrinsics) == block.header.extrinsics_root
        and results_root(block.results) == found.results_root
    )


def check_block(
    block: Block,
    head: Head,
    *,
    trie: StateTrie,
    executive: Executive,
    signatures: SignatureChecker,
    time_limit: TimeLimit | None,
) -> Executed:
    """Execute a block on the head; raises BlockRefused or LocalFailure.

    Without a time limit the block's time is not compared with any clock.
    """
    digest = _check_promises(block, head)
    extrinsics = _decode(block)
    read = trie.reader(head.header.state_root)
    execution = executive.begin(read, head.header, digest)
    _check_signatures(execution, extrinsics, signatures)
    outcome = _execute(execution, block, extrinsics, time_limit)
    _check_digest(block, outcome)
    patch = trie.prepare(head.header.state_root, outcome.changes)
    if patch.root != block.header.state_root:
        _refuse(Reason.STATE_ROOT, block.header.state_root, patch.root)
    return Executed(block, patch, outcome.next_validators, outcome.contents)


def _check_promises(block: Block, head: Head) -> PreDigest:
    """Check what needs no execution, and return what the proposer says."""
    header = block.header
    if header.number != head.height + 1:
        raise BlockRefused(Reason.HEIGHT, f"{header.number} on top of {head.height}")
    if header.parent_hash != head.hash:
        _refuse(Reason.PARENT, header.parent_hash, head.hash)
    try:
        digest, _ = digests_of(header)
    except DecodeError as error:
        raise BlockRefused(Reason.DIGEST, str(error)) from error
    if digest.proposer not in head.validators:
        raise BlockRefused(Reason.PROPOSER, f"0x{digest.proposer.hex()}")
    # Nodes may hold different quorums for one parent, so only presence can be a rule.
    if (digest.parent_certificate == ZERO_HASH) != (head.height == 0):
        raise BlockRefused(Reason.PARENT_CERTIFICATE, f"0x{digest.parent_certificate.hex()}")
    size = len(BLOCK.encode(block))
    if size > BLOCK_BYTES_MAX:
        raise BlockRefused(Reason.SIZE, f"{size} bytes, at most {BLOCK_BYTES_MAX}")
    root = ordered_root(block.extrinsics)
    if root != header.extrinsics_root:
        _refuse(Reason.EXTRINSICS_ROOT, header.extrinsics_root, root)
    return digest


def _decode(block: Block) -> list[Extrinsic]:
    extrinsics = []
    for place, encoded in enumerate(block.extrinsics):
        try:
            extrinsics.append(decode_extrinsic(encoded))
        except DecodeError as error:
            raise BlockRefused(Reason.FORMAT, f"transaction {place}: {error}", place) from error
    return extrinsics


def _check_signatures(
    execution: BlockExecution, extrinsics: list[Extrinsic], signatures: SignatureChecker
) -> None:
    checks = []
    for place, extrinsic in enumerate(extrinsics):
        try:
            checks.append(execution.signature_of(extrinsic))
        except InvalidTransaction as error:
            raise _refused_transaction(place, error) from error
    bad = signatures.first_bad(checks)
    if bad is not None:
        raise BlockRefused(Reason.SIGNATURE, f"transaction {bad}", bad)


def _execute(
    execution: BlockExecution,
    block: Block,
    extrinsics: list[Extrinsic],
    time_limit: TimeLimit | None,
) -> BlockOutcome:
    for place, (extrinsic, encoded) in enumerate(zip(extrinsics, block.extrinsics, strict=True)):
        try:
            execution.apply(extrinsic, encoded, signature_checked=True)
        except InvalidTransaction as error:
            raise _refused_transaction(place, error) from error
        if place == 0 and time_limit is not None:
            _check_time(execution, time_limit())
    if time_limit is not None:
        _check_time(execution, time_limit())
    try:
        return execution.finish()
    except BlockIncomplete as error:
        raise BlockRefused(Reason.INCOMPLETE, str(error)) from error


def _check_time(execution: BlockExecution, latest_ms: int) -> None:
    """Check the time as soon as the first transaction has said it, and again at the end."""
    claimed_ms = execution.pallets.timestamp.milliseconds()
    if claimed_ms > latest_ms:
        raise BlockRefused(Reason.TIMESTAMP, f"{claimed_ms} ms, at most {latest_ms} ms")


def _check_digest(block: Block, outcome: BlockOutcome) -> None:
    """Compare what the header says of the execution with what it found."""
    for place, (claimed, found) in enumerate(zip(block.results, outcome.results, strict=False)):
        if claimed != found:
            detail = f"result {place} is 0x{claimed.hex()}, not 0x{found.hex()}"
            raise BlockRefused(Reason.RESULTS, detail, place)
    if len(block.results) != len(outcome.results):
        raise BlockRefused(Reason.RESULTS, f"{len(block.results)}, not {len(outcome.results)}")
    if block.header.digest == outcome.digest:
        return
    _, claims = digests_of(block.header)
    _, facts = digests_of(replace(block.header, digest=outcome.digest))
    if claims.results_root != facts.results_root:
        _refuse(Reason.RESULTS_ROOT, claims.results_root, facts.results_root)
    if claims.validators != facts.validators:
        _refuse(Reason.VALIDATORS, claims.validators, facts.validators)
    if claims.next_validators != facts.next_validators:
        _refuse(Reason.NEXT_VALIDATORS, claims.next_validators, facts.next_validators)
    raise BlockRefused(Reason.DIGEST, "it is not that of the execution")


def _refused_transaction(place: int, error: InvalidTransaction) -> BlockRefused:
    detail = f"transaction {place}: {type(error).__name__} {error}".rstrip()
    return BlockRefused(Reason.TRANSACTION, detail, place)


def _refuse(reason: Reason, claimed: bytes, found: bytes) -> NoReturn:
    raise BlockRefused(reason, f"0x{claimed.hex()}, not 0x{found.hex()}")
