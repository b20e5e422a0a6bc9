"""Evaluation: every row is judged once, at a known price, some in each block."""

from dataclasses import replace

import numpy as np
import pytest

from chain.primitives.merkle import root_over
from chain.primitives.numbers import NOE
from runtime.frame.evaluations import Failed, Score
from runtime.frame.ports import AdmissionSummary, Completed, LocalFailure, TensorType, Trapped
from runtime.frame.predictions import decode_arrays, encode_arrays
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy
from runtime.pallets.evaluation import EvaluationConfig, weights
from runtime.pallets.evaluation.pallet import (
    OPEN_MAX,
    CannotJudge,
    Evaluated,
    EvaluationFailed,
    EvaluationOrdered,
    TooManyOpen,
)
from runtime.pallets.models.errors import UnknownModel
from runtime.pallets.models.stored import Control, Lineage
from runtime.pallets.snapshots.pallet import SnapshotInUse, UnknownSnapshot
from tests.support.economy import ALICE, BOB, DAVE, QUIET, VALIDATORS, Chain

ROWS = 10
AT_ONCE = 4
CONTENT = b"".join(bytes((row, row % 3, row % 3)) for row in range(ROWS))
"""Rows of two features and a label, which the second feature tells."""

TOP, MODEL_TOP = b"\1" * 32, b"\2" * 32
BLOB, MODEL = root_over(TOP, len(CONTENT)), root_over(MODEL_TOP, 99)
TAKEN = TensorType("x", 1, (AT_ONCE, 2), ("rows", ""))
SUMMARY = AdmissionSummary(True, (), (TAKEN,), (TensorType("y", 7, (AT_ONCE,)),), 1_000, 64)
RUN = weights.run(1_000, AT_ONCE)
CONFIG = replace(QUIET, evaluation=EvaluationConfig(weight_per_block=2 * RUN, price_per_weight=1))


def second_feature(root: bytes, inputs: bytes) -> Completed:
    """Give the second feature as the label, and a wrong one for the last row."""
    _, features = decode_arrays(inputs)["x"]
    labels = np.where(features[:, 0] == ROWS - 1, 9, features[:, 1])
    return Completed(encode_arrays({"y": (7, labels)}))


@pytest.fixture
def chain() -> Chain:
    chain = Chain(CONFIG)
    chain.executor.contents[BLOB] = CONTENT
    chain.executor.summaries[MODEL] = SUMMARY
    chain.executor.answer = second_feature
    form = {"element": 2, "shape": (2,), "classes": 3, "licence": "CC0", "distance": 0}
    chain.call(ALICE, "data", "create_dataset", name="digits", **form, neighbours=0)
    chain.call(BOB, "blobs", "announce", top=TOP, length=len(CONTENT), kind=1)
    promised = {"blob": BLOB, "rows": ROWS, "rows_root": rows_root(CONTENT, 3)}
    chain.call(BOB, "data", "contribute", dataset="digits", **promised)
    for validator in VALIDATORS[:3]:
        chain.call(validator, "blobs", "attest", root=BLOB)
    chain.end_block()
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    chain.make_available(ALICE, MODEL_TOP, 99, 0)
    chain.end_block()
    return chain


def order(chain: Chain, payer: bytes = DAVE) -> int:
    return chain.pallets.evaluation.request(MODEL, (), (TAKEN,), 1_000, 0, payer)


def test_all_rows_are_judged_over_some_blocks(chain: Chain) -> None:
    free = chain.pallets.balances.free(DAVE)
    assert order(chain) == 0

    assert chain.events_of(EvaluationOrdered) == [EvaluationOrdered(0, MODEL, 0, DAVE)]
    assert chain.pallets.balances.reserved(DAVE) == 3 * RUN
    assert chain.pallets.evaluation.score(0) is None
    chain.end_block()
    assert chain.pallets.evaluation.evaluations[0].done == 2 * AT_ONCE
    assert chain.pallets.balances.reserved(DAVE) == RUN
    chain.end_block()

    assert chain.events_of(Evaluated) == [Evaluated(0, ROWS - 1, ROWS)]
    assert chain.pallets.evaluation.score(0) == Score(ROWS - 1, ROWS)
    assert chain.pallets.balances.reserved(DAVE) == 0
    assert chain.pallets.balances.free(DAVE) == free - 3 * RUN
    chain.call(ALICE, "snapshots", "drop", snapshot=0)
    chain.end_block()


