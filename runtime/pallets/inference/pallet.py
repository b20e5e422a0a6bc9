"""Inference: paid runs of models, and receipts of them.

Invariant: receipts are numbered without a gap, in the order of their blocks, and their parts add
up to their price.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U32, U64, record
from chain.primitives.hashing import Hash32, blake2_256
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    DispatchError,
    Event,
    Overlay,
    Pallet,
    PostInfo,
    Signed,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.names import Name
from runtime.frame.ports import Executor, Heights, Trapped
from runtime.frame.runs import FeeSplit, Runnable
from runtime.pallets.inference import errors, weights
from runtime.pallets.inference.check import check_input
from runtime.pallets.inference.ports import ModelSource, Till
from runtime.pallets.inference.stored import (
    INPUT_BYTES_MAX,
    OUTPUT_INLINE_MAX,
    DryRun,
    InlineOutput,
    Input,
    Quote,
    Receipt,
    VersionNumber,
)

PRUNED_PER_RUN: Final = 2
"""Expired receipts that a new one removes: more go than come, however many come."""

PRUNED_PER_BLOCK: Final = 16
"""Expired receipts that a block removes by itself: the rest of a busy time goes in quiet ones."""

ReceiptNumber = Annotated[int, U64]
"""Counts all receipts there ever were, from 0."""


@dataclass(frozen=True, slots=True)
class InferenceConfig:
    """What a chain decides about inference."""

    receipt_blocks: int
    """Blocks for which a receipt is kept: time to fetch its proof."""


@dataclass(frozen=True)
class Inferred(Event, index=0):
    """A model was run and paid for."""

    receipt: ReceiptNumber
    model: Name
    version: VersionNumber
    payer: Address
    price: Amount
    input_hash: Hash32
    output_hash: Hash32
    output: InlineOutput
    """Canonical tensor bytes; None where they are longer than an event carries."""


def _weigh(pallet: "Inference", model: str, version: int | None, input: bytes, max_fee: int) -> int:
    return weights.infer(pallet.models.gas(model, version), len(input))


class Inference(
    Pallet,
    events=(Inferred,),
    errors=(
        errors.PriceAboveMaximum,
        errors.MalformedInput,
        errors.WrongInputNames,
        errors.WrongElementType,
        errors.WrongShape,
        errors.RunTrapped,
    ),
):
    """Runs and their receipts."""

    receipts = StorageMap(
        U64, record(Receipt), hasher=TWOX_64_CONCAT, docs="Receipts of the last blocks by number."
    )
    next_receipt = StorageValue(U64, default=0, docs="Number of the next receipt.")
    first_receipt = StorageValue(U64, default=0, docs="Number of the oldest receipt kept.")

    receipt_blocks = Constant(
        U32, lambda self: self.config.receipt_blocks, "Blocks for which a receipt is kept."
    )
    input_bytes_max = Constant(U32, lambda self: INPUT_BYTES_MAX, "Greatest input of a call.")
    output_inline_max = Constant(
        U32, lambda self: OUTPUT_INLINE_MAX, "Greatest output that an event carries."
    )

    def __init__(
        self,
        state: Overlay,
        config: InferenceConfig,
        models: ModelSource,
        till: Till,
        executor: Executor,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.models = models
        self.till = till
        self.executor = executor
        self.heights = heights

    @call(index=0, weight=_weigh)
    def infer(
        self,
        origin: Signed,
        model: Name,
        version: VersionNumber | None,
        input: Input,
        max_fee: Amount,
    ) -> None:
        """Run a version of a model, or its newest active one, on canonical tensor bytes.

        The signer pays the model's price, at most `max_fee`, and the network's fee for the weight.
        """
        found = self.models.runnable(model, version)
        payer = origin.address
        try:
            if found.policy.price > max_fee:
                raise errors.PriceAboveMaximum(f"{found.policy.price} > {max_fee}")
            check_input(input, found.inputs)
            split = self.till.pay(payer, found.policy.price, found)
        except DispatchError as refusal:
            refusal.post = PostInfo(actual_weight=weights.infer(0, len(input)))
            raise
        outcome = self.executor.run(found.root, input, found.bounds)
        if isinstance(outcome, Trapped):
            raise errors.RunTrapped(outcome.reason)
        self._record(found, payer, input, outcome.outputs, split)

    def receipt(self, number: int) -> Receipt | None:
        """Give a receipt, None where it is unknown or expired."""
        return self.receipts.find(number)

    def quote(self, model: Name, version: int | None, input_bytes: int) -> Quote:
        """Say what a run on an input of some bytes would cost now; raises DispatchError."""
        found = self.models.runnable(model, version)
        split = self.till.preview(found.policy.price, found)
        weight = weights.infer(found.gas, input_bytes)
        return Quote(found.model, found.version, found.policy.price, split, weight)

    def dry_run(self, model: Name, version: int | None, input: bytes) -> DryRun:
        """Run without a trace; raises DispatchError as the call would, LocalFailure too."""
        found = self.models.runnable(model, version)
        check_input(input, found.inputs)
        quote = self.quote(model, version, len(input))
        outcome = self.executor.run(found.root, input, found.bounds)
        if isinstance(outcome, Trapped):
            return DryRun(quote, None, outcome.reason)
        return DryRun(quote, outcome.outputs, None)

    def on_initialize(self, number: int) -> None:
        """Remove some expired receipts."""
        self._prune(PRUNED_PER_BLOCK)

    def check_invariants(self) -> None:
        """Assert that receipts are numbered without a gap and add up."""
        first, after = self.first_receipt.get(), self.next_receipt.get()
        receipts = dict(self.receipts.items())
        assert sorted(receipts) == list(range(first, after)), "receipts have a gap"
        blocks = [receipts[number].block for number in range(first, after)]
        assert blocks == sorted(blocks), "receipts are out of order"
        for receipt in receipts.values():
            parts = receipt.parts
            shares = parts.validators + parts.owner + parts.contributors + parts.treasury
            total = shares + parts.parents
            assert total == receipt.price, "a price was not divided whole"

    def _record(
        self, found: Runnable, payer: Address, input: bytes, outputs: bytes, split: FeeSplit
    ) -> None:
        price, number = found.policy.price, self.next_receipt.get()
        hashes = blake2_256(input), blake2_256(outputs)
        self.receipts[number] = Receipt(
            found.model,
            found.version,
            payer,
            self.heights.height(),
            *hashes,
            weights.infer(found.gas, len(input)),
            price,
            split,
        )
        self.next_receipt.set(number + 1)
        self._prune(PRUNED_PER_RUN)
        self.state.results.append(hashes[1])
        inline = outputs if len(outputs) <= OUTPUT_INLINE_MAX else None
        self.emit(Inferred(number, found.model, found.version, payer, price, *hashes, inline))

    def _prune(self, receipts_max: int) -> None:
        first, after = self.first_receipt.get(), self.next_receipt.get()
        number, last = first, min(after, first + receipts_max)
        horizon = self.heights.height() - self.config.receipt_blocks
        while number < last and self.receipts[number].block < horizon:
            del self.receipts[number]
            number += 1
        if number > first:
            self.first_receipt.set(number)
