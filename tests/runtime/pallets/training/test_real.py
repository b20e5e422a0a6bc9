"""A real training: the engine of a node, real digits, and a model that anybody can run."""

import numpy as np
import onnxruntime

import ai_exec
from chain.primitives.merkle import root_of
from runtime.frame.trainings import Trained
from runtime.pallets.training.events import Admitted, Finished, Progressed, Seeded, Started
from tests.support.economy import ALICE, Chain
from tests.support.trainings import (
    BUDGET,
    LINEAR,
    ROWS,
    WIDTH,
    built,
    put_programs,
    rows_of,
    run,
    start,
    training_chain,
)

STEPS = 150


def accuracy(model: bytes) -> float:
    """Run a model on digits that it has not seen, in our engine and in onnxruntime."""
    rows = np.frombuffer(rows_of("unseen", ROWS), np.uint8).reshape(-1, WIDTH)
    features = np.ascontiguousarray(rows[:, :-1])
    admission = ai_exec.admit(model, bounds={"rows": ROWS})
    assert admission.admitted, admission.reasons
    ours = ai_exec.compile(admission.program).run({"features": features})["label"]
    (theirs,) = onnxruntime.InferenceSession(model).run(["label"], {"features": features})
    assert ours.tolist() == theirs.tolist()
    return float((ours == rows[:, -1]).mean())


def trained() -> tuple[Chain, list[object]]:
    chain = training_chain(rows=600)
    start(chain, put_programs(chain, built()), STEPS)
    return chain, run(chain)


def test_the_chain_trains_a_model_that_anybody_can_run() -> None:
    chain, happened = trained()
    job = chain.pallets.training.jobs[0]
    model = chain.executor.contents[job.model or b""]

    assert accuracy(model) > 0.9
    assert job.model == root_of(model)
    mine = [each for each in happened if type(each).__module__.endswith("training.events")]
    kinds = [type(each) for each in mine if not isinstance(each, Progressed)]
    assert kinds == [Started, Admitted, Seeded, Finished]
    last = [each for each in mine if isinstance(each, Progressed)][-1]
    assert (last.step, last.loss) == (STEPS, job.loss)
    assert (job.paid, job.left) == (STEPS * job.price, 0)
    assert chain.pallets.training.trained(0) == Trained(ALICE, "digits", 0, job.step, job.model)
    assert chain.pallets.blobs.is_available(job.model)
    assert job.paid <= BUDGET
    assert LINEAR.batch * STEPS > 600


def test_every_chain_comes_to_the_same_bytes() -> None:
    models = [chain.pallets.training.jobs[0].model for chain, _ in (trained(), trained())]
    assert models[0] == models[1]
