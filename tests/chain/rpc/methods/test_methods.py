"""Every namespace, asked over HTTP."""

from typing import Any

import pytest

from chain.primitives.extrinsic import extrinsic_hash
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Keypair, ss58_encode
from chain.primitives.merkle import root_of
from tests.support.rpc_ports import VERSION, FakeNode
from tests.support.rpc_server import Served, serve

ALICE = ss58_encode(Keypair.from_uri("//Alice").address)
UNKNOWN = "0x" + "11" * 32


def hex_of(data: bytes) -> str:
    return "0x" + data.hex()


def ask(method: str, *params: Any, node: Any = None) -> Any:
    """Call one method of a fresh node that `node` may change first."""
    answers = []

    async def talk(served: Served) -> None:
        if node is not None:
            node(served.node)
        answers.append(await served.call(method, *params))

    serve(talk)
    return answers[0]


@pytest.mark.parametrize(
    ("method", "params", "answer"),
    [
        ("system_name", [], "Noema"),
        ("system_version", [], "0.1.0"),
        ("system_chain", [], "Local"),
        ("system_chainType", [], "Local"),
        (
            "system_properties",
            [],
            {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "NOE"},
        ),
        ("system_localPeerId", [], "12D3local"),
        ("system_localListenAddresses", [], ["/ip4/127.0.0.1/tcp/30333"]),
        ("system_nodeRoles", [], ["Authority"]),
        ("system_accountNextIndex", [ALICE], 3),
        ("account_nextIndex", [ALICE], 3),
        ("system_syncState", [], {"startingBlock": 0, "currentBlock": 0, "highestBlock": 0}),
        ("state_getRuntimeVersion", [], VERSION),
        ("state_getRuntimeVersion", [None], VERSION),
        ("chain_getRuntimeVersion", [], VERSION),
        ("state_getStorage", [hex_of(b"a")], "0x31"),
        ("state_getStorageAt", ["61", None], "0x31"),
        ("state_getStorage", [hex_of(b"empty")], "0x"),
        ("state_getStorage", [hex_of(b"none")], None),
        ("state_getStorageHash", [hex_of(b"a")], hex_of(blake2_256(b"1"))),
        ("state_getStorageSize", [hex_of(b"a")], 1),
        ("state_getStorageSize", [hex_of(b"none")], None),
        ("state_getKeysPaged", ["", 2], [hex_of(b"a"), hex_of(b"b")]),
        ("state_getKeysPaged", ["", 1000, None, None], ["0x61", "0x62", hex_of(b"empty")]),
        ("state_getKeysPaged", ["0x", 10, "0x62"], [hex_of(b"empty")]),
        ("state_call", ["Core_version", ""], hex_of(blake2_256(b"")[:4])),
        (
            "state_call",
            ["Core_none", "0x"],
            {"code": -32601, "message": "The runtime has no Core_none"},
        ),
        ("author_pendingExtrinsics", [], []),
        (
            "author_submitExtrinsic",
            [hex_of(b"bad")],
            {
                "code": 1010,
                "message": "Invalid Transaction",
                "data": "Stale: the nonce was used",
            },
        ),
        (
            "payment_queryInfo",
            ["0x00"],
            {"weight": {"ref_time": 1000, "proof_size": 0}, "class": "normal", "partialFee": "5"},
        ),
        ("ai_fee", ["0x00"], {"weight": 1000, "fee": "5", "base": "2", "weight_fee": "3"}),
        ("ai_dryRun", ["m", 2, "0x0102"], {"model": "m", "version": 2, "bytes": 2}),
        ("ai_dryRun", ["m", None, "base64:AQI="], {"model": "m", "version": None, "bytes": 2}),
        ("ai_dryRun", ["missing"], {"code": 4102, "message": "No model 'missing'"}),
        (
            "ai_model",
            ["none"],
            {
                "code": 4004,
                "message": "No model 'none'",
                "data": "`noema model list` shows those there are.",
            },
        ),
        (
            "ai_dataset",
            ["none"],
            {
                "code": 4004,
                "message": "No dataset 'none'",
                "data": "`noema data list` shows those there are.",
            },
        ),
        (
            "ai_receipt",
            [5],
            {
                "code": 4004,
                "message": "No receipt 5 is kept",
                "data": "Receipts are kept for some blocks; look at its transaction.",
            },
        ),
        ("ai_describe", [], {"pallets": []}),
        ("ai_events", [], []),
        ("ai_blobStatus", [UNKNOWN], {"root": UNKNOWN, "chain": None, "chunks_held": []}),
        (
            "ai_getChunk",
            [UNKNOWN, 0],
            {"code": 4004, "message": f"Chunk 0 of {UNKNOWN} is not here"},
        ),
        (
            "ai_transaction",
            [UNKNOWN],
            {"code": 4004, "message": f"No transaction {UNKNOWN} is known here"},
        ),
        ("chain_getHeader", [UNKNOWN], None),
        ("chain_getBlock", [UNKNOWN], None),
        ("chain_getBlockHash", [7], None),
        (
            "chain_subscribeNewHeads",
            [],
            {"code": -32600, "message": "chain_subscribeNewHeads needs a WebSocket"},
        ),
        ("chain_unsubscribeNewHeads", ["1"], False),
    ],
)
def test_answers(method: str, params: list[Any], answer: Any) -> None:
    assert ask(method, *params) == answer


