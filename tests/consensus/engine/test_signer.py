"""The signer: never two things for a step, never back, nothing released before it is on disk."""

from random import Random

import pytest

from chain.primitives.keys import Keypair, verify
from consensus.engine.ports import CannotPersist
from consensus.engine.signer import (
    FILE,
    Signer,
    SignerDamaged,
    SigningRefused,
    SigningStep,
)
from tests.simulation.disk import PowerCut, SimulatedDisk

KEY = Keypair.from_seed(bytes([5]) * 32)
PROPOSAL, PREVOTE, PRECOMMIT = SigningStep


def opened(disk: SimulatedDisk) -> Signer:
    signer = Signer(KEY, disk)
    signer.open()
    return signer


def test_signs_forward_and_repeats_itself() -> None:
    signer = opened(SimulatedDisk(Random(0)))
    for step in [
        (1, 0, PROPOSAL),
        (1, 0, PREVOTE),
        (1, 0, PRECOMMIT),
        (1, 1, PREVOTE),
        (2, 0, PROPOSAL),
    ]:
        signature = signer.sign(*step, b"words")
        assert verify(KEY.address, b"words", signature)
        assert signer.sign(*step, b"words") == signature


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ((5, 3, PREVOTE), b"other words"),
        ((5, 3, PROPOSAL), b"words"),
        ((5, 2, PRECOMMIT), b"words"),
        ((4, 9, PRECOMMIT), b"words"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_refuses_contradiction_and_regress(
    step: tuple[int, int, SigningStep], words: bytes, restarted: bool
) -> None:
    disk = SimulatedDisk(Random(0))
    signer = opened(disk)
    said = signer.sign(5, 3, PREVOTE, b"words")
    signer = opened(disk) if restarted else signer
    before = disk.read(FILE)

    with pytest.raises(SigningRefused):
        signer.sign(*step, words)

    assert disk.read(FILE) == before
    assert signer.sign(5, 3, PREVOTE, b"words") == said


def test_nothing_released_is_forgotten_in_a_power_cut() -> None:
    for operation in range(12):
        for seed in range(8):
            disk = SimulatedDisk(Random(seed))
            signer = opened(disk)
            released = []
            disk.steps_left = operation
            try:
                for round_number in range(4):
                    signer.sign(1, round_number, PREVOTE, b"first")
                    released.append(round_number)
            except PowerCut:
                pass
            disk.cut_power()
            again = opened(disk)
            for round_number in released:
                with pytest.raises(SigningRefused):
                    again.sign(1, round_number, PREVOTE, b"second")


def test_full_disk_releases_nothing() -> None:
    disk = SimulatedDisk(Random(0))
    signer = opened(disk)
    disk.is_full = True
    with pytest.raises(CannotPersist, match=r"signer: .*no space left on device"):
        signer.sign(1, 0, PREVOTE, b"words")


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 4)])
def test_damaged_record_is_refused(cut: slice) -> None:
    disk = SimulatedDisk(Random(0))
    opened(disk).sign(9, 1, PREVOTE, b"words")
    disk.write(FILE, disk.read(FILE)[cut])
    with pytest.raises(SignerDamaged, match=FILE):
        opened(disk)


def test_an_empty_record_is_a_damaged_one() -> None:
    disk = SimulatedDisk(Random(0))
    opened(disk).sign(5, 3, PREVOTE, b"words")
    disk.truncate(FILE, 0)

    with pytest.raises(SignerDamaged, match="wrong checksum"):
        opened(disk)
