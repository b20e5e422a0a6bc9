"""Channels and families of models by command."""

from typing import Any

import pytest

from chain.primitives.keys import Keypair, ss58_encode
from chain.rpc.rules import questions
from runtime.pallets.models.stored import Control, Lineage, Multisig, Owner, Parent, Referendum
from runtime.queries import Queries
from tests.support.fake_client import FakeClient, chain_answers, included, noema, sent, shown
from tests.support.registry import Registry

ALICE, BOB, CAROL = (Keypair.from_uri(f"//{name}").address for name in ("Alice", "Bob", "Carol"))
A, B, C = (ss58_encode(each) for each in (ALICE, BOB, CAROL))
ORDER = sorted((ALICE, BOB, CAROL))


def version(number: int, parents: tuple[tuple[str, int], ...] = (), **changes: Any) -> Any:
    named = [{"model": name, "version": each} for name, each in parents]
    return {
        "number": number,
        "status": "Active",
        "published": number,
        "length": 1000,
        "gas": 7,
        "lineage": {"parents": named, "job": None, "datasets": []},
        "trained": None,
        "royalties": [],
        "reasons": [],
        "inputs": [],
        "outputs": [],
        **changes,
    }


def model(name: str, *versions: Any, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "owner": A,
        "licence": "MIT",
        "policy": {"price": "5", "royalty": 0},
        "registered": 1,
        "control": {"authority": "Owner", "gate": None, "time_lock": 0},
        "channels": [{"name": "stable", "version": None}, {"name": "next", "version": None}],
        "default": len(versions),
        "versions": list(versions),
        "moves": [],
        "approvals": [],
        **changes,
    }


def wanting(*actions: tuple[str, Any]) -> dict[str, Any]:
    approvals = [{"signatory": who, "action": action} for who, action in actions]
    return model("digits", version(1), version(2), approvals=approvals)


def to(number: int | None) -> dict[str, Any]:
    return {"MoveTo": {"channel": "stable", "version": number}}


@pytest.mark.parametrize(("typed", "number"), [("2", 2), ("nothing", None)])
def test_a_move_is_sent(typed: str, number: int | None) -> None:
    client = FakeClient({**chain_answers(), "ai_transaction": included([])})
    result = noema("model", "move", "digits", "stable", typed, "--from", "//Alice", client=client)
    assert result.exit_code == 0, result.stderr
    assert sent(client)[1] == {"name": "digits", "channel": "stable", "version": number}


@pytest.mark.parametrize("typed", ["0", "two", "-1", "9999999999"])
def test_what_is_no_version_costs_nothing(typed: str) -> None:
    result = noema("model", "move", "digits", "stable", "--from", "//Alice", "--", typed)
    assert (result.exit_code, "is no version" in result.stderr) == (2, True)


def test_an_approval_is_the_call_that_others_made() -> None:
    found = wanting((A, to(2)), (B, {"Cancel": {"channel": "stable"}}))
    answers = {**chain_answers(), "ai_transaction": included([]), "ai_model": found}
    client = FakeClient(answers)
    result = noema("model", "approve", "digits", "stable", "--from", "//Bob", client=client)
    assert result.exit_code == 0, result.stderr
    assert sent(client)[1] == {"name": "digits", "channel": "stable", "version": 2}


def test_an_approval_names_one_of_several() -> None:
    client = FakeClient({"ai_model": wanting((A, to(2)), (B, to(None)))})
    typed = ("model", "approve", "digits", "stable", "--from", "//Bob")
    several = noema(*typed, client=client)
    assert (several.exit_code, "stable at 2, nothing: name one" in several.stderr) == (2, True)
    none = noema(*typed, "1", client=client)
    assert (none.exit_code, "nobody wants to move stable there" in none.stderr) == (2, True)


@pytest.mark.parametrize(
    ("command", "rest"), [("cancel-move", {"channel": "stable"}), ("release", {})]
)
def test_moves_are_cancelled_and_names_given_up(command: str, rest: dict[str, str]) -> None:
    client = FakeClient({**chain_answers(), "ai_transaction": included([])})
    typed = ("model", command, "digits", *rest.values(), "--from", "//Alice")
    assert noema(*typed, client=client).exit_code == 0
    assert sent(client)[1] == {"name": "digits", **rest}


def test_channels_show_where_they_point_and_go() -> None:
    move = {"channel": "stable", "version": 2, "due": 40}
    scored = {"channel": "canary", "version": 2, "due": None}
    found = wanting((A, to(1)), (B, to(1)), (C, {"Cancel": {"channel": "stable"}}))
    client = FakeClient({"ai_model": {**found, "moves": [move, scored]}})
    shown_ = noema("model", "channels", "digits", client=client).stdout.splitlines()
    assert [line.split("  ")[0] for line in shown_] == ["channel", "stable", "next", "canary"]
    assert "to version 2, in block 40   2 for version 1, 1 for cancel" in shown_[1]
    assert "to version 2, being scored" in shown_[3]
    plain = shown(noema("model", "channels", "digits", "--json", client=client))
    assert plain["moves"] == [move, scored]


def test_a_model_is_shown_with_its_history() -> None:
    multisig = {"Multisig": {"threshold": 2, "signatories": [A, B]}}
    trained = {
        "lineage": {"parents": [{"model": "base", "version": 3}], "job": 4, "datasets": []},
        "trained": {"dataset": "letters", "snapshot": 2},
        "royalties": [{"owner": B, "parts": 25_000}],
    }
    found = model(
        "digits",
        version(1, status="Rejected", reasons=["too deep", "too wide"]),
        version(2, **trained),
        control={"authority": multisig, "gate": 2, "time_lock": 9},
        channels=[{"name": "stable", "version": 2}],
    )
    result = noema("model", "show", "digits", client=FakeClient({"ai_model": found}))
    assert result.exit_code == 0, result.exception
    assert f"2 of {A}, {B}, gate on snapshot 2, time-lock of 9 blocks" in result.stdout
    assert "base@3, job 4 (letters)  2.5%" in result.stdout
    assert "version 1: too deep; too wide" in result.stdout


