"""Whatever anybody signs, a transaction is applied, refused, or cannot stand in the block."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from chain.primitives.codec import TEXT, EncodeError, Shape, shapes, write_compact
from chain.primitives.extrinsic import (
    ED25519,
    Era,
    Extrinsic,
    SignedPart,
    decode_extrinsic,
    encode_extrinsic,
)
from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.assembly import CONSTRUCT
from runtime.block_execution import BlockExecution
from runtime.executive import Executive
from runtime.frame.calls import Argument, Call
from runtime.frame.construct import ApplyExtrinsic
from runtime.frame.ports import Bound
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy
from runtime.pallets.models.stored import Control, Lineage, Multisig, Parent, Referendum
from runtime.pallets.system.pallet import ExtrinsicFailed, ExtrinsicSuccess
from runtime.validation import InvalidTransaction
from tests.support.economy import LABEL, PIXELS, ScriptedExecutor
from tests.support.memory_chain import ALICE, BOB, CAROL, MemoryChain

PEOPLE: Final = (ALICE, BOB, CAROL)
TOPS: Final = tuple(bytes((each,)) * 32 for each in range(3))
ROOTS: Final = tuple(root_over(top, 5) for top in TOPS)
CONTENTS: Final = tuple(bytes((each,)) * 5 for each in range(3))
ROWS_ROOTS: Final = tuple(rows_root(each, 5) for each in CONTENTS)
WORDS: Final = ("digits", "letters", "", "a" * 48, "é" * 24, "\0", "Digits", "MIT")
POLICIES: Final = (
    FeePolicy(NOE // 3, 200_000, 300_000, 400_000, 100_000),
    FeePolicy(1, 0, 1_000_000, 0, 0),
)
LINEAGES: Final = (
    Lineage(),
    Lineage(datasets=("digits",)),
    Lineage((Parent("digits", 1),), datasets=("digits",)),
    Lineage((Parent("letters", 1),) * 2, 0, ("digits",) * 2),
)
CONTROLS: Final = (
    Control(),
    Control(time_lock=2),
    Control(Multisig(2, tuple(sorted(each.address for each in PEOPLE)))),
    Control(Referendum(), 0, 1),
)
BOUNDS: Final = (Bound("batch", 8), Bound("seq", 64))
CALLS: Final = tuple(
    (index, pallet.name, call)
    for index, pallet in CONSTRUCT.pallets.items()
    for call in pallet.calls.values()
)

WITHOUT_A_STORY: Final = frozenset(
    ("System", "Balances", "Rewards", "Blobs", "Models", "Data", "Inference", "Snapshots")
)
"""Pallets whose calls chance makes as they are meant; others need one after the other."""


AFTER_OTHERS: Final = frozenset(("Models.cancel_move", "Models.release_name", "Models.retire"))
"""Calls of these that need several others before them."""


class Forger:
    """Makes values of any shape, often extreme ones, and ones that meet what others made."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def write(self, argument: Argument, out: bytearray) -> None:
        """Append a value: mostly one that means something, else any of its shape."""
        known = self._meaningful(argument.name)
        if known is not None and self.dice.random() < 0.9:
            # In another call the name may mean something else.
            with suppress(EncodeError, TypeError, AttributeError, ValueError):
                out += argument.codec.encode(known())
                return
        self._any(argument.codec.shape, out)

    def _meaningful(self, name: str) -> Callable[[], Any] | None:
        pick = self.dice.choice
        return {
            "top": lambda: pick(TOPS),
            "root": lambda: pick(ROOTS),
            "blob": lambda: pick(ROOTS),
            "length": lambda: 5,
            "kind": lambda: pick((0, 1)),
            "rows": lambda: 1,
            "rows_root": lambda: pick(ROWS_ROOTS),
            "snapshot": lambda: pick((0, 0, 1)),
            "dest": lambda: pick(PEOPLE).address,
            "name": lambda: pick(("digits", "letters", "words", "sounds")),
            "dataset": lambda: pick(("digits", "letters")),
            "lineage": lambda: pick(LINEAGES),
            "control": lambda: pick(CONTROLS),
            "channel": lambda: pick(("stable", "next", "canary")),
            "model": lambda: pick(("digits", "letters")),
            "version": lambda: pick((None, 1, 2)),
            "record": lambda: pick((0, 1)),
            "element": lambda: 2,
            "shape": lambda: (5,),
            "classes": lambda: 0,
            "input": lambda: pick((PIXELS, PIXELS[:-1], LABEL, b"\0")),
            "policy": lambda: pick(POLICIES),
            "bounds": lambda: pick(((), (), (), BOUNDS, BOUNDS[::-1])),
            "max_fee": lambda: NOE,
            "sources": lambda: pick(((), ("digits",), ("digits", "letters"))),
            "call": self._any_call,
            "calls": lambda: tuple(self._any_call() for _ in range(self.dice.randrange(4))),
            "referendum": lambda: pick((0, 1)),
            "amount": lambda: pick((0, 1, NOE, 20 * NOE, (1 << 128) - 1)),
            "to": lambda: pick(PEOPLE).address,
            "value": lambda: pick((0, 1, NOE // 1000, NOE, (1 << 128) - 1)),
        }.get(name)

    def _any_call(self) -> bytes:
        """Give a call within a call; it may hold others."""
        index, _, call = self.dice.choice(CALLS)
        return self.call(index, call)

    def _any(self, shape: Shape, out: bytearray) -> None:
        """Append the bytes of any value of a shape."""
        dice = self.dice
        match shape:
            case shapes.Named(_, inner):
                self._any(inner, out)
            case shapes.Compact(inner):
                write_compact(self._number(inner.name), out)
            case shapes.Primitive("bool"):
                out.append(dice.randrange(2))
            case shapes.Primitive("str"):
                TEXT.write(dice.choice(WORDS), out)
            case shapes.Primitive(name):
                out += self._number(name).to_bytes(int(name[1:]) // 8, "little")
            case shapes.Array(shapes.Primitive("u8"), length):
                out += dice.choice((bytes(length), b"\xff" * length, dice.randbytes(length)))
            case shapes.Array(item, length):
                for _ in range(length):
                    self._any(item, out)
            case shapes.Sequence(shapes.Primitive("u8"), most):
                noise = dice.randbytes(dice.choice((0, 1, 100, min(most, 1000))))
                write_compact(len(noise), out)
                out += noise
            case shapes.Sequence(item, most):
                count = dice.choice((0, 1, min(most, 8)))
                write_compact(count, out)
                for _ in range(count):
                    self._any(item, out)
            case shapes.Tuple(items):
                for item in items:
                    self._any(item, out)
            case shapes.Optional(inner):
                out.append(dice.randrange(2))
                if out[-1]:
                    self._any(inner, out)
            case shapes.Composite(_, parts):
                for part in parts:
                    self._any(part.shape, out)
            case shapes.Variant(_, cases):
                case_ = dice.choice(cases)
                out.append(case_.index)
                self._any(case_.composite, out)
            case _:
                raise AssertionError(f"no value of {shape} is known here: say how one is made")

    def _number(self, name: str) -> int:
        greatest = (1 << int(name[1:])) - 1
        return self.dice.choice((0, 1, 2, greatest // 2, greatest - 1, greatest))

    def call(self, index: int, call: Call) -> bytes:
        out = bytearray((index, call.index))
        for each in call.arguments:
            self.write(each, out)
        return bytes(out)

    def garbage(self, well_formed: bytes) -> bytes:
        """Give bytes of a call with a few changed, cut off or added; or mere noise."""
        dice, out = self.dice, bytearray(well_formed)
        match dice.randrange(4):
            case 0:
                out[dice.randrange(len(out))] = dice.randrange(256)
            case 1:
                del out[dice.randrange(len(out)) :]
            case 2:
                out += dice.randbytes(dice.randrange(1, 80))
            case _:
                out[2:] = dice.choice((b"\xff", b"\3", b"\0")) * dice.randrange(200)
        return bytes(out)


class Siege:
    """A chain under attack: its executor knows every model, its blocks must end."""

    def __init__(self, seed: int) -> None:
        self.forger = Forger(seed)
        self.chain = MemoryChain()
        executor = ScriptedExecutor()
        executor.contents.update(zip(ROOTS, CONTENTS, strict=True))
        self.chain.executive = Executive(self.chain.config, executor)
        self.succeeded: set[str] = set()
        self._open()

    def _open(self) -> None:
        """Let there be a dataset with rows and a model, so that hostile calls meet something."""
        chain, root = self.chain, root_over(TOPS[0], 5)
        form = {
            "name": "digits",
            "element": 2,
            "shape": (5,),
            "classes": 0,
            "licence": "MIT",
            "distance": 0,
            "neighbours": 0,
        }
        rows = {"dataset": "digits", "blob": root, "rows": 1, "rows_root": ROWS_ROOTS[0]}
        model = {
            "name": "digits",
            "licence": "MIT",
            "lineage": Lineage(datasets=("digits",)),
            "policy": POLICIES[0],
            "control": Control(time_lock=1),
            "bounds": (),
        }
        announced = {"top": TOPS[0], "length": 5}
        chain.block(chain.transfer(ALICE, CAROL, 100 * NOE))
        chain.block(
            chain.sign(ALICE, "Blobs", "announce", {**announced, "kind": 0}),
            chain.sign(BOB, "Blobs", "announce", {**announced, "kind": 1}),
            chain.sign(CAROL, "Data", "create_dataset", form),
        )
        chain.block(
            chain.sign(ALICE, "Blobs", "attest", {"root": root}),
            chain.sign(BOB, "Data", "contribute", rows),
        )
        chain.block(chain.sign(ALICE, "Models", "register", {**model, "blob": root}))

    def block(self, calls: list[tuple[str, bytes]]) -> None:
        execution = self.chain.begin()
        for name, call in calls:
            self.attack(execution, name, call)
        outcome = self.chain.keep(execution.finish())
        records = CONSTRUCT.decode_events(outcome.events)
        for place, applied in enumerate(outcome.applied):
            own = [each.event for each in records if each.phase == ApplyExtrinsic(place)]
            last = own[-1]
            if applied.failure is None:
                assert isinstance(last, ExtrinsicSuccess)
            else:
                assert isinstance(last, ExtrinsicFailed)
                assert last.dispatch_error == applied.failure

    def attack(self, execution: BlockExecution, name: str, call: bytes) -> None:
        dice, state = self.forger.dice, execution.state
        address = (ALICE if name == "Blobs.attest" else dice.choice(PEOPLE)).address
        nonce = execution.pallets.system.account[address].nonce
        tip = dice.choice((0,) * 8 + (1, (1 << 128) - 1))
        part = SignedPart(address, ED25519, bytes(64), Era(), nonce, tip)
        encoded = encode_extrinsic(Extrinsic(call, part if dice.random() < 0.95 else None))
        extrinsic = decode_extrinsic(encoded)
        before = state.changes(), list(state.events), list(state.results)
        try:
            result = execution.apply(extrinsic, encoded, signature_checked=True)
        except InvalidTransaction:
            assert (state.changes(), state.events, state.results) == before
            return
        if result.succeeded:
            self.succeeded.add(name)


def test_calls_of_every_kind_never_break_a_block() -> None:
    succeeded: set[str] = set()
    for seed in range(12):
        siege = Siege(seed)
        forger = siege.forger
        issuance = siege.chain.queries().pallets.balances.total_issuance.get()
        for _ in range(20):
            chosen = forger.dice.choices(CALLS, k=len(CALLS))
            calls = [(f"{name}.{call.name}", forger.call(at, call)) for at, name, call in chosen]
            siege.block(calls)
        assert siege.chain.queries().pallets.balances.total_issuance.get() == issuance
        succeeded |= siege.succeeded
    signed = {f"{pallet}.{call.name}" for _, pallet, call in CALLS if pallet in WITHOUT_A_STORY}
    assert sorted(signed - succeeded - AFTER_OTHERS) == [], (
        "these calls were never made as they are meant"
    )


def test_calls_of_those_who_govern_never_break_a_block() -> None:
    """Several signatories and delegates need one after the other: their stories are elsewhere."""
    governing = ("Governance", "Treasury", "Parameters", "Utility", "Multisig")
    own = [each for each in CALLS if each[1] in governing]
    siege = Siege(1)
    for _ in range(40):
        chosen = siege.forger.dice.choices(own, k=20)
        siege.block(
            [(f"{name}.{call.name}", siege.forger.call(at, call)) for at, name, call in chosen]
        )
    expected = ("lock", "propose", "vote", "take_back", "cancel")
    assert {f"Governance.{name}" for name in expected} <= siege.succeeded
    assert {"Utility.batch", "Utility.batch_all"} <= siege.succeeded
    assert siege.succeeded.isdisjoint(("Treasury.spend", "Parameters.set"))


@pytest.mark.parametrize("seed", range(4))
def test_garbage_never_breaks_a_block(seed: int) -> None:
    siege = Siege(seed)
    for _ in range(4):
        calls = [
            (call.name, siege.forger.garbage(siege.forger.call(index, call)))
            for index, _, call in CALLS
            for _ in range(3)
        ]
        siege.block([*calls, ("noise", siege.forger.dice.randbytes(40)), ("nothing", b"")])
