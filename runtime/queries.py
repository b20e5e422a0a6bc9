"""Queries: typed reads of the state behind a block, for RPC, commands and tests."""

from dataclasses import dataclass

from chain.primitives.codec import DecodeError
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from consensus.core.validators import ValidatorSet
from runtime.assembly import CONFIG, CONSTRUCT, Pallets, RuntimeConfig, assemble
from runtime.frame import EventRecord, Iterate, Overlay, Read, Refusal
from runtime.frame.account import AccountInfo
from runtime.frame.construct import ApplyExtrinsic
from runtime.frame.ports import Executor, NoExecutor
from runtime.pallets.blobs import BlobStatus
from runtime.pallets.data import DatasetStatus
from runtime.pallets.fees import FeeDetails
from runtime.pallets.inference import DryRun, Quote, Receipt
from runtime.pallets.models import ModelStatus
from runtime.pallets.rewards import RewardStatus
from runtime.pallets.system.pallet import ExtrinsicFailed, ExtrinsicSuccess


@dataclass(frozen=True, slots=True)
class CallFee:
    """What a call costs in a transaction of some length."""

    weight: int
    """Picoseconds at most."""

    details: FeeDetails
    """The fee's parts, without tip."""


@dataclass(frozen=True, slots=True)
class ExtrinsicOutcome:
    """What became of one transaction of a block."""

    refusal: Refusal | None
    """Why its call was refused, in words; None if it did what it was meant to do."""

    records: tuple[EventRecord, ...]
    """What happened while it was applied."""


class Queries:
    """Reads the state behind one block."""

    def __init__(
        self,
        read: Read,
        iterate: Iterate | None = None,
        config: RuntimeConfig = CONFIG,
        executor: Executor | None = None,
    ) -> None:
        """Read by `read`; `executor` is needed for dry runs only."""
        state = Overlay(read, iterate) if iterate else Overlay(read)
        self.pallets: Pallets = assemble(state, executor or NoExecutor(), config)
        self._config = self.pallets.config

    def account(self, address: Address) -> AccountInfo:
        """Give nonce and funds of an address."""
        return self.pallets.system.account[address]

    def validators(self) -> ValidatorSet:
        """Give who decides the block after this one."""
        return ValidatorSet(self.pallets.staking.next_set())

    def events(self) -> tuple[EventRecord, ...]:
        """Give what happened in the block."""
        return CONSTRUCT.decode_events(self.pallets.system.events.get())

    def outcome(self, index: int) -> ExtrinsicOutcome | None:
        """Give what became of the block's transaction at a place, None where there is none."""
        return outcome_of(self.events(), index)

    def call_fee(self, call: bytes, length: int) -> CallFee:
        """Price a call in a transaction of `length` bytes; raises DecodeError."""
        decoded = CONSTRUCT.decode_call(call)
        pallet = self.pallets.by_index[decoded.pallet_index]
        weight = self._config.limits.extrinsic_base + decoded.call.weigh(pallet, decoded.values)
        return CallFee(weight, self.pallets.fees.details(length, weight))

    def blob(self, root: Hash32) -> BlobStatus | None:
        """Give who wants a blob kept and who holds it, None for an unknown one."""
        return self.pallets.blobs.status(root)

    def model(self, name: str) -> ModelStatus | None:
        """Give a model and its newest 64 versions, None for an unknown one."""
        return self.pallets.models.status(name)

    def dataset(self, name: str, first: int = 0) -> DatasetStatus | None:
        """Give a dataset and 64 of its records from `first` on, None for an unknown one."""
        return self.pallets.data.status(name, first)

    def receipt(self, number: int) -> Receipt | None:
        """Give the receipt of a run, None where it is unknown or expired."""
        return self.pallets.inference.receipt(number)

    def rewards(self, address: Address) -> RewardStatus:
        """Give what an address can claim."""
        return self.pallets.rewards.status(address)

    def quote(self, model: str, version: int | None, input_bytes: int) -> Quote:
        """Price a run on an input of some bytes; raises DispatchError."""
        return self.pallets.inference.quote(model, version, input_bytes)

    def dry_run(self, model: str, version: int | None, input: bytes) -> DryRun:
        """Run a model without a trace; raises DispatchError, and LocalFailure where it cannot."""
        return self.pallets.inference.dry_run(model, version, input)

    def check_invariants(self) -> None:
        """Assert what must hold after every block; needs `iterate`."""
        self.pallets.check_invariants()


def outcome_of(records: tuple[EventRecord, ...], index: int) -> ExtrinsicOutcome | None:
    """Give what became of a transaction, from the records of its block."""
    own = tuple(record for record in records if record.phase == ApplyExtrinsic(index))
    if not own:
        return None
    last = own[-1].event
    if isinstance(last, ExtrinsicFailed):
        return ExtrinsicOutcome(CONSTRUCT.refusal_of(last.dispatch_error), own)
    if not isinstance(last, ExtrinsicSuccess):
        raise DecodeError(f"transaction {index} ends with {type(last).__name__}")
    return ExtrinsicOutcome(None, own)
