"""Reading the chain by command."""

from typing import Any

import pytest

from chain.primitives.extrinsic import extrinsic_hash
from chain.primitives.keys import Keypair, ss58_encode
from runtime.frame.account import ACCOUNT_INFO, AccountData, AccountInfo
from tests.support.fake_client import HASH, HEAD, FakeClient, chain_answers, noema, shown

ALICE = ss58_encode(Keypair.from_uri("//Alice").address)


def test_account_at_the_head_and_at_a_height() -> None:
    funds = {"nonce": 1, "free": "5", "reserved": "0", "frozen": "0"}
    client = FakeClient({"ai_account": funds, "chain_getBlockHash": HASH})

    result = noema("query", "account", "//Alice", "--at", "3", "--json", client=client)

    assert shown(result) == {"address": ALICE, **funds}
    assert client.asked == [("chain_getBlockHash", [3]), ("ai_account", [ALICE, HASH])]


def test_a_block_that_is_not_there_yet() -> None:
    result = noema("query", "block", "99", client=FakeClient({"chain_getBlockHash": None}))

    assert (result.exit_code, "no block 99 yet" in result.stderr) == (2, True)


def test_block() -> None:
    header = {"parentHash": HEAD, "number": "0x3", "stateRoot": "0x1", "extrinsicsRoot": "0x2"}
    found = {"block": {"header": header, "extrinsics": ["0x0401"]}, "justifications": None}
    client = FakeClient({"chain_getBlock": found})

    assert shown(noema("query", "block", HASH, "--json", client=client)) == {
        "number": 3,
        "hash": HASH,
        "parent_hash": HEAD,
        "state_root": "0x1",
        "extrinsics_root": "0x2",
        "certificate": False,
        "transactions": ["0x" + extrinsic_hash(b"\4\1").hex()],
    }


@pytest.mark.parametrize("stored", [True, False])
def test_storage_by_name(stored: bool) -> None:
    info = AccountInfo(7, data=AccountData(free=10**12))
    raw = "0x" + ACCOUNT_INFO.encode(info).hex() if stored else None
    client = FakeClient({**chain_answers(), "state_getStorage": raw})

    result = shown(noema("query", "storage", "system.account", "//Alice", "--json", client=client))

    assert result["stored"] is stored
    assert result["value"]["nonce"] == (7 if stored else 0)
    assert result["value"]["data"]["free"] == (str(10**12) if stored else "0")


def test_keys_of_a_map() -> None:
    client = FakeClient({**chain_answers(), "state_getKeysPaged": ["0x01"]})

    result = shown(noema("query", "storage", "System.Account", "--json", client=client))

    assert result == {"keys": ["0x01"], "count": 1, "more": False}


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        (["events"], "ai_events"),
        (["validators"], "ai_validators"),
        (["issuance"], "ai_issuance"),
        (["receipt", "3"], "ai_receipt"),
    ],
)
def test_plain_questions(arguments: list[str], method: str) -> None:
    answer: Any = [{"a": 1}]
    client = FakeClient({method: answer, "chain_getBlockHash": HASH})

    assert shown(noema("query", *arguments, "--json", client=client)) == answer


def test_calls_of_an_unknown_pallet_are_wrong_use() -> None:
    result = noema("query", "calls", "nothing")

    assert (result.exit_code, "there are System, Timestamp" in result.stderr) == (2, True)


def test_calls_are_listed_with_their_arguments() -> None:
    listed = shown(noema("query", "calls", "rewards", "--json"))

    assert [each["call"] for each in listed] == ["Rewards.claim takes sources=list of Source"]
