"""Runs seeds of the simulator: python -m tests.simulation.run --seeds 0..99."""

import argparse
import sys
from collections.abc import Callable, Sequence

from consensus.core.height import LINES
from tests.simulation.hidden_lock import hidden_lock
from tests.simulation.invariants import Broken
from tests.simulation.scenario import scenario
from tests.simulation.world import World

SEEDS_FOR_ALL_LINES = 30
"""So many seeds see every line of the paper act."""

PROGRESS_EVERY = 10


def worlds(seed: int) -> tuple[Callable[[], World], ...]:
    """Give everything that is run for a seed."""
    every: tuple[Callable[[], World], ...] = (lambda: World(scenario(seed)),)
    return (*every, lambda: hidden_lock(seed)) if seed % PROGRESS_EVERY == 0 else every


def run_seed(seed: int, fired: dict[str, int]) -> str:
    """Give the hash of what happened; raises Broken."""
    hashes = []
    for build in worlds(seed):
        world = build()
        hashes.append(world.run())
        for line, count in world.fired().items():
            fired[line] = fired.get(line, 0) + count
    return "-".join(hashes)


def parse_seeds(text: str) -> range:
    """Give the seeds of `17` or `0..99`."""
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str]) -> int:
    """Run; the exit status is 1 if an invariant broke or a line of the paper never acted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0..99", help="17 or 0..99")
    parser.add_argument("--hashes", action="store_true", help="print the event hash of each seed")
    options = parser.parse_args(arguments)
    seeds, fired = parse_seeds(options.seeds), dict[str, int]()
    for done, seed in enumerate(seeds, start=1):
        try:
            event_hash = run_seed(seed, fired)
        except Broken as broken:
            print(f"seed {seed}: {broken}\nreplay it: make simulate SEEDS={seed}")
            return 1
        if options.hashes:
            print(seed, event_hash)
        elif done % PROGRESS_EVERY == 0 or done == len(seeds):
            print(f"{done} of {len(seeds)} seeds hold", flush=True)
    silent = [line for line in LINES if line not in fired]
    if silent and len(seeds) >= SEEDS_FOR_ALL_LINES:
        print(f"never acted: {', '.join(silent)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
