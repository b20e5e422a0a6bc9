"""The story of this chain in blocks: data, a real model, a paid run, its division, a claim."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from ai_exec.backend import InProcess
from ai_exec.tensor import decode_tensors, encode_tensors
from chain.primitives.keys import Keypair
from chain.primitives.merkle import root_of, top_of
from chain.primitives.numbers import NOE
from runtime.assembly import CONSTRUCT
from runtime.block_execution import BlockOutcome
from runtime.execution import BackendExecutor
from runtime.frame.ports import Bound, LocalFailure
from runtime.frame.rows import rows_root
from runtime.frame.runs import FeePolicy
from runtime.pallets.inference.errors import WrongShape
from runtime.pallets.inference.pallet import Inferred
from runtime.pallets.models import Status
from runtime.pallets.models.stored import Control, Lineage
from tests.support.memory_chain import ALICE, BOB, MemoryChain

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = (DIGITS / "digits.onnx").read_bytes()
ROWS = (DIGITS / "bob.rows").read_bytes()
POLICY = FeePolicy(NOE // 2, 200_000, 300_000, 400_000, 100_000)


class Story:
    """A chain whose engine is real and whose content is at hand."""

    def __init__(self) -> None:
        self.content: dict[bytes, bytes] = {}
        self.chain = MemoryChain()
        engine = BackendExecutor(InProcess("reference"), self.load)
        self.chain.executive = type(self.chain.executive)(self.chain.config, engine)

    def load(self, root: bytes) -> bytes:
        if root not in self.content:
            raise LocalFailure("no such content")
        return self.content[root]

    def send(self, who: Keypair, pallet: str, call: str, **arguments: object) -> BlockOutcome:
        """Put one transaction into a block; it must do what it is meant to do."""
        outcome = self.chain.block(self.chain.sign(who, pallet, call, arguments))
        assert outcome.applied[-1].failure is None, outcome.applied[-1].detail
        return outcome

    def share(self, who: Keypair, content: bytes, kind: int) -> bytes:
        """Announce content and let the only validator attest it, free of charge."""
        root = root_of(content)
        self.content[root] = content
        self.send(who, "Blobs", "announce", top=top_of(content), length=len(content), kind=kind)
        assert self.send(ALICE, "Blobs", "attest", root=root).applied[-1].fee == 0
        return root


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story()
    form = {"name": "digits", "element": 2, "shape": (64,), "classes": 10, "licence": "CC-BY-4.0"}
    story.send(ALICE, "Data", "create_dataset", **form, distance=0, neighbours=0)
    blob = story.share(BOB, ROWS, 1)
    root = rows_root(ROWS, 65)
    story.send(BOB, "Data", "contribute", dataset="digits", blob=blob, rows=750, rows_root=root)
    model = {
        "name": "digits",
        "licence": "Apache-2.0",
        "lineage": Lineage(datasets=("digits",)),
        "policy": POLICY,
        "control": Control(),
        "bounds": (),
    }
    story.send(ALICE, "Models", "register", blob=story.share(ALICE, MODEL, 0), **model)
    story.chain.block()
    return story


def image() -> tuple[bytes, int]:
    """Give a digit that the training never saw, and what it is."""
    described = json.loads((DIGITS / "dave.json").read_text())
    pixels = np.array([described["pixels"]], dtype=np.float32)
    return encode_tensors({"pixels": pixels}), described["label"]


def test_the_model_is_active(story: Story) -> None:
    found = story.chain.queries().model("digits")
    assert found is not None
    ((_, version),) = found.versions
    assert (version.status, version.reasons) == (Status.ACTIVE, ())
    assert [(each.name, each.element, each.shape) for each in version.inputs] == [
        ("pixels", 1, (1, 64))
    ]


def test_a_paid_run_gives_the_right_digit_and_is_divided(story: Story) -> None:
    encoded, label = image()
    chain = story.chain
    quote = chain.queries().quote("digits", None, len(encoded))
    before = chain.queries().account(BOB.address).data.free

    outcome = story.send(
        *(BOB, "Inference", "infer"),
        model="digits",
        version=None,
        input=encoded,
        max_fee=quote.price,
    )

    (inferred,) = [
        each.event
        for each in CONSTRUCT.decode_events(outcome.events)
        if isinstance(each.event, Inferred)
    ]
    assert inferred.output is not None
    assert decode_tensors(inferred.output)["label"].tolist() == [label]
    assert outcome.results == (inferred.output_hash,)
    paid = before - chain.queries().account(BOB.address).data.free
    assert paid == quote.price + outcome.applied[-1].fee
    # One contributor and a row count that does not divide: truncation holds one unit back.
    assert quote.parts.contributors - chain.queries().rewards(BOB.address).claimable in (0, 1)


def test_a_claim_pays_what_was_earned(story: Story) -> None:
    chain = story.chain
    before = chain.queries().account(BOB.address).data.free
    claimable = chain.queries().rewards(BOB.address).claimable

    outcome = story.send(BOB, "Rewards", "claim", sources=("digits",))

    after = chain.queries().account(BOB.address).data.free
    assert after == before + claimable - outcome.applied[-1].fee
    assert chain.queries().rewards(BOB.address).claimable <= 1


def test_a_wrong_input_costs_its_bytes_only(story: Story) -> None:
    encoded, _ = image()
    chain = story.chain
    arguments = {"model": "digits", "version": None, "input": encoded[:-4], "max_fee": NOE}
    outcome = chain.block(chain.sign(BOB, "Inference", "infer", arguments))

    refused = outcome.applied[-1]
    assert refused.failure is not None
    assert CONSTRUCT.refusal_of(refused.failure).name == "Inference.MalformedInput"
    assert outcome.results == ()


def open_digits() -> bytes:
    """Give the classifier for as many pictures as one likes."""
    model = onnx.load_from_string(MODEL)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return bytes(model.SerializeToString())


def test_a_version_with_an_open_axis_runs_at_any_length_up_to_its_bound(story: Story) -> None:
    chain, encoded, label = story.chain, *image()
    blob = story.share(ALICE, open_digits(), 0)
    version = {"name": "digits", "blob": blob, "lineage": Lineage(datasets=("digits",))}
    for bounds in ((), (Bound("batch", 3),)):
        story.send(ALICE, "Models", "publish", **version, bounds=bounds)
    for _ in range(2):
        chain.block()
    found = chain.queries().model("digits")
    assert found is not None
    (_, refused), (_, admitted) = found.versions[1:]
    assert refused.status == Status.REJECTED
    assert "give it a bound, for instance --bound batch=8" in refused.reasons[0]
    assert (admitted.status, admitted.inputs[0].axes) == (Status.ACTIVE, ("batch", ""))
    assert admitted.inputs[0].shape == (3, 64)

    pixels = decode_tensors(encoded)["pixels"]
    for count in (1, 3):
        inputs = encode_tensors({"pixels": np.repeat(pixels, count, axis=0)})
        quote = chain.queries().quote("digits", 3, len(inputs))
        given = {"model": "digits", "version": 3, "input": inputs, "max_fee": quote.price}
        outcome = story.send(BOB, "Inference", "infer", **given)
        (inferred,) = [
            each.event
            for each in CONSTRUCT.decode_events(outcome.events)
            if isinstance(each.event, Inferred)
        ]
        assert inferred.output is not None
        assert decode_tensors(inferred.output)["label"].tolist() == [label] * count

    four = encode_tensors({"pixels": np.repeat(pixels, 4, axis=0)})
    with pytest.raises(WrongShape):
        chain.queries().dry_run("digits", 3, four)
