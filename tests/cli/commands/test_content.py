"""Blobs, models, datasets, inference and rewards by command."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from onnx import TensorProto, helper

from ai_exec.tensor import encode_tensors
from chain.primitives.keys import Keypair, ss58_encode
from chain.primitives.merkle import root_of, split, top_of
from runtime.frame.ports import Bound
from runtime.frame.rows import rows_root
from tests.support.fake_client import (
    HASH,
    FakeClient,
    Queue,
    chain_answers,
    included,
    noema,
    sent,
    shown,
)

BOB = ss58_encode(Keypair.from_uri("//Bob").address)
PIXELS = {"name": "pixels", "element": 1, "shape": [1, 64]}
OUTPUT = "0x" + encode_tensors({"label": np.array([7], dtype=np.int64)}).hex()
MODEL = {
    "name": "digits",
    "owner": BOB,
    "licence": "MIT",
    "policy": {"price": "500", "royalty": 0},
    "control": {"authority": "Owner", "gate": None, "time_lock": 0},
    "registered": 1,
    "active": [1],
    "channels": [{"name": "stable", "version": None}],
    "default": 1,
    "versions": [
        {
            "number": 1,
            "status": "Active",
            "published": 1,
            "length": 9,
            "lineage": {"parents": [], "job": None, "datasets": ["digits"]},
            "trained": None,
            "royalties": [],
            "reasons": [],
            "inputs": [PIXELS],
            "outputs": [],
            "gas": 5,
            "peak_bytes": 6,
            "blob": HASH,
        }
    ],
    "moves": [],
    "approvals": [],
}
DRY = {
    "model": "digits",
    "version": 1,
    "price": "500",
    "parts": {"owner": "500"},
    "weight": 9,
    "outputs": OUTPUT,
    "trap": None,
}


def content_answers(**more: Any) -> dict[str, Any]:
    """Give answers of a node that has no content yet and gets it in time."""
    status = {"chunks_held": [], "chain": None}
    available = {"chunks_held": [0], "chain": {"length": 10, "available_since": 9}}
    return {
        **chain_answers(),
        "state_getStorage": None,
        "ai_blobStatus": Queue([status, status, available]),
        "ai_uploadChunk": True,
        **more,
    }


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.json"
    path.write_text(json.dumps({"pixels": [0] * 64, "label": 7}))
    return path


def put(file: Path, client: FakeClient) -> Result:
    return noema("blob", "put", str(file), "--from", "//Bob", "--json", client=client)


def test_content_is_announced_uploaded_and_waited_for(tmp_path: Path) -> None:
    content = bytes(300_000)
    (tmp_path / "file").write_bytes(content)
    client = FakeClient(content_answers())

    result = noema(
        "blob", "put", str(tmp_path / "file"), "--from", "//Bob", "--json", client=client
    )

    root = root_of(content)
    assert shown(result) == {
        "root": "0x" + root.hex(),
        "length": 300_000,
        "kind": "model",
        "transaction": HASH,
        "available_since": 9,
    }
    assert sent(client)[1] == {"top": top_of(content), "length": 300_000, "kind": 0}
    assert [params[2] for params in client.params_of("ai_uploadChunk")] == [0, 1]


def test_a_repeated_upload_sends_only_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(600_000))
    half = {"chunks_held": [0, 2], "chain": {"available_since": 3}}
    client = FakeClient(content_answers(state_getStorage="0x00", ai_blobStatus=half))

    result = noema(
        "blob", "put", str(tmp_path / "file"), "--from", "//Bob", "--json", client=client
    )

    assert shown(result)["available_since"] == 3
    assert [params[2] for params in client.params_of("ai_uploadChunk")] == [1]
    assert client.params_of("author_submitExtrinsic") == []


def test_content_is_fetched_and_checked(tmp_path: Path) -> None:
    content = b"x" * 300_000
    chunks = ["0x" + chunk.hex() for chunk in split(content)]
    root = "0x" + root_of(content).hex()
    answers = {
        "ai_blobStatus": {"chain": {"length": len(content)}},
        "ai_getChunk": lambda root, index: chunks[index],
    }
    target = tmp_path / "copy"

    shown(noema("blob", "get", root, "-o", str(target), "--json", client=FakeClient(answers)))
    assert target.read_bytes() == content

    target.unlink()
    refused = noema("blob", "get", HASH, "-o", str(target), client=FakeClient(answers))
    assert refused.exit_code == 1
    assert "ContentMismatch" in refused.stderr
    assert not target.exists()


def test_rows_are_counted_and_named(tmp_path: Path) -> None:
    content = bytes(range(65)) + bytes(65)
    (tmp_path / "my.rows").write_bytes(content)
    dataset = {"element": 2, "shape": [8, 8], "classes": 10}
    held = {"chunks_held": [0], "chain": {"available_since": 3}}
    client = FakeClient(
        content_answers(state_getStorage="0x00", ai_blobStatus=held, ai_dataset=dataset)
    )
    typed = ("data", "contribute", "digits", str(tmp_path / "my.rows"), "--from", "//Bob", "--json")

    assert shown(noema(*typed, client=client))["rows"] == 2
    assert sent(client)[1] == {
        "dataset": "digits",
        "blob": root_of(content),
        "rows": 2,
        "rows_root": rows_root(content, 65),
    }

    (tmp_path / "my.rows").write_bytes(content[:-1])
    assert noema(*typed, client=client).exit_code == 2


def test_many_rows_become_several_records(tmp_path: Path) -> None:
    content = b"".join(number.to_bytes(2, "little") for number in range(4097))
    (tmp_path / "my.rows").write_bytes(content)
    held = {"chunks_held": [0], "chain": {"available_since": 3}}
    dataset = {"element": 2, "shape": [2], "classes": 0}
    client = FakeClient(
        content_answers(state_getStorage="0x00", ai_blobStatus=held, ai_dataset=dataset)
    )
    typed = ("data", "contribute", "n", str(tmp_path / "my.rows"), "--from", "//Bob", "--json")

    result = shown(noema(*typed, client=client))

    assert (result["rows"], [each["rows"] for each in result["records"]]) == (4097, [4096, 1])
    assert len(client.params_of("author_submitExtrinsic")) == 2


@pytest.mark.parametrize(
    ("typed", "call", "arguments"),
    [
        ("data snapshot digits", "Snapshots.take", {"dataset": "digits"}),
        ("data drop 3", "Snapshots.drop", {"snapshot": 3}),
        ("data withdraw digits 0", "Data.withdraw_consent", {"dataset": "digits", "record": 0}),
    ],
)
def test_snapshots_and_consent(typed: str, call: str, arguments: dict[str, Any]) -> None:
    client = FakeClient(chain_answers())
    shown(noema(*typed.split(), "--from", "//Bob", "--json", client=client))
    assert sent(client)[1:] == (arguments, call)


def test_a_dataset_is_created() -> None:
    client = FakeClient(chain_answers())
    typed = "data create digits --shape 8x8 --classes 10 --from //Alice --json"

    shown(noema(*typed.split(), client=client))

    assert sent(client)[1] == {
        "name": "digits",
        "element": 2,
        "shape": (8, 8),
        "classes": 10,
        "licence": "CC-BY-4.0",
        "distance": 0,
        "neighbours": 0,
    }
    assert noema(*typed.split(), "--element", "float8", client=client).exit_code == 2


@pytest.mark.parametrize("status", ["Active", "Rejected"])
def test_a_model_is_registered_and_waited_for(status: str, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"a model")
    published = {"name": "Models.Published", "fields": {"version": 1}}
    version = {**MODEL["versions"][0], "status": status, "reasons": ["too deep", "too wide"]}  # type: ignore[index]
    pending = {**version, "status": "Pending"}
    client = FakeClient(
        content_answers(
            state_getStorage="0x00",
            ai_blobStatus={"chunks_held": [0], "chain": {"available_since": 3}},
            ai_transaction=included([published]),
            ai_model=Queue([{"versions": [pending]}, {"versions": [version]}]),
        )
    )
    options = "--skip-check --from //Alice --price 1NOE --dataset d --contributors 10% --owner 50%"

    result = noema(
        "model", "register", "digits", str(tmp_path / "m.onnx"), *options.split(), client=client
    )

    policy = sent(client)[1]["policy"]
    assert (policy.price, policy.owner, policy.contributors) == (10**12, 500_000, 100_000)
    if status == "Active":
        assert result.exit_code == 0
        assert "digits@1" in result.stdout
    else:
        assert result.exit_code == 1
        assert "too deep\n  too wide" in result.stderr


def test_shares_that_do_not_add_up_are_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"a model")
    typed = ("model", "register", "digits", str(tmp_path / "m.onnx"), "--from", "//Alice")

    result = noema(*typed, "--owner", "50%")

    assert (result.exit_code, "add up to 100%, not 90%" in result.stderr) == (2, True)


def test_a_bad_model_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no model at all")
    client = FakeClient(content_answers())
    path = str(tmp_path / "m.onnx")

    assert noema("model", "check", path, client=client).exit_code == 1
    result = noema("model", "register", "m", path, "--from", "//Alice", client=client)

    assert (result.exit_code, "Not admitted" in result.stderr) == (1, True)
    assert client.asked == []


def test_a_dry_run_shows_output_and_whole_price(image: Path) -> None:
    client = FakeClient({**chain_answers(), "ai_model": MODEL, "ai_dryRun": DRY})

    result = noema("infer", "digits", str(image), "--dry-run", "--json", client=client)

    assert shown(result) == {
        "model": "digits@1",
        "outputs": {"label": [7]},
        "price": "500",
        "parts": {"owner": "500"},
        "network_fee": "2000000000",
        "total": "2000000500",
    }
    assert client.params_of("author_submitExtrinsic") == []


def test_a_paid_run_shows_its_result(image: Path) -> None:
    fields = {
        "receipt": 3,
        "model": "digits",
        "version": 1,
        "output": OUTPUT,
        "output_hash": HASH,
        "price": "500",
    }
    outcome = included([{"name": "Inference.Inferred", "fields": fields}])
    client = FakeClient({**chain_answers(), "ai_model": MODEL, "ai_transaction": outcome})

    result = shown(
        noema("infer", "digits@1", str(image), "--from", "//Bob", "--json", client=client)
    )

    assert (result["outputs"], result["receipt"]) == ({"label": [7]}, 3)
    assert (result["fee"], result["total"]) == ("1500000000", "1500000500")
    zeros = encode_tensors({"pixels": np.zeros((1, 64), dtype=np.float32)})
    assert sent(client)[1] == {"model": "digits", "version": 1, "input": zeros, "max_fee": 500}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits"], "give --from KEY, or --dry-run"),
        (["digits@2", "--dry-run"], "digits has no version 2"),
        (["digits@x", "--dry-run"], "no version number"),
    ],
)
def test_wrong_runs_are_wrong_use(arguments: list[str], words: str, image: Path) -> None:
    client = FakeClient({"ai_model": MODEL})

    result = noema("infer", arguments[0], str(image), *arguments[1:], client=client)

    assert (result.exit_code, words in result.stderr) == (2, True)


def open_model() -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "open",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())


def test_open_axes_are_checked_and_registered_with_bounds(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(open_model())
    published = {"name": "Models.Published", "fields": {"version": 1}}
    client = FakeClient(
        content_answers(
            state_getStorage="0x00",
            ai_blobStatus={"chunks_held": [0], "chain": {"available_since": 3}},
            ai_transaction=included([published]),
            ai_model=MODEL,
        )
    )
    missing = noema("model", "check", str(file), client=client)
    assert (missing.exit_code, "for instance --bound batch=8" in missing.stderr) == (1, True)
    checked = shown(noema("model", "check", str(file), "--bound", "batch=4", "--json"))
    assert checked["inputs"] == ["x float32[batch <= 4, 2]"]

    typed = ("model", "register", "relu", str(file), "--from", "//Alice", "--bound", "batch=4")
    assert noema(*typed, client=client).exit_code == 0
    assert sent(client)[1]["bounds"] == (Bound("batch", 4),)


@pytest.mark.parametrize("wrong", ["batch", "batch=0", "=3", "batch=many", "batch=4294967296"])
def test_what_is_no_bound_costs_nothing(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(open_model())
    client = FakeClient(content_answers())
    typed = ("model", "register", "relu", str(tmp_path / "m.onnx"), "--from", "//Alice")

    refused = noema(*typed, "--bound", wrong, client=client)
    twice = noema(*typed, "--bound", "batch=1", "--bound", "batch=2", client=client)

    assert (refused.exit_code, "is no bound: batch=8" in refused.stderr) == (2, True)
    assert (twice.exit_code, "named twice" in twice.stderr) == (2, True)
    assert client.asked == []


@pytest.mark.parametrize("name", ["Digits", "my digits", "2digits", "", "a" * 49])
def test_a_name_that_the_chain_refuses_costs_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"a model")
    client = FakeClient(content_answers())

    model = noema(
        "model", "register", name, str(tmp_path / "m.onnx"), "--from", "//A", client=client
    )
    rows = noema("data", "create", name, "--shape", "8", "--from", "//A", client=client)

    for result in (model, rows):
        assert (result.exit_code, "is no name: small letters" in result.stderr) == (2, True)
    assert client.asked == []


def test_element_types_are_words_for_people() -> None:
    pixels = {"name": "pixels", "element": 1, "shape": [1, 64]}
    version = {**MODEL["versions"][0], "inputs": [pixels]}  # type: ignore[index]
    client = FakeClient({"ai_model": {**MODEL, "versions": [version]}})

    assert "float32" in noema("model", "show", "digits", client=client).stdout
    found = shown(noema("model", "show", "digits", "--json", client=client))
    assert found["versions"][0]["inputs"] == [pixels]


REWARDS = {
    "claimable": "5",
    "sources": [
        {"source": "digits", "owed": "2"},
        {"source": "empty", "owed": "0"},
        {"source": "digits.3", "owed": "3"},
    ],
}


def test_rewards_are_shown_and_claimed() -> None:
    claimed = {"name": "Rewards.Claimed", "fields": {"account": BOB, "amount": "5"}}
    client = FakeClient(
        {
            **chain_answers(),
            "ai_rewards": REWARDS,
            "ai_transaction": included([claimed]),
        }
    )

    assert shown(noema("reward", "show", "//Bob", "--json", client=client)) == REWARDS
    result = shown(noema("reward", "claim", "--from", "//Bob", "--json", client=client))
    assert result["claimed"] == {"account": BOB, "amount": "5"}
    assert sent(client)[1] == {"sources": ("digits.3", "digits")}


def test_a_version_is_retired() -> None:
    client = FakeClient(chain_answers())

    shown(noema(*["model", "retire", "digits", "1", "--from", "//Alice", "--json"], client=client))

    assert sent(client)[1] == {"name": "digits", "version": 1}
