"""What the real rules say about a real first state."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio

from chain.primitives.block import Header
from chain.primitives.codec import U32, U128
from chain.primitives.extrinsic import SigningContext, sign_extrinsic
from chain.primitives.hashing import twox_128
from chain.primitives.keys import Keypair, ss58_encode
from chain.rpc.description import RuntimeDescription
from chain.rpc.json_rpc import RpcError
from chain.rpc.rules import RuntimeAnswers
from runtime.assembly import CONSTRUCT, Genesis, genesis_changes
from runtime.frame.failure import Module
from runtime.frame.ports import NoExecutor
from runtime.frame.weight import DispatchClass, DispatchInfo, Pays, WeightV2
from runtime.pallets.balances.pallet import InsufficientBalance, Transfer
from runtime.pallets.system.pallet import ExtrinsicFailed

ALICE, BOB = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob"))
ANSWERS = RuntimeAnswers(NoExecutor())
HEAD = Header(bytes(32), 0, bytes(32), bytes(32), ())


class MemoryState:
    """The first state of a chain."""

    def __init__(self) -> None:
        self.values = genesis_changes(Genesis({ALICE.address: 10**18}, {ALICE.address: 10**15}))

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def keys(self, prefix: bytes, after: bytes | None, count: int) -> Sequence[bytes]:
        found = (key for key in sorted(self.values) if key.startswith(prefix))
        return [key for key in found if after is None or key > after][:count]

    def proof(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        return []


STATE = MemoryState()


def transfer(amount: int, genesis_hash: bytes = HEAD.hash()) -> bytes:
    """Give a signed transfer from Alice to Bob."""
    call = CONSTRUCT.encode_call(
        "Balances", "transfer_keep_alive", {"dest": BOB.address, "value": amount}
    )
    return sign_extrinsic(ALICE, call, nonce=0, context=SigningContext(1, 1, genesis_hash))


@pytest.mark.parametrize(
    ("question", "arguments", "answer"),
    [
        (
            "account",
            {"address": ALICE.address},
            {"nonce": 0, "free": str(10**18 - 10**15), "reserved": str(10**15), "frozen": "0"},
        ),
        ("validators", {}, [{"address": ss58_encode(ALICE.address), "power": 1000}]),
        ("blob", {"root": bytes(32)}, None),
        ("model", {"name": "none"}, None),
        ("model", {"name": "x" * 1000}, None),
        ("models", {"after": None, "count": 10}, []),
        ("dataset", {"name": "none", "first": 0}, None),
        ("datasets", {"after": None, "count": 10}, []),
        ("receipt", {"inference": 0}, None),
        ("snapshot", {"number": 0}, None),
        ("evaluation", {"number": 0}, None),
        ("referendum", {"number": 0}, None),
        ("referenda", {"count": 10}, []),
        ("upgrade", {}, {"spec_version": 1, "next": None}),
        ("rewards", {"address": BOB.address}, {"claimable": "0", "pending": "0", "sources": []}),
    ],
)
def test_questions(question: str, arguments: dict[str, Any], answer: Any) -> None:
    assert ANSWERS.query(STATE, question, **arguments) == answer


def test_issuance_covers_the_endowments() -> None:
    assert int(ANSWERS.query(STATE, "issuance")["total_issuance"]) >= 10**18


def test_a_fee_is_known_before_and_adds_up() -> None:
    quote = ANSWERS.fee(STATE, transfer(5))

    assert quote.fee == sum(int(part) for part in quote.details.values())
    assert set(quote.details) == {"base_fee", "len_fee", "adjusted_weight_fee"}
    with pytest.raises(RpcError, match="extrinsic"):
        ANSWERS.fee(STATE, b"\4\4")


def test_runtime_calls() -> None:
    encoded = transfer(5)
    quote = ANSWERS.fee(STATE, encoded)
    length = U32.encode(len(encoded))

    def call(name: str, arguments: bytes) -> bytes | None:
        return ANSWERS.call(STATE, HEAD, name, arguments)

    version = call("Core_version", b"")
    assert version is not None
    assert version.startswith(b"\x14noema")
    assert call("AccountNonceApi_account_nonce", ALICE.address) == U32.encode(0)
    info = call("TransactionPaymentApi_query_info", encoded + length)
    assert info is not None
    assert info.endswith(b"\0" + U128.encode(quote.fee))
    details = call("TransactionPaymentApi_query_fee_details", encoded + length)
    assert details is not None
    assert len(details) == 1 + 4 * 16
    assert call("Nothing_here", b"") is None
    with pytest.raises(RpcError, match="arguments"):
        call("AccountNonceApi_account_nonce", b"short")


@pytest.mark.parametrize(
    ("encoded", "start"),
    [
        (transfer(5), b"\0"),
        (transfer(5, bytes(32)), b"\1\0\4"),
    ],
)
def test_validity_for_clients(encoded: bytes, start: bytes) -> None:
    arguments = b"\2" + encoded + bytes(32)

    answer = ANSWERS.call(STATE, HEAD, "TaggedTransactionQueue_validate_transaction", arguments)

    assert answer is not None
    assert answer.startswith(start)
    if start == b"\0":
        tag = b"\x90" + ALICE.address + U32.encode(0)
        assert answer[9:] == b"\0" + b"\4" + tag + answer[-9:]


def test_events_in_words() -> None:
    error = Module(2, bytes((InsufficientBalance.index or 0, 0, 0, 0)))
    info = DispatchInfo(WeightV2(7), DispatchClass.NORMAL, Pays.YES)
    state = MemoryState()
    records = CONSTRUCT.encode_events(
        [
            (b"\1", Transfer(ALICE.address, BOB.address, 10**20)),
            (b"\0" + U32.encode(3), ExtrinsicFailed(error, info)),
        ]
    )
    state.values[twox_128(b"System") + twox_128(b"Events")] = records

    first, second = ANSWERS.events(state)

    assert first == {
        "extrinsic": None,
        "name": "Balances.Transfer",
        "fields": {
            "from": ss58_encode(ALICE.address),
            "to": ss58_encode(BOB.address),
            "amount": str(10**20),
        },
        "error": None,
    }
    assert (second["extrinsic"], second["name"]) == (3, "System.ExtrinsicFailed")
    assert second["error"] == {
        "name": "Balances.InsufficientBalance",
        "advice": InsufficientBalance.__doc__,
    }


def test_every_call_of_the_description_can_be_found_again() -> None:
    description = RuntimeDescription(ANSWERS.describe())

    for index, pallet in CONSTRUCT.pallets.items():
        for call in pallet.calls.values():
            found = description.call(f"{pallet.name}.{call.name}")
            assert found.head == bytes((index, call.index))
            assert [name for name, _ in found.arguments] == [each.name for each in call.arguments]
            assert [shape for _, shape in found.arguments] == [
                each.codec.shape for each in call.arguments
            ]


def test_a_dry_run_of_an_unknown_model_is_refused_with_advice() -> None:
    with pytest.raises(RpcError) as refused:
        trio.run(ANSWERS.dry_run, STATE, "none", None, b"\0")

    assert (refused.value.code, refused.value.message) == (4102, "Models.UnknownModel")
    assert "No model has this name." in str(refused.value.data)


def test_version_for_clients() -> None:
    version = ANSWERS.version()

    assert (version["specName"], version["specVersion"], version["stateVersion"]) == (
        "noema",
        1,
        version["systemVersion"],
    )
    assert ["0xdf6acb689907609b", 5] in version["apis"]
