"""Training by command: files are built, started, followed, replayed and fetched."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ai_exec
from chain.primitives.merkle import root_of, split
from chain.rpc.rules import questions
from tests.support.economy import Chain
from tests.support.fake_client import FakeClient, chain_answers, included, noema, shown
from tests.support.trainings import built, put_programs, run, start, training_chain

STEPS = 40


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = training_chain(rows=200)
    programs = put_programs(chain, built())
    start(chain, programs, STEPS)
    start(chain, programs, STEPS, budget=1)
    run(chain)
    return chain


def node(chain: Chain, **more: Any) -> FakeClient:
    """Give a client of a node that stands at the head of a chain in memory."""
    queries: Any = SimpleNamespace(
        pallets=chain.pallets, dataset=lambda name, first: chain.pallets.data.status(name, first)
    )
    contents = {"0x" + root.hex(): each for root, each in chain.executor.contents.items()}
    answers = {
        "ai_job": lambda number: questions.job(queries, number),
        "ai_jobs": lambda first, count: questions.jobs(queries, first, count),
        "ai_snapshot": lambda number: questions.snapshot(queries, number),
        "ai_dataset": lambda name: questions.dataset(queries, name, 0),
        "ai_blobStatus": lambda root: {
            "chain": {"length": len(contents[root]), "available_since": 1},
            "chunks_held": list(range(len(split(contents[root])))),
        },
        "ai_getChunk": lambda root, index: "0x" + split(contents[root])[index].hex(),
    }
    return FakeClient({**chain_answers(), "state_getStorage": "0x00", **answers, **more})


def test_a_network_is_built_and_started(chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    options = ("--inputs", "64", "--classes", "10", "--optimizer", "sgd", "--rate", "0.5")
    made = noema(
        *("train", "build", "linear", *options, "--scale", "16", "--out", str(folder), "--json")
    )
    step = (folder / "step.onnx").read_bytes()
    assert shown(made)["step_gas"] == ai_exec.admit(step).cost
    assert step == built().step
    assert (folder / "parameters.tensors").read_bytes() == built().parameters

    started = {"job": 0, "owner": "5F", "snapshot": 0, "steps": STEPS}
    event = included([{"name": "Training.Started", "fields": started}])
    client = node(chain, ai_transaction=event)
    begun = noema(
        *("train", "start", str(folder), "--snapshot", "0", "--steps", str(STEPS)),
        *("--budget", "5NOE", "--from", "//Alice", "--follow", "--json"),
        client=client,
    )
    found = shown(begun)
    assert (found["job"], found["status"], found["done"]) == (0, "Finished", STEPS)


def test_a_training_is_shown_with_its_curve(chain: Chain) -> None:
    found = shown(noema("train", "show", "0", "--json", client=node(chain)))
    assert found["curve"][-1] == {"step": STEPS, "loss": found["loss"]}
    assert 0 < found["loss"] < 2.4
    text = noema("train", "show", "0", client=node(chain)).stdout
    assert "Finished" in text
    listed = shown(noema("train", "list", "--json", client=node(chain)))
    assert [each["status"] for each in listed] == ["Finished", "Refused"]


def test_a_replay_comes_to_the_same_model(chain: Chain) -> None:
    found = shown(noema("train", "replay", "0", "--json", client=node(chain)))
    model = "0x" + (chain.pallets.training.jobs[0].model or b"").hex()
    expected = {"job": 0, "steps": STEPS, "chain": model, "here": model, "same": True}
    assert found == expected


def test_a_replay_that_differs_is_told(chain: Chain) -> None:
    other = questions.job(
        SimpleNamespace(pallets=chain.pallets),  # type: ignore[arg-type]
        0,
    )
    assert other is not None
    client = node(chain, ai_job={**other, "seed": "0x" + "11" * 32})
    result = noema("train", "replay", "0", client=client)
    assert result.exit_code == 1
    assert "Another model" in result.output


def test_a_model_is_fetched(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "digits.onnx"
    found = shown(noema("train", "fetch", "0", "-o", str(file), "--json", client=node(chain)))
    assert found["root"] == "0x" + root_of(file.read_bytes()).hex()
    refused = noema("train", "fetch", "1", "-o", str(file), client=node(chain))
    assert refused.exit_code == 1
    assert "the budget is 1" in refused.output
