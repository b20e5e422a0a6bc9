"""One whole node in this process: it makes blocks, answers, stops, and goes on where it was."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from chain.ledger import WrongGenesis
from chain.network.peers import peer_id_of
from chain.node.config import NetworkSection, NodeConfig, RpcSection
from chain.node.node import Node, open_node
from chain.primitives.keys import Keypair, ss58_encode
from chain.rpc.client import Client
from chain.rpc.transactions import Transactions
from chain.storage.database import FolderInUse
from consensus.engine.signer import SignerDamaged
from genesis.spec import preset, write_spec

ALICE, FERDIE = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Ferdie"))
BOOT_NODE = f"/ip4/127.0.0.1/tcp/9/p2p/{peer_id_of(bytes(32))}"


def config_in(folder: Path, name: str = "Fast") -> NodeConfig:
    document = {**json.loads(write_spec(preset("dev"))), "name": name, "block_interval_ms": 100}
    chain = folder / f"{name}.json"
    chain.write_text(json.dumps(document))
    return NodeConfig(
        chain=str(chain),
        validator_key="//Alice",
        network=NetworkSection(listen_host="127.0.0.1", port=0),
        rpc=RpcSection(port=0),
    )


def with_node(folder: Path, config: NodeConfig, use: Callable[[Client], Any]) -> Any:
    """Run a node while `use` talks to it from a thread."""

    async def main() -> Any:
        stop = trio.Event()
        async with open_node(config, folder / "node") as node, trio.open_nursery() as nursery:
            nursery.start_soon(node.run, stop)
            with trio.fail_after(30):
                answer = await trio.to_thread.run_sync(call, node)
            stop.set()
        return answer

    def call(node: Node) -> Any:
        with Client(f"http://127.0.0.1:{node.rpc.port}") as client:
            return use(client)

    return trio.run(main)


def test_transfer_is_final_and_survives_a_restart(tmp_path: Path) -> None:
    def transfer(client: Client) -> Any:
        transactions = Transactions(client)
        arguments = {"dest": ss58_encode(FERDIE.address), "value": 5 * 10**12}
        call = transactions.encode("Balances.transfer_keep_alive", arguments)
        sent = transactions.submit(transactions.sign(ALICE, call))
        return transactions.wait(sent, lambda words: None)

    config = config_in(tmp_path)
    outcome = with_node(tmp_path, config, transfer)
    assert outcome["succeeded"]

    def look(client: Client) -> Any:
        account = client.request("ai_account", [ss58_encode(FERDIE.address)])
        return account["free"], client.request("chain_getBlockHash", [outcome["number"]])

    assert with_node(tmp_path, config, look) == (str(1_000_005 * 10**12), outcome["block"])


def wait_for_two_blocks(client: Client) -> None:
    while int(client.request("chain_getHeader")["number"], 16) < 2:
        time.sleep(0.05)


def test_the_height_on_disk_is_on_the_metrics_page_before_a_block_comes(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with_node(tmp_path, config, wait_for_two_blocks)

    def look(client: Client) -> tuple[int, list[str]]:
        height = int(client.request("chain_getHeader")["number"], 16)
        return height, httpx.get(f"{client.url}/metrics").text.splitlines()

    height, page = with_node(tmp_path, replace(config, validator_key=""), look)
    assert height >= 2
    assert f"noema_height {height}.0" in page


@pytest.mark.parametrize("boot_nodes", [(), (BOOT_NODE,)])
def test_a_node_that_nobody_can_find_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, boot_nodes: tuple[str, ...]
) -> None:
    network = NetworkSection(listen_host="127.0.0.1", port=0, boot_nodes=boot_nodes)
    config = NodeConfig(chain="local", network=network, rpc=RpcSection(port=0))

    async def main() -> None:
        async with open_node(config, tmp_path / "node"):
            pass

    with caplog.at_level("WARNING", logger="noema"):
        trio.run(main)
    assert ("no boot nodes are set" in caplog.text) == (not boot_nodes)


def test_folder_of_another_chain_is_refused(tmp_path: Path) -> None:
    with_node(tmp_path, config_in(tmp_path), lambda client: client.request("system_chain"))
    with pytest.raises(WrongGenesis):
        with_node(tmp_path, config_in(tmp_path, "Other"), lambda client: None)


def test_two_nodes_in_one_folder_are_refused(tmp_path: Path) -> None:
    config = config_in(tmp_path)

    async def main() -> None:
        async with open_node(config, tmp_path / "node"):
            with pytest.raises(FolderInUse):
                async with open_node(config, tmp_path / "node"):
                    pass

    trio.run(main)


def test_a_validator_that_lost_the_record_of_its_signatures_does_not_start(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with_node(tmp_path, config, wait_for_two_blocks)
    (tmp_path / "node" / "consensus" / "last-signature").unlink()

    with pytest.RaisesGroup(SignerDamaged, flatten_subgroups=True):
        with_node(tmp_path, config, lambda client: None)

    with_node(tmp_path, replace(config, validator_key=""), lambda client: None)
