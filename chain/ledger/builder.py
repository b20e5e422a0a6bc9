"""Builds a block on the head from waiting transactions."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from chain.ledger.author import Author
from chain.ledger.checker import Executed
from chain.ledger.opening import Head
from chain.ledger.signatures import SignatureChecker
from chain.primitives.block import EXTRINSICS_MAX, Block, Header, PreDigest
from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import Extrinsic, decode_extrinsic, encode_extrinsic
from chain.primitives.trie import ordered_root
from chain.storage.state_trie import StateTrie
from runtime.assembly import CONSTRUCT
from runtime.executive import BlockExecution, Executive
from runtime.frame.ports import LocalFailure
from runtime.validation import BadProof, ExhaustsResources, InvalidTransaction, SignatureCheck

Skipped = Callable[[bytes, InvalidTransaction | LocalFailure], None]
"""Is told of an encoded transaction that was left out, and why."""

_GROUP: Final = 256
"""Transactions whose signatures are checked together before they are applied."""


class Builder:
    """One block in the making."""

    def __init__(
        self,
        head: Head,
        *,
        trie: StateTrie,
        executive: Executive,
        signatures: SignatureChecker,
        misses_max: int,
        skipped: Skipped | None,
    ) -> None:
        self._head = head
        self._trie = trie
        self._executive = executive
        self._signatures = signatures
        self._misses_max = misses_max
        self._skipped = skipped
        self._included: list[bytes] = []

    def build(
        self,
        author: Author,
        digest: PreDigest,
        timestamp_ms: int,
        candidates: Iterable[bytes],
    ) -> Executed:
        """Build the block and keep what its execution found; raises LocalFailure.

        A time before the earliest that the rules allow is moved up to it.
        """
        parent = self._head.header
        execution = self._executive.begin(self._trie.reader(parent.state_root), parent, digest)
        now_ms = max(timestamp_ms, execution.pallets.timestamp.earliest())
        self._say(execution, "Timestamp", "set", {"now": now_ms})
        randomness = execution.pallets.randomness
        known = randomness.commitment_of(author.address)
        revealed = author.reveal(known, randomness.chain_length)
        self._say(execution, "Randomness", "reveal", revealed)
        self._fill(execution, iter(candidates))
        return self._finish(execution)

    def _say(
        self, execution: BlockExecution, pallet: str, call: str, arguments: dict[str, Any]
    ) -> None:
        """Put in what only a proposer says."""
        inherent = Extrinsic(CONSTRUCT.encode_call(pallet, call, arguments))
        encoded = encode_extrinsic(inherent)
        execution.apply(inherent, encoded)
        self._included.append(encoded)

    def _fill(self, execution: BlockExecution, candidates: Iterator[bytes]) -> None:
        """Apply candidates until many in a row do not fit."""
        misses = 0
        while group := list(islice(candidates, _GROUP)):
            for encoded, extrinsic in self._signed_well(execution, group):
                if len(self._included) >= EXTRINSICS_MAX or misses > self._misses_max:
                    return
                try:
                    execution.apply(extrinsic, encoded, signature_checked=True)
                except ExhaustsResources as error:
                    misses += 1
                    self._skip(encoded, error)
                except (InvalidTransaction, LocalFailure) as error:
                    self._skip(encoded, error)
                else:
                    misses = 0
                    self._included.append(encoded)

    def _signed_well(
        self, execution: BlockExecution, group: Sequence[bytes]
    ) -> list[tuple[bytes, Extrinsic]]:
        """Return those whose signature is good, decoded."""
        decoded: list[tuple[bytes, Extrinsic]] = []
        checks: list[SignatureCheck] = []
        for encoded in group:
            try:
                extrinsic = decode_extrinsic(encoded)
                check = execution.signature_of(extrinsic)
            except InvalidTransaction as error:
                self._skip(encoded, error)
                continue
            except DecodeError as error:
                self._skip(encoded, BadProof(str(error)))
                continue
            if check is not None:
                decoded.append((encoded, extrinsic))
                checks.append(check)
        if self._signatures.first_bad(checks) is None:
            return decoded
        good = []
        for (encoded, extrinsic), check in zip(decoded, checks, strict=True):
            if self._signatures.is_good(check):
                good.append((encoded, extrinsic))
            else:
                self._skip(encoded, BadProof("the signature does not fit"))
        return good

    def _finish(self, execution: BlockExecution) -> Executed:
        outcome = execution.finish()
        patch = self._trie.prepare(self._head.header.state_root, outcome.changes)
        extrinsics = tuple(self._included)
        header = Header(
            parent_hash=self._head.hash,
            number=self._head.height + 1,
            state_root=patch.root,
            extrinsics_root=ordered_root(extrinsics),
            digest=outcome.digest,
        )
        block = Block(header, extrinsics, outcome.results)
        return Executed(block, patch, outcome.next_validators, outcome.contents)

    def _skip(self, encoded: bytes, error: InvalidTransaction | LocalFailure) -> None:
        if self._skipped is not None:
            self._skipped(encoded, error)
