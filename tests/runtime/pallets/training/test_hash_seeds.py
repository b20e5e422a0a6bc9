"""The same training under two seeds of Python's own hashing comes to the same state."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
SCRIPT = """
from chain.primitives.trie import trie_root
from tests.support.trainings import built, put_programs, run, start, training_chain
chain = training_chain(rows=40)
start(chain, put_programs(chain, built()), 5)
run(chain)
print(chain.pallets.training.jobs[0].model.hex(), trie_root(chain.base).hex())
"""


def test_hash_seeds_change_nothing() -> None:
    started = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", SCRIPT]
        started.append(
            subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
    told = [each.communicate()[0] for each in started]
    assert len(told[0]) > 100
    assert told[0] == told[1]
