"""A network that only counts, so that every step of a training is known beforehand.

Its one state tensor `count` is an int64 that grows by the sum of the batch's labels; the loss is
the number of runs so far as a float32.
"""

import struct
from typing import Any

import onnx
from onnx import TensorProto, helper

from chain.primitives.merkle import root_of
from cli.training import Built
from runtime.frame.layout import Layout
from runtime.frame.ports import AdmissionSummary, Completed, TensorType, Trapped
from tests.support.economy import Chain
from tests.support.trainings import put_programs, rows_of, with_snapshot

BATCH = 4
TAKEN = (
    TensorType("features", 2, (BATCH, 64)),
    TensorType("labels", 7, (BATCH,)),
    TensorType("count", 7, ()),
)
GIVEN = (TensorType("count.next", 7, ()), TensorType("loss", 1, ()))
STATE = Layout(TAKEN[2:])
STEP = AdmissionSummary(True, (), TAKEN, GIVEN, gas=5_000_000, peak_bytes=1)
PREDICT = AdmissionSummary(
    True,
    (),
    (TensorType("rows", 2, (8, 64), ("rows", "")), TAKEN[2]),
    (TensorType("label", 7, (8,), ("rows",)),),
    gas=1_000,
    peak_bytes=1,
)


def _predict_file() -> bytes:
    rows = helper.make_tensor_value_info("rows", TensorProto.UINT8, ["rows", 64])
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [])
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"])
    node = helper.make_node("Identity", ["count"], ["label"])
    model: onnx.ModelProto = helper.make_model(
        helper.make_graph([node], "predict", [rows, count], [label])
    )
    written: bytes = model.SerializeToString()
    return written


FILES = Built(b"step graph", _predict_file(), STATE.join({"count": bytes(8)}))


class Counting:
    """Answers steps; what it is told to do at a run it does instead."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.runs = 0
        self.instead: dict[int, Any] = {}
        """By the number of the run: an outcome, or an exception to raise."""
        chain.executor.answer = self.run

    def run(self, root: bytes, inputs: bytes) -> Completed | Trapped:
        if root != root_of(FILES.step):
            return Trapped("it only counts")
        self.runs += 1
        planned = self.instead.get(self.runs)
        if isinstance(planned, Exception):
            raise planned
        if planned is not None:
            outcome: Completed | Trapped = planned
            return outcome
        taken = Layout(TAKEN).split(inputs)
        labels = struct.unpack(f"<{BATCH}q", taken["labels"])
        count = int.from_bytes(taken["count"], "little") + sum(labels)
        return Completed(self.given(count, float(self.runs)))

    def given(self, count: int, loss: float) -> bytes:
        contents = {"count.next": count.to_bytes(8, "little"), "loss": struct.pack("<f", loss)}
        return Layout(GIVEN).join(contents)


def counting_chain(rows: int = 10) -> tuple[Chain, Counting, dict[str, Any]]:
    """Give a chain with a snapshot of digits, its engine, and programs of the counting network."""
    chain = with_snapshot(Chain(), bob=rows_of("bob", rows))
    programs = put_programs(chain, FILES)
    chain.executor.summaries |= {programs["step"]: STEP, programs["predict"]: PREDICT}
    return chain, Counting(chain), programs
