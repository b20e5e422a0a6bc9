"""Block execution: transactions of one block, applied one after the other.

A transaction that can't stand in the block raises InvalidTransaction and changes nothing.  One
whose call is refused changes nothing but its nonce and fee.  LocalFailure passes through: this
node can't judge the transaction, and nothing of it was applied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from chain.primitives.block import (
    DigestItem,
    Header,
    PostDigest,
    PreDigest,
    post_digest_item,
    pre_digest_item,
    results_root,
)
from chain.primitives.codec import DecodeError
from chain.primitives.extrinsic import (
    ED25519,
    Extrinsic,
    SignedPart,
    SigningContext,
    signing_payload,
)
from chain.primitives.hashing import Hash32
from chain.primitives.keys import verify
from consensus.core.validators import ValidatorSet
from runtime.assembly import CONSTRUCT, Pallets, RuntimeConfig
from runtime.frame import DispatchError, Inherent, Overlay, PostInfo, RuntimeCall, Signed
from runtime.frame.failure import Failure
from runtime.frame.weight import DispatchClass, DispatchInfo, Pays, WeightV2
from runtime.pallets.system.pallet import ExtrinsicFailed, ExtrinsicSuccess
from runtime.validation import (
    AncientBirthBlock,
    BadMandatory,
    BadProof,
    BlockIncomplete,
    CallUnknown,
    CannotPay,
    ExhaustsResources,
    FromFuture,
    NotInherent,
    SignatureCheck,
    Stale,
    TooLarge,
    Validity,
    tag,
)

Done = TypeVar("Done")

RESULT_BYTES = 32
"""Of a result hash, for which every transaction keeps room in its block."""

_U64_MAX = (1 << 64) - 1
_INITIALIZATION, _FINALIZATION = b"\2", b"\1"


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What became of a transaction that stands in the block."""

    failure: Failure | None
    """Why its call was refused; None if it did what it was meant to do."""

    detail: str
    """The refusal in words, for people only."""

    weight: int
    """Picoseconds charged."""

    fee: int
    """What was paid, tip included."""

    @property
    def succeeded(self) -> bool:
        """Tell whether the call did what it was meant to do."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class BlockOutcome:
    """What a block does to the state, and what its header must say."""

    changes: dict[bytes, bytes | None]
    """Raw keys and values to store; None to remove."""

    events: bytes
    """Encoded event records."""

    results: tuple[Hash32, ...]
    """Hash of every inference result, in the order of the transactions."""

    digest: tuple[DigestItem, ...]
    """Of the header."""

    applied: tuple[ApplyResult, ...]
    """One for each transaction."""

    next_validators: ValidatorSet
    """Who decides the next block."""

    contents: tuple[tuple[Hash32, bytes], ...] = ()
    """Roots and bytes of blobs that the chain itself made: to be kept before the block is."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A decoded call and what it may cost."""

    call: RuntimeCall
    weight: int
    """Picoseconds at most."""
    fee: int
    """Tip included; nothing for inherents."""


