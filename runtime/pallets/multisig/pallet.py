"""Multisig: accounts that several keys hold together, as in Substrate.

An account follows from its signatories and how many must agree.  Approvals of a call are kept by
its hash until enough agree and one of them brings the call itself.

Invariant: an operation has fewer approvals than it needs, and its deposit is set aside.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.primitives.codec import U16, U32, U128, blob, option, record
from chain.primitives.hashing import HASH_32, Hash32, blake2_256
from chain.primitives.keys import ADDRESS, Address
from runtime.frame import (
    Constant,
    DispatchError,
    Overlay,
    Pallet,
    PostInfo,
    Signed,
    StorageDoubleMap,
)
from runtime.frame import call as pallet_call
from runtime.frame.ports import Currency, Dispatcher, Heights
from runtime.frame.weight import WeightV2
from runtime.pallets.multisig import errors, events, weights
from runtime.pallets.multisig.stored import (
    SIGNATORIES_MAX,
    TIMEPOINT,
    Operation,
    Signatories,
    Timepoint,
    multi_account,
)

CALL_BYTES_MAX: Final = 256 * 1024
"""Of a call: no transaction is longer."""

CallBytes = Annotated[bytes, blob(CALL_BYTES_MAX)]
Threshold = Annotated[int, U16]
MaybeTimepoint = Annotated[Timepoint | None, option(TIMEPOINT)]


@dataclass(frozen=True, slots=True)
class MultisigConfig:
    """What a chain decides about operations of several signatories."""

    deposit_base: int
    """Set aside by whoever begins one, in the smallest unit."""

    deposit_factor: int
    """Set aside for each that must agree, in the smallest unit."""


class Multisig(
    Pallet,
    events=(
        events.NewMultisig,
        events.MultisigApproval,
        events.MultisigExecuted,
        events.MultisigCancelled,
    ),
    errors=(
        errors.MinimumThreshold,
        errors.AlreadyApproved,
        errors.TooFewSignatories,
        errors.TooManySignatories,
        errors.SignatoriesOutOfOrder,
        errors.SenderInSignatories,
        errors.NotFound,
        errors.NotOwner,
        errors.NoTimepoint,
        errors.WrongTimepoint,
        errors.UnexpectedTimepoint,
        errors.MaxWeightTooLow,
    ),
):
    """Calls of several signatories."""

    multisigs = StorageDoubleMap(
        ADDRESS, HASH_32, record(Operation), docs="Operations by account and hash of the call."
    )

    deposit_base = Constant(U128, lambda self: self.config.deposit_base, "Deposit of an operation.")
    deposit_factor = Constant(
        U128, lambda self: self.config.deposit_factor, "Deposit for each that must agree."
    )
    max_signatories = Constant(U32, lambda self: SIGNATORIES_MAX, "Signatories of an account.")

    def __init__(
        self,
        state: Overlay,
        config: MultisigConfig,
        currency: Currency,
        dispatcher: Dispatcher,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.dispatcher = dispatcher
        self.heights = heights

    @pallet_call(index=1, weight=weights.as_multi)
    def as_multi(
        self,
        origin: Signed,
        threshold: Threshold,
        other_signatories: Signatories,
        maybe_timepoint: MaybeTimepoint,
        call: CallBytes,
        max_weight: WeightV2,
    ) -> PostInfo:
        """Approve a call, and run it as the common account if enough do."""
        who, base = origin.address, weights.of_signatories(len(other_signatories))
        account, call_hash = _account(who, threshold, other_signatories), blake2_256(call)
        found = self._begun(account, call_hash, maybe_timepoint)
        wanted = () if found is None else found.approvals
        if found is None or len({*wanted, who}) < threshold:
            self._approve(who, account, call_hash, found, threshold)
            return PostInfo(base)
        weight = self.dispatcher.weigh(call)
        if weight > max_weight.ref_time:
            raise errors.MaxWeightTooLow(f"{weight} picoseconds")
        del self.multisigs[account, call_hash]
        self.currency.unreserve(found.depositor, found.deposit)
        refusal: DispatchError | None = None
        try:
            post = self.dispatcher.dispatch(Signed(account), call)
        except DispatchError as error:
            refusal, post = error, error.post
        result = None if refusal is None else self.dispatcher.failure_of(refusal)
        self.emit(events.MultisigExecuted(who, found.when, account, call_hash, result))
        return PostInfo(base + min(weight, post.actual_weight or weight))

    @pallet_call(index=2, weight=weights.approve)
    def approve_as_multi(
        self,
        origin: Signed,
        threshold: Threshold,
        other_signatories: Signatories,
        maybe_timepoint: MaybeTimepoint,
        call_hash: Hash32,
        max_weight: WeightV2,
    ) -> None:
        """Approve a call by its hash; one who has the call itself must come last."""
        account = _account(origin.address, threshold, other_signatories)
        found = self._begun(account, call_hash, maybe_timepoint)
        self._approve(origin.address, account, call_hash, found, threshold)

    @pallet_call(index=3, weight=weights.cancel)
    def cancel_as_multi(
        self,
        origin: Signed,
        threshold: Threshold,
        other_signatories: Signatories,
        timepoint: Timepoint,
        call_hash: Hash32,
    ) -> None:
        """Give an operation up that the signer began; its deposit is free again."""
        account = _account(origin.address, threshold, other_signatories)
        found = self._begun(account, call_hash, timepoint, known=True)
        if found is None:
            raise errors.NotFound()
        if found.depositor != origin.address:
            raise errors.NotOwner()
        del self.multisigs[account, call_hash]
        self.currency.unreserve(found.depositor, found.deposit)
        self.emit(events.MultisigCancelled(origin.address, found.when, account, call_hash))

    def check_invariants(self) -> None:
        """Assert that deposits are set aside and that approvals ascend."""
        deposits: dict[Address, int] = {}
        for found in self.multisigs.values():
            deposits[found.depositor] = deposits.get(found.depositor, 0) + found.deposit
            assert list(found.approvals) == sorted(set(found.approvals)), "approved twice"
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _begun(
        self, account: Address, call_hash: Hash32, said: Timepoint | None, *, known: bool = False
    ) -> Operation | None:
        """Give the operation, None for a new one; raises DispatchError for another timepoint."""
        found = self.multisigs.find((account, call_hash))
        if found is None:
            if said is not None and not known:
                raise errors.UnexpectedTimepoint()
            return None
        if said is None:
            raise errors.NoTimepoint()
        if said != found.when:
            raise errors.WrongTimepoint(f"block {found.when.height}, index {found.when.index}")
        return found

    def _approve(
        self,
        who: Address,
        account: Address,
        call_hash: Hash32,
        found: Operation | None,
        threshold: int,
    ) -> None:
        if found is None:
            deposit = self.config.deposit_base + self.config.deposit_factor * threshold
            self.currency.reserve(who, deposit)
            when = Timepoint(self.heights.height(), self.state.place)
            self.multisigs[account, call_hash] = Operation(when, deposit, who, (who,))
            self.emit(events.NewMultisig(who, account, call_hash))
            return
        if who in found.approvals:
            raise errors.AlreadyApproved()
        approvals = tuple(sorted((*found.approvals, who)))
        self.multisigs[account, call_hash] = replace(found, approvals=approvals)
        self.emit(events.MultisigApproval(who, found.when, account, call_hash))


def _account(who: Address, threshold: int, others: tuple[Address, ...]) -> Address:
    """Give the common account of the signer and others; raises DispatchError."""
    if threshold < 2:
        raise errors.MinimumThreshold()
    if len(others) + 1 < threshold:
        raise errors.TooFewSignatories(f"{len(others) + 1}, {threshold} must agree")
    if len(others) >= SIGNATORIES_MAX:
        raise errors.TooManySignatories(f"{len(others) + 1}")
    if list(others) != sorted(set(others)):
        raise errors.SignatoriesOutOfOrder()
    if who in others:
        raise errors.SenderInSignatories()
    return multi_account(tuple(sorted((*others, who))), threshold)
