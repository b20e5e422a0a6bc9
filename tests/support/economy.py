"""A chain of four validators in memory, whose calls are dispatched without transactions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain.primitives.hash_chain import along
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.keys import Keypair
from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import CONFIG, Genesis, Pallets, RuntimeConfig, assemble, genesis_changes
from runtime.frame import DispatchError, Event, Inherent, Overlay, PostInfo, Signed
from runtime.frame.ports import (
    AdmissionSummary,
    Bounds,
    Completed,
    LocalFailure,
    TensorType,
    Trapped,
)
from runtime.pallets.rewards import IssuanceConfig
from tests.support.pallet_calls import dispatch

ALICE, BOB, CAROL, DAVE, MALLORY = (
    Keypair.from_uri(f"//{name}").address for name in ("Alice", "Bob", "Carol", "Dave", "Mallory")
)
VALIDATORS = tuple(sorted(Keypair.from_uri(f"//Validator{number}").address for number in range(4)))
PEOPLE = (ALICE, BOB, CAROL, DAVE, MALLORY)

INPUTS = (TensorType("pixels", 1, (1, 2)),)
OUTPUTS = (TensorType("label", 7, (1,)),)
ADMITTED = AdmissionSummary(True, (), INPUTS, OUTPUTS, gas=1_000, peak_bytes=64)
LABEL = b"\4\x14label\x07\4\4\x20" + bytes(8)
PIXELS = b"\4\x18pixels\x01\x08\4\x08\x20" + bytes(8)
"""Canonical bytes of one float32 tensor of shape [1, 2]."""


class ScriptedExecutor:
    """Admits every model and answers every run, unless told otherwise."""

    def __init__(self) -> None:
        self.summaries: dict[bytes, AdmissionSummary] = {}
        self.answer: Callable[[bytes, bytes], Completed | Trapped] = lambda root, inputs: Completed(
            LABEL
        )
        self.admitted: list[tuple[bytes, int, Bounds]] = []
        self.runs: list[tuple[bytes, bytes, Bounds]] = []
        self.contents: dict[bytes, bytes] = {}

    def read(self, root: bytes) -> bytes:
        if root not in self.contents:
            raise LocalFailure(root.hex())
        return self.contents[root]

    def admit(self, root: bytes, length: int, bounds: Bounds) -> AdmissionSummary:
        self.admitted.append((root, length, bounds))
        return self.summaries.get(root, ADMITTED)

    def run(self, root: bytes, inputs: bytes, bounds: Bounds) -> Completed | Trapped:
        self.runs.append((root, inputs, bounds))
        return self.answer(root, inputs)


QUIET = replace(CONFIG, issuance=IssuanceConfig(0, 0))
"""Rules under which no new coins are made, so that sums stay simple."""


class Chain:
    """Blocks one after the other; invariants are checked behind each.

    `join` may change who knows whom before a block begins.
    """

    def __init__(self, config: RuntimeConfig = QUIET) -> None:
        self.config = config
        self.executor = ScriptedExecutor()
        self.join: Callable[[Pallets], None] = lambda pallets: None
        funds = {**dict.fromkeys(PEOPLE, 1_000 * NOE), **dict.fromkeys(VALIDATORS, 200 * NOE)}
        stakes = dict(zip(VALIDATORS, (100 * NOE,) * 4, strict=True))
        self.base = genesis_changes(Genesis(funds, stakes), config)
        self.number = 0
        self._told = 0
        self._open()

    def _open(self) -> None:
        self.number += 1
        self.state = Overlay.over(self.base)
        self.pallets = assemble(self.state, self.executor, self.config)
        self.join(self.pallets)
        author = VALIDATORS[self.number % 4]
        self.pallets.system.initialize(self.number, ZERO_HASH, (), author)
        for pallet in self.pallets.by_index.values():
            pallet.on_initialize(self.number)
        dispatch(self.pallets.timestamp, Inherent(), 0, {"now": 1_000 * self.number})
        dispatch(self.pallets.randomness, Inherent(), 0, self._reveal(author))

    def _reveal(self, author: bytes) -> dict[str, bytes | None]:
        """Give what an author says whose chain of secrets begins at its address."""
        known = self.pallets.randomness.commitment_of(author)
        length = self.config.randomness.chain_length
        if known is None:
            return {"secret": None, "commitment": along(author, length)}
        return {"secret": along(author, known.left - 1), "commitment": None}

    def end_block(self) -> list[Event]:
        """Finish the block, check what must hold, begin the next; gives the events since the last
        call.
        """
        for pallet in self.pallets.by_index.values():
            pallet.on_finalize(self.number)
        ended = self.state.events[self._told :]
        for key, value in self.state.changes().items():
            if value is None:
                self.base.pop(key, None)
            else:
                self.base[key] = value
        self.executor.contents.update(self.state.contents)
        self.pallets.check_invariants()
        self._open()
        self.pallets.check_invariants()
        self._told = len(self.state.events)
        return ended + self.state.events

    def call(self, who: bytes, pallet: str, call: str, /, **arguments: Any) -> PostInfo:
        """Dispatch a signed call by names."""
        target = getattr(self.pallets, pallet)
        (found,) = [each for each in target.calls.values() if each.name == call]
        assert sorted(arguments) == sorted(each.name for each in found.arguments)
        for each in found.arguments:
            encoded = each.codec.encode(arguments[each.name])
            assert each.codec.decode(encoded) == arguments[each.name]
        post: PostInfo = dispatch(target, Signed(who), found.index, arguments)
        return post

    def refuse(
        self, error: DispatchError, who: bytes, pallet: str, call: str, /, **rest: Any
    ) -> None:
        """Assert that a call is refused in these words and changes nothing."""
        before = self.state.changes(), list(self.state.events), list(self.state.results)
        with pytest.raises(type(error)) as refusal:
            self.call(who, pallet, call, **rest)
        assert str(refusal.value) == str(error)
        after = self.state.changes(), list(self.state.events), list(self.state.results)
        assert after == before

    def events_of(self, *kinds: type[Event]) -> list[Event]:
        """Give the events of this block so far that are of these kinds."""
        return [event for event in self.state.events if isinstance(event, kinds)]

    def make_available(self, who: bytes, top: bytes, length: int, kind: int) -> None:
        """Announce a blob and let three of four validators attest it."""
        self.call(who, "blobs", "announce", top=top, length=length, kind=kind)
        root = root_over(top, length)
        for validator in VALIDATORS[:3]:
            self.call(validator, "blobs", "attest", root=root)
