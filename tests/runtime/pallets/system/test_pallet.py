"""System: heights, hashes, remarks."""

import pytest

from chain.primitives.hashing import blake2_256
from runtime.assembly import VERSION
from runtime.frame import Overlay, Signed
from runtime.pallets.system import System, SystemConfig
from runtime.pallets.system.pallet import Remarked
from tests.support.pallet_calls import dispatch

ALICE = bytes([1]) * 32


@pytest.fixture
def system() -> System:
    return System(Overlay.over({}), SystemConfig(VERSION, block_hash_count=4))


def test_hashes_of_genesis_and_recent_blocks_are_kept(system: System) -> None:
    for number in range(1, 10):
        system.initialize(number, bytes([number - 1]) * 32, (), ALICE)
        system.check_invariants()

    assert sorted(system.block_hash.keys()) == [0, 5, 6, 7, 8]
    assert system.block_hash[8] == bytes([8]) * 32
    assert (system.height(), system.author()) == (9, ALICE)


def test_remarks(system: System) -> None:
    dispatch(system, Signed(ALICE), 0, {"remark": b"x"})
    dispatch(system, Signed(ALICE), 7, {"remark": b"words"})

    assert system.state.events == [Remarked(ALICE, blake2_256(b"words"))]
    assert system.state.changes() == {}


def test_a_remark_weighs_by_its_length(system: System) -> None:
    light, heavy = (System.calls[0].weigh(system, (bytes(size),)) for size in (0, 1000))

    assert heavy - light == 2_000_000
