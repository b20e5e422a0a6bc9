"""Executive: equal blocks lead to equal states, whoever executes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chain.primitives.extrinsic import decode_extrinsic
from tests.support import memory_chain
from tests.support.memory_chain import ALICE, BOB, MemoryChain


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_the_order_of_hashes_decides_nothing(seed: str) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    told = subprocess.run(
        [sys.executable, memory_chain.__file__],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == memory_chain.root_of_a_story()


def test_a_block_executed_twice_has_one_outcome(chain: MemoryChain) -> None:
    transactions = [chain.transfer(BOB, ALICE, 5, nonce=nonce) for nonce in range(3)]
    first, second = MemoryChain(), MemoryChain()

    assert first.block(*transactions) == second.block(*transactions)
    assert first.head == second.head


def test_a_view_tells_the_same_as_the_executive(chain: MemoryChain) -> None:
    encoded = chain.transfer(BOB, ALICE, 5)
    decoded = decode_extrinsic(encoded)
    view = chain.executive.view(chain.state.get, chain.head)

    assert view.validate(decoded, encoded) == chain.executive.validate(
        chain.state.get, chain.head, decoded, encoded
    )