def test_anybody_may_order_one_by_a_models_name(chain: Chain) -> None:
    names = ("name", "blob", "licence", "lineage", "policy", "control", "bounds")
    policy = FeePolicy(0, 1_000_000, 0, 0, 0)
    values = ("m", MODEL, "Apache-2.0", Lineage(), policy, Control(), ())
    chain.call(ALICE, "models", "register", **dict(zip(names, values, strict=True)))
    chain.end_block()
    chain.call(DAVE, "evaluation", "evaluate", model="m", version=None, snapshot=0)
    for _ in range(2):
        chain.end_block()
    assert chain.pallets.evaluation.score(0) == Score(ROWS - 1, ROWS)
    unknown = {"model": "none", "version": None, "snapshot": 0}
    chain.refuse(UnknownModel("none"), DAVE, "evaluation", "evaluate", **unknown)


def test_a_trap_ends_it_and_the_rest_comes_back(chain: Chain) -> None:
    chain.executor.answer = lambda root, inputs: Trapped("too deep")
    free = chain.pallets.balances.free(DAVE)
    order(chain)
    chain.end_block()
    failed = Failed("too deep")
    assert chain.events_of(EvaluationFailed) == [EvaluationFailed(0, failed)]
    assert chain.pallets.evaluation.score(0) == failed
    assert chain.pallets.balances.free(DAVE) == free - RUN
    chain.end_block()


def test_outputs_that_say_nothing_of_the_rows_end_it(chain: Chain) -> None:
    answer = Completed(encode_arrays({"y": (7, np.zeros(2, np.int64))}))
    chain.executor.answer = lambda root, inputs: answer
    order(chain)
    chain.end_block()
    assert chain.pallets.evaluation.score(0) == Failed(
        "it has neither a label nor scores for each row"
    )


def test_several_share_a_block(chain: Chain) -> None:
    numbers = [order(chain), order(chain, BOB)]
    chain.end_block()
    assert [chain.pallets.evaluation.evaluations[each].done for each in numbers] == [4, 4]
    for _ in range(3):
        chain.end_block()
    assert all(chain.pallets.evaluation.score(each) for each in numbers)


def test_a_run_heavier_than_a_block_still_comes(chain: Chain) -> None:
    chain.config = replace(CONFIG, evaluation=EvaluationConfig(1, 1))
    order(chain)
    for done in (4, 8, 10):
        chain.end_block()
        assert chain.pallets.evaluation.evaluations[0].done == done


def test_what_this_node_lacks_is_no_verdict(chain: Chain) -> None:
    order(chain)
    content = chain.executor.contents.pop(BLOB)
    with pytest.raises(LocalFailure):
        chain.end_block()
    chain.executor.contents[BLOB] = content


def test_refusals_change_nothing(chain: Chain) -> None:
    pallet = chain.pallets.evaluation
    before = chain.state.changes()
    narrow = TensorType("x", 1, (AT_ONCE, 3), ("rows", ""))
    with pytest.raises(CannotJudge, match=r"x is \[4, 3\], a row \[2\]"):
        pallet.request(MODEL, (), (narrow,), 1_000, 0, DAVE)
    with pytest.raises(CannotJudge, match="no rows at once"):
        pallet.request(MODEL, (), (TensorType("x", 1, (0, 2)),), 1_000, 0, DAVE)
    with pytest.raises(UnknownSnapshot):
        pallet.request(MODEL, (), (TAKEN,), 1_000, 7, DAVE)
    assert chain.state.changes() == before
    for _ in range(OPEN_MAX):
        order(chain)
    with pytest.raises(TooManyOpen):
        order(chain)
    chain.refuse(SnapshotInUse(f"{OPEN_MAX} uses"), ALICE, "snapshots", "drop", snapshot=0)
    assert chain.pallets.balances.free(DAVE) < 1_000 * NOE
