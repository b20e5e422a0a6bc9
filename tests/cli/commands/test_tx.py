"""Transactions by command."""

from pathlib import Path
from typing import Any

import pytest

from chain.primitives.keys import Keypair
from tests.support.fake_client import (
    HASH,
    HEAD,
    FakeClient,
    chain_answers,
    noema,
    sent,
    shown,
)

ALICE, BOB = (Keypair.from_uri(f"//{name}").address for name in ("Alice", "Bob"))


def test_a_transfer_is_signed_sent_and_waited_for() -> None:
    client = FakeClient(chain_answers())

    result = noema(
        "tx", "transfer", "//Bob", "1.5NOE", "--from", "//Alice", "--json", client=client
    )

    assert shown(result) == {
        "transaction": HASH,
        "status": "final",
        "block": 17,
        "block_hash": HEAD,
        "fee": "1500000000",
        "events": [],
    }
    signed, arguments, name = sent(client)
    assert (signed.address, signed.nonce, signed.tip) == (ALICE, 4, 0)
    assert (signed.era.period, signed.era.phase) == (64, 16)
    assert name == "Balances.transfer_keep_alive"
    assert arguments == {"dest": BOB, "value": 15 * 10**11}


def test_nothing_is_waited_for_with_no_wait() -> None:
    client = FakeClient(chain_answers())
    arguments = ("tx", "transfer", "//Bob", "5", "--from", "//Alice", "--no-wait", "--tip", "2uNOE")

    assert shown(noema(*arguments, "--json", client=client)) == {
        "transaction": HASH,
        "status": "sent",
    }
    assert sent(client)[0].tip == 2 * 10**6
    assert client.params_of("ai_transaction") == []


def test_an_estimate_sends_nothing() -> None:
    client = FakeClient(chain_answers())

    typed = "tx transfer //Bob 5 --from //Alice --estimate --json"

    result = noema(*typed.split(), client=client)

    assert shown(result)["fee"] == "2000000000"
    assert client.params_of("author_submitExtrinsic") == []


@pytest.mark.parametrize(
    ("call", "arguments", "values"),
    [
        (
            "balances.transfer-all",
            ["dest=//Bob", "keep-alive=true"],
            {"dest": BOB, "keep_alive": True},
        ),
        ("System.remark", ["remark=0x0102"], {"remark": b"\1\2"}),
        ("system.remark", ["remark=words"], {"remark": b"words"}),
        ("Rewards.claim", ['sources=["digits"]'], {"sources": ("digits",)}),
        (
            "blobs.announce",
            [f"top={HASH}", "length=12", "kind=0"],
            {"top": bytes.fromhex(HASH[2:]), "length": 12, "kind": 0},
        ),
        (
            "data.create_dataset",
            [
                *("name=123", "element=2", "shape=[8,8]", "classes=10", "licence=MIT"),
                *("distance=0", "neighbours=5"),
            ],
            {
                "name": "123",
                "element": 2,
                "shape": (8, 8),
                "classes": 10,
                "licence": "MIT",
                "distance": 0,
                "neighbours": 5,
            },
        ),
        (
            "inference.infer",
            ["model=m", "version=null", "input=0x00", "max_fee=1NOE"],
            {"model": "m", "version": None, "input": b"\0", "max_fee": 10**12},
        ),
    ],
)
def test_any_call_by_name(call: str, arguments: list[str], values: dict[str, Any]) -> None:
    client = FakeClient(chain_answers())
    options = [word for argument in arguments for word in ("--arg", argument)]

    shown(noema("tx", "call", call, *options, "--from", "//Alice", "--json", client=client))

    assert sent(client)[1] == values


def test_a_file_gives_bytes(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"from a file")
    client = FakeClient(chain_answers())
    remark = f"remark=@{tmp_path / 'words'}"

    shown(
        noema(
            "tx",
            "call",
            "system.remark",
            "--arg",
            remark,
            "--from",
            "//Alice",
            "--json",
            client=client,
        )
    )

    assert sent(client)[1] == {"remark": b"from a file"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.call",), "no pallet 'none'; there are System, "),
        (("balances.none",), "Balances has no 'none'; its calls are transfer_allow_death, "),
        (("rewards.claim", "--arg", "x=1"), "no argument x: Rewards.claim takes sources=list of"),
        (("balances.transfer_all",), "dest: is missing (Balances.transfer_all takes dest=address"),
        (("data.create_dataset", "--arg", "shape=[8"), "is not JSON"),
        (("balances.transfer_all", "--arg", "dest=nobody"), "no key file of that name"),
        (("system.remark", "--arg", "remark=@/none/file"), "No such file"),
    ],
)
def test_wrong_calls_are_wrong_use(arguments: tuple[str, ...], words: str) -> None:
    client = FakeClient(chain_answers())

    result = noema("tx", "call", *arguments, "--from", "//Alice", client=client)

    assert result.exit_code == 2, result.output
    assert words in " ".join(result.stderr.split())
    assert client.params_of("author_submitExtrinsic") == []


def test_a_key_file_signs(tmp_path: Path) -> None:
    env = {"NOEMA_PASSWORD": "secret"}
    noema("key", "import", "mine", "--uri", "//Bob", keys=tmp_path, env=env)
    client = FakeClient(chain_answers())

    result = noema(
        "tx",
        "transfer",
        "//Alice",
        "5",
        "--from",
        "mine",
        "--json",
        keys=tmp_path,
        env=env,
        client=client,
    )

    assert shown(result)["status"] == "final"
    assert sent(client)[0].address == BOB


def test_status_of_a_transaction() -> None:
    assert shown(noema("tx", "status", HASH, "--json"))["number"] == 17
    assert shown(noema("tx", "status", HASH, "--wait", "--json"))["block"] == 17
