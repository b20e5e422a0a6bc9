"""The gate with its real judge: the chain itself scores versions on a snapshot."""

import numpy as np

from chain.primitives.merkle import root_over
from runtime.frame.ports import AdmissionSummary, Completed, TensorType
from runtime.frame.predictions import decode_arrays, encode_arrays
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy
from runtime.pallets.models import events
from runtime.pallets.models.stored import Control, Lineage
from runtime.pallets.snapshots.pallet import SnapshotInUse
from tests.support.economy import ALICE, BOB, VALIDATORS, Chain

ROWS = 10
CONTENT = b"".join(bytes((row, row % 3, row % 3)) for row in range(ROWS))
TOP = b"\x08" * 32
BLOB = root_over(TOP, len(CONTENT))
TOPS = tuple(bytes((number,)) * 32 for number in range(1, 4))
ROOTS = tuple(root_over(top, 1_000) for top in TOPS)
TAKEN = TensorType("x", 1, (4, 2), ("rows", ""))
SUMMARY = AdmissionSummary(True, (), (TAKEN,), (TensorType("y", 7, (4,)),), 1_000, 64)
WRONG = {ROOTS[0]: 3, ROOTS[1]: 5, ROOTS[2]: 1}
"""Rows that each version gets wrong."""


def answer(root: bytes, inputs: bytes) -> Completed:
    """Give the second feature as the label, and a wrong one for the first rows."""
    _, features = decode_arrays(inputs)["x"]
    labels = np.where(features[:, 0] < WRONG[root], 9, features[:, 1])
    return Completed(encode_arrays({"y": (7, labels)}))


def until_moved(chain: Chain) -> list[object]:
    for _ in range(20):
        happened = chain.end_block()
        kinds = (events.Moved, events.MoveRefused)
        found: list[object] = [each for each in happened if isinstance(each, kinds)]
        if found:
            return found
    raise AssertionError("nothing came of the move")


def test_a_worse_version_is_refused_and_a_better_one_moves() -> None:
    chain = Chain()
    chain.executor.contents[BLOB] = CONTENT
    chain.executor.summaries = dict.fromkeys(ROOTS, SUMMARY)
    chain.executor.answer = answer
    form = {"element": 2, "shape": (2,), "classes": 3, "licence": "CC0", "distance": 0}
    chain.call(ALICE, "data", "create_dataset", name="rows", **form, neighbours=0)
    chain.call(BOB, "blobs", "announce", top=TOP, length=len(CONTENT), kind=1)
    promised = {"blob": BLOB, "rows": ROWS, "rows_root": rows_root(CONTENT, 3)}
    chain.call(BOB, "data", "contribute", dataset="rows", **promised)
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=BLOB)
    chain.end_block()
    chain.call(ALICE, "snapshots", "take", dataset="rows")
    for top in TOPS:
        chain.make_available(ALICE, top, 1_000, 0)
    policy = FeePolicy(0, 1_000_000, 0, 0, 0)
    version = {"name": "digits", "lineage": Lineage(), "bounds": ()}
    first = {**version, "licence": "MIT", "policy": policy, "control": Control(gate=0)}
    chain.call(ALICE, "models", "register", **first, blob=ROOTS[0])
    for root in ROOTS[1:]:
        chain.call(ALICE, "models", "publish", **version, blob=root)
    for _ in ROOTS:
        chain.end_block()
    chain.refuse(SnapshotInUse("1 uses"), ALICE, "snapshots", "drop", snapshot=0)

    chain.call(ALICE, "models", "move", name="digits", channel="stable", version=2)
    reason = "5 of 10 correct, the one before 7"
    assert until_moved(chain) == [events.MoveRefused("digits", "stable", 2, reason)]

    chain.call(ALICE, "models", "move", name="digits", channel="stable", version=3)
    assert until_moved(chain) == [events.Moved("digits", "stable", 3, 1)]
    ordered = chain.pallets.evaluation.next_evaluation.get()
    assert ordered == 3, "the bar was known the second time"
    chain.call(ALICE, "models", "move", name="digits", channel="stable", version=1)
    assert chain.pallets.models.runnable("digits", "stable").version == 1
    chain.end_block()