class BlockExecution:
    """One block in the making, or a view of the state behind a block that judges transactions."""

    def __init__(
        self,
        state: Overlay,
        pallets: Pallets,
        config: RuntimeConfig,
        parent: Header,
        digest: PreDigest,
    ) -> None:
        self.state = state
        self.pallets = pallets
        self.number = parent.number + 1
        self._config = config
        self._limits = config.limits
        self._pre_digest = pre_digest_item(digest)
        self._applied: list[ApplyResult] = []
        self._marks: list[int] = []
        self._weight = 0
        self._length = 0
        self._signed_seen = False
        pallets.system.initialize(self.number, parent.hash(), (self._pre_digest,), digest.proposer)
        version = config.system.version
        self._context = SigningContext(
            version.spec_version, version.transaction_version, pallets.system.block_hash[0]
        )
        self._validators = ValidatorSet(pallets.staking.current_set())
        self._begun = 0

    def start(self) -> None:
        """Do what a block starts with; a view that only tries transactions does not."""
        for pallet in self.pallets.by_index.values():
            pallet.on_initialize(self.number)
        self._begun = len(self.state.events)

    @property
    def weight_left(self) -> int:
        """Give the picoseconds that are left for transactions."""
        return self._limits.weight_max - self._weight

    @property
    def length_left(self) -> int:
        """Give the bytes that are left for transactions."""
        return self._limits.length_max - self._length

    def signature_of(self, extrinsic: Extrinsic) -> SignatureCheck | None:
        """Give the signature to check before `apply`, None for a bare extrinsic.

        Raises AncientBirthBlock and BadProof.  Checking frees the interpreter, so it may be done
        for many transactions in threads.
        """
        signed = extrinsic.signed
        if signed is None:
            return None
        if signed.signature_kind != ED25519:
            raise BadProof("only ed25519 signatures are known here")
        birth = signed.era.birth(self.number)
        birth_hash = self.pallets.system.block_hash.find(birth)
        if birth_hash is None:
            raise AncientBirthBlock(f"block {birth} is not known")
        message = signing_payload(
            extrinsic.call, signed.era, signed.nonce, signed.tip, self._context, birth_hash
        )
        return SignatureCheck(signed.address, message, signed.signature)

    def validate(
        self, extrinsic: Extrinsic, encoded: bytes, *, signature_checked: bool = False
    ) -> Validity:
        """Tell what a pool must know; raises InvalidTransaction.  Changes nothing."""
        signed = extrinsic.signed
        if signed is None:
            raise NotInherent("bare transactions come from proposers only")
        quote = self.quote(extrinsic, len(encoded))
        info = self.pallets.system.account[signed.address]
        if signed.nonce < info.nonce:
            raise Stale(f"nonce {signed.nonce}, the next one is {info.nonce}")
        self._check_size(quote.weight, len(encoded))
        deposit = self._config.balances.existential_deposit
        if info.data.free < quote.fee + deposit:
            raise CannotPay(f"{info.data.free} < {quote.fee} + {deposit}")
        self._check_signature(extrinsic, signature_checked)
        before = signed.nonce > info.nonce
        return Validity(
            priority=self._priority(signed.tip, quote.weight, len(encoded)),
            requires=(tag(signed.address, signed.nonce - 1),) if before else (),
            provides=(tag(signed.address, signed.nonce),),
            longevity=signed.era.death(self.number) - self.number,
            weight=quote.weight,
            fee=quote.fee,
        )

    def quote(self, extrinsic: Extrinsic, length: int) -> Quote:
        """Price an extrinsic of some bytes, signature unseen; raises CallUnknown."""
        try:
            call = CONSTRUCT.decode_call(extrinsic.call)
        except DecodeError as error:
            raise CallUnknown(str(error)) from error
        pallet = self.pallets.by_index[call.pallet_index]
        weight = self._limits.extrinsic_base + call.call.weigh(pallet, call.values)
        signed = extrinsic.signed
        if signed is None:
            return Quote(call, weight, 0)
        return Quote(call, weight, self.pallets.fees.details(length, weight).total + signed.tip)

    def apply(
        self, extrinsic: Extrinsic, encoded: bytes, *, signature_checked: bool = False
    ) -> ApplyResult:
        """Apply a transaction; raises InvalidTransaction or LocalFailure, having changed nothing.

        `signature_checked` says that the caller has checked what `signature_of` gives for this very
        block: what is signed changes when a transaction's era begins anew.
        """
        quote = self.quote(extrinsic, len(encoded))
        signed, before = extrinsic.signed, len(self.state.results)
        self.state.place = len(self._applied)
        if signed is None:
            result = self._atomically(lambda: self._apply_inherent(quote))
        else:
            self._check_signed(signed, extrinsic, quote, len(encoded), signature_checked)
            result = self._atomically(lambda: self._apply_within(signed, quote, len(encoded)))
            self._signed_seen = True
        self._weight += result.weight
        self._length += len(encoded) + self._result_bytes(before)
        self._applied.append(result)
        self._marks.append(len(self.state.events))
        return result

    def finish(self) -> BlockOutcome:
        """End the block; raises BlockIncomplete."""
        pallets = self.pallets
        if not pallets.timestamp.is_set():
            raise BlockIncomplete("no time")
        if not pallets.randomness.is_revealed():
            raise BlockIncomplete("no secret of its proposer")
        for pallet in pallets.by_index.values():
            pallet.on_finalize(self.number)
        results = tuple(self.state.results)
        following = ValidatorSet(pallets.staking.next_set())
        found = PostDigest(results_root(results), self._validators.hash(), following.hash())
        digest = (self._pre_digest, post_digest_item(found))
        events = self._encoded_events()
        pallets.system.finalize(events, digest, len(self._applied), self._weight)
        changes = self.state.changes()
        applied, contents = tuple(self._applied), tuple(self.state.contents)
        return BlockOutcome(changes, events, results, digest, applied, following, contents)

    def _check_signed(
        self,
        signed: SignedPart,
        extrinsic: Extrinsic,
        quote: Quote,
        length: int,
        signature_checked: bool,
    ) -> None:
        nonce = self.pallets.system.account[signed.address].nonce
        if signed.nonce != nonce:
            kind = Stale if signed.nonce < nonce else FromFuture
            raise kind(f"nonce {signed.nonce}, the next one is {nonce}")
        self._check_size(quote.weight, length)
        if quote.weight > self.weight_left or length + RESULT_BYTES > self.length_left:
            raise ExhaustsResources("the block is full")
        # Last, because it costs most.
        self._check_signature(extrinsic, signature_checked)

    def _check_signature(self, extrinsic: Extrinsic, signature_checked: bool) -> None:
        if signature_checked:
            return
        check = self.signature_of(extrinsic)
        if check and not verify(check.address, check.message, check.signature):
            raise BadProof("the signature does not fit")

    def _check_size(self, weight: int, length: int) -> None:
        if weight > self._limits.weight_max or length + RESULT_BYTES > self._limits.length_max:
            raise TooLarge(f"weight {weight}, {length} bytes")

    def _priority(self, tip: int, weight: int, length: int) -> int:
        room = min(self._limits.weight_max // weight, self._limits.length_max // length)
        return min((tip + 1) * room, _U64_MAX)

    def _atomically(self, work: Callable[[], Done]) -> Done:
        state, done = self.state, False
        state.begin()
        try:
            result = work()
            done = True
        finally:
            if done:
                state.commit()
            else:
                state.rollback()
        return result

    def _apply_inherent(self, quote: Quote) -> ApplyResult:
        if not quote.call.call.is_inherent:
            raise NotInherent(f"{quote.call.pallet}.{quote.call.call.name} needs a signature")
        if self._signed_seen:
            raise BadMandatory("inherents come first")
        try:
            post = self._run(Inherent(), quote.call)
        except DispatchError as error:
            raise BadMandatory(f"{type(error).__name__}: {error}") from error
        weight = self._charged_weight(quote, post)
        self.state.events.append(_success(weight, DispatchClass.MANDATORY, Pays.NO))
        return ApplyResult(None, "", weight, 0)

    def _apply_within(self, signed: SignedPart, quote: Quote, length: int) -> ApplyResult:
        before = len(self.state.results)
        result = self._apply_signed(signed, quote)
        if length + self._result_bytes(before) > self.length_left:
            raise ExhaustsResources("the block has no room for so many results")
        return result

    def _result_bytes(self, before: int) -> int:
        """Give the bytes of results since there were so many; room for one is always kept."""
        return RESULT_BYTES * max(len(self.state.results) - before, 1)

    def _apply_signed(self, signed: SignedPart, quote: Quote) -> ApplyResult:
        fees, system = self.pallets.fees, self.pallets.system
        system.count_transaction(signed.address)
        try:
            fees.charge(signed.address, quote.fee)
        except DispatchError as error:
            raise CannotPay(f"the fee of {quote.fee}: {type(error).__name__} {error}") from error
        refusal: DispatchError | None = None
        try:
            post = self._run(Signed(signed.address), quote.call)
        except DispatchError as error:
            refusal, post = error, error.post
        weight = self._charged_weight(quote, post)
        fee = self._charged_fee(signed, quote, weight, post)
        paid = fees.settle(signed.address, quote.fee, fee, signed.tip)
        pays = Pays.YES if post.pays_fee else Pays.NO
        if refusal is None:
            self.state.events.append(_success(weight, DispatchClass.NORMAL, pays))
            return ApplyResult(None, "", weight, paid)
        failure = CONSTRUCT.failure_of(refusal)
        info = DispatchInfo(WeightV2(weight), DispatchClass.NORMAL, pays)
        self.state.events.append(ExtrinsicFailed(failure, info))
        return ApplyResult(failure, str(refusal), weight, paid)

    def _run(self, origin: Signed | Inherent, call: RuntimeCall) -> PostInfo:
        return self.pallets.by_index[call.pallet_index].run(origin, call.call, call.values)

    def _charged_weight(self, quote: Quote, post: PostInfo) -> int:
        if post.actual_weight is None:
            return quote.weight
        return min(quote.weight, self._limits.extrinsic_base + post.actual_weight)

    def _charged_fee(self, signed: SignedPart, quote: Quote, weight: int, post: PostInfo) -> int:
        """Give the fee without tip that stays."""
        if not post.pays_fee:
            return 0
        announced = quote.fee - signed.tip
        if weight == quote.weight:
            return announced
        fees = self.pallets.fees
        unused = fees.weight_fee(quote.weight) - fees.weight_fee(weight)
        return announced - unused

    def _encoded_events(self) -> bytes:
        events = self.state.events
        phases = [_INITIALIZATION] * self._begun
        for index, mark in enumerate(self._marks):
            phases += [b"\0" + index.to_bytes(4, "little")] * (mark - len(phases))
        phases += [_FINALIZATION] * (len(events) - len(phases))
        return CONSTRUCT.encode_events(zip(phases, events, strict=True))


@lru_cache(maxsize=256)
def _success(weight: int, dispatch_class: DispatchClass, pays: Pays) -> ExtrinsicSuccess:
    """Give the event; most transactions weigh the same."""
    return ExtrinsicSuccess(DispatchInfo(WeightV2(weight), dispatch_class, pays))