@pytest.mark.parametrize(
    "method", ["state_getStorage", "ai_events", "state_getReadProof", "ai_validators"]
)
def test_an_unknown_block_is_an_error(method: str) -> None:
    keys = {"state_getStorage": ["0x61"], "state_getReadProof": [["0x61"]]}.get(method, [])

    error = ask(method, *keys, UNKNOWN)

    assert error == {
        "code": 4003,
        "message": f"State of block {UNKNOWN} is not here: only the newest are kept",
    }


def test_blocks_by_number_and_hash() -> None:
    async def talk(served: Served) -> None:
        chain = served.node.chain
        head = chain.grow(b"\x04\x04")
        genesis = hex_of(chain.genesis_hash)
        assert await served.call("chain_getBlockHash") == hex_of(head.hash)
        assert await served.call("chain_getHead") == hex_of(head.hash)
        assert await served.call("chain_getFinalizedHead") == hex_of(head.hash)
        assert await served.call("chain_getBlockHash", 0) == genesis
        assert await served.call("chain_getBlockHash", "0x1") == hex_of(head.hash)
        assert await served.call("chain_getBlockHash", [0, 1, 2]) == [
            genesis,
            hex_of(head.hash),
            None,
        ]
        header = {
            "parentHash": genesis,
            "number": "0x1",
            "stateRoot": hex_of(bytes(32)),
            "extrinsicsRoot": hex_of(bytes(32)),
            "digest": {"logs": []},
        }
        assert await served.call("chain_getHeader", hex_of(head.hash)) == header
        assert await served.call("chain_getBlock") == {
            "block": {"header": header, "extrinsics": ["0x0404"]},
            "justifications": [[list(b"noem"), [1, 2]]],
        }

    serve(talk)


def test_storage_of_an_older_block_and_proofs() -> None:
    async def talk(served: Served) -> None:
        head = served.node.chain.grow(a=b"2")
        genesis = hex_of(served.node.chain.genesis_hash)
        assert await served.call("state_queryStorageAt", ["0x61", "0x63"]) == [
            {"block": hex_of(head.hash), "changes": [["0x61", "0x32"], ["0x63", None]]}
        ]
        assert await served.call("state_getStorage", "0x61", genesis) == "0x31"
        assert await served.call("state_getReadProof", ["0x61"], genesis) == {
            "at": genesis,
            "proof": [hex_of(b"node of a")],
        }

    serve(talk)


def test_a_transaction_from_pool_to_block() -> None:
    async def talk(served: Served) -> None:
        encoded = b"\x08\x01\x02"
        submitted = await served.call("author_submitExtrinsic", hex_of(encoded))
        assert submitted == hex_of(extrinsic_hash(encoded))
        assert await served.call("author_pendingExtrinsics") == [hex_of(encoded)]
        assert await served.call("system_accountNextIndex", ALICE) == 4
        assert await served.call("ai_transaction", submitted) == {
            "hash": submitted,
            "status": "ready",
        }
        error = {"name": "Balances.InsufficientBalance", "advice": "Send less."}
        served.node.runtime.happened = [
            {"extrinsic": None, "name": "A.Begun", "fields": {}, "error": None},
            {"extrinsic": 0, "name": "System.ExtrinsicFailed", "fields": {}, "error": error},
        ]
        head = served.node.chain.grow(encoded)
        assert await served.call("ai_transaction", submitted) == {
            "hash": submitted,
            "status": "final",
            "block": hex_of(head.hash),
            "number": 1,
            "index": 0,
            "succeeded": False,
            "error": error,
            "events": [{"name": "System.ExtrinsicFailed", "fields": {}, "error": error}],
        }

    serve(talk)


def test_chunks_are_taken_with_their_proof_only() -> None:
    content = bytes(1000)
    root = hex_of(root_of(content))

    async def talk(served: Served) -> None:
        refused = await served.call("ai_uploadChunk", root, 999, 0, hex_of(content[:999]), [])
        assert refused == {"code": 4101, "message": "the chunk does not match the root"}
        assert await served.call("ai_uploadChunk", root, 1000, 0, hex_of(content), []) is True
        assert (await served.call("ai_blobStatus", root))["chunks_held"] == [0]
        assert (await served.call("ai_getChunk", root, 0)).startswith("base64:AAAA")

    serve(talk)


def test_syncing_is_said() -> None:
    def ahead(node: FakeNode) -> None:
        node.peers.highest = 10

    assert ask("system_health", node=ahead) == {
        "peers": 1,
        "isSyncing": True,
        "shouldHavePeers": True,
    }


def test_rpc_methods_lists_what_there_is() -> None:
    methods = ask("rpc_methods")["methods"]

    assert methods == sorted(methods)
    assert {"rpc_methods", "chain_getBlock", "ai_model", "author_unwatchExtrinsic"} <= set(methods)
    assert "state_getMetadata" not in methods