def test_what_a_node_says_of_a_model_is_shown() -> None:
    chain = Registry(ALICE, BOB)
    chain.register(BOB, "base")
    chain.end_block()
    shared = Control(Multisig(2, tuple(ORDER)), 1)
    chain.versions(2, control=shared, lineage=Lineage((Parent("base", 1),)))
    rest = {"name": "digits", "channel": "stable", "version": 2}
    chain.call(ORDER[0], "models", "move", **rest)
    chain.call(ORDER[1], "models", "move", **{**rest, "channel": "next"})
    chain.call(ORDER[2], "models", "move", **rest)
    chain.end_block()
    queries = Queries(chain.base.get)
    client = FakeClient({"ai_model": lambda name: questions.model(queries, name)})

    rows = noema("model", "channels", "digits", client=client).stdout.splitlines()[1:]
    assert rows == [
        "stable   1        to version 2, being scored  -",
        "next     -        -                           1 for version 2",
    ]
    tree = noema("model", "lineage", "digits", client=client).stdout.splitlines()
    assert tree == [f"digits@1  of {A}", f"└─ base@1  of {B}"]
    history = noema("model", "show", "digits", client=client).stdout
    assert "base@1" in history
    assert "gate on snapshot 1" in history


def family() -> dict[str, dict[str, Any]]:
    digits = {
        "lineage": {"parents": [], "job": 4, "datasets": []},
        "trained": {"dataset": "letters", "snapshot": 2},
        "status": "Retired",
    }
    return {
        "digits": model("digits", version(1, **digits), policy={"price": "5", "royalty": 50_000}),
        "other": model("other", version(1, (("digits", 1),)), owner=B),
        "child": model("child", version(1, (("other", 1), ("digits", 1)))),
    }


def test_a_family_is_a_tree() -> None:
    models = family()
    client = FakeClient({"ai_model": lambda name: models[name]})
    result = noema("model", "lineage", "child", client=client)
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        f"child@1  of {A}",
        f"├─ other@1  of {B}",
        f"│  └─ digits@1  of {A}  royalty 5%  retired",
        "│     └─ job 4 on snapshot 2 of letters",
        f"└─ digits@1  of {A}  royalty 5%  retired",
        "   └─ job 4 on snapshot 2 of letters",
    ]
    near = noema("model", "lineage", "child@1", "--generations", "1", client=client).stdout
    assert f"├─ other@1  of {B}  (1 parents)" in near
    tree = shown(noema("model", "lineage", "child", "--json", client=client))
    assert [each["model"] for each in tree["parents"]] == ["other", "digits"]
    assert noema("model", "lineage", "child@x", client=client).exit_code == 2
    lost = noema("model", "lineage", "child@7", client=client).stdout
    assert "older than the versions that are shown" in lost


def test_a_model_without_a_default_has_no_tree_by_name() -> None:
    client = FakeClient({"ai_model": model("digits", default=None)})
    assert noema("model", "lineage", "digits", client=client).exit_code == 2


CONTROLS = [
    ("", Control(Owner())),
    ("--control referendum --gate-snapshot 3 --time-lock 9", Control(Referendum(), 3, 9)),
    (
        "--control multisig --threshold 2 --signatory //Carol --signatory //Alice "
        "--signatory //Bob",
        Control(Multisig(2, tuple(ORDER))),
    ),
]


@pytest.mark.parametrize(("typed", "control"), CONTROLS)
def test_control_and_lineage_are_options(typed: str, control: Control, tmp_path: Any) -> None:
    (tmp_path / "m.onnx").write_bytes(b"a model")
    client = FakeClient(
        {
            **chain_answers(),
            "state_getStorage": "0x00",
            "ai_uploadChunk": True,
            "ai_blobStatus": {"chunks_held": [0], "chain": {"available_since": 3}},
            "ai_transaction": included([]),
        }
    )
    lineage = "--parent base@2 --parent other@1 --job 4"
    options = f"--skip-check --no-wait --from //Alice {lineage} {typed}"
    path = str(tmp_path / "m.onnx")
    result = noema("model", "register", "digits", path, *options.split(), client=client)
    assert result.exit_code == 0, result.stderr
    arguments = sent(client)[1]
    assert arguments["control"] == control
    assert arguments["lineage"] == Lineage((Parent("base", 2), Parent("other", 1)), 4)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("--parent base", "is no version: NAME@VERSION"),
        ("--job 1 --dataset d", "leave --dataset out"),
        ("--signatory //Bob", "belong to --control multisig"),
        ("--control multisig --signatory //Bob", "needs --threshold"),
        (
            "--control multisig --threshold 2 --signatory //Bob --signatory //Bob",
            "named twice",
        ),
    ],
)
def test_wrong_options_are_wrong_use(typed: str, words: str, tmp_path: Any) -> None:
    (tmp_path / "m.onnx").write_bytes(b"a model")
    path = str(tmp_path / "m.onnx")
    typed_all = ("model", "register", "digits", path, "--from", "//Alice", *typed.split())
    result = noema(*typed_all)
    assert (result.exit_code, words in result.stderr) == (2, True)
