"""One seed is one history, whatever the interpreter's own randomness."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = "4..10"


def hashes(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation.run", "--seeds", SEEDS, "--hashes"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_equal_seeds_give_equal_event_hashes() -> None:
    first = hashes("1")
    assert len(first.splitlines()) == 7
    assert first == hashes("2")
