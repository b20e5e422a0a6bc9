"""What a unit of gas takes: operators across sizes, and a search for graphs that are too cheap.

One gas is one nanosecond of the reference core, so the figures are nanoseconds per gas: above 1
an operator takes longer than it is paid for.  Only ratios between operators say something of
another machine.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

import ai_exec
from ai_exec.metering import NODE_GAS, RUN_GAS
from tests.benchmarks.gas_recipes import RECIPES

SIZES = (1 << 10, 1 << 14, 1 << 18, 1 << 21)
SECONDS = 0.25
SHORT_SECONDS = 1e-3
TRIVIAL_GAS = 300_000
"""Below this, calling costs more than computing: such sizes are shown but not judged."""


@dataclass(frozen=True)
class Measured:
    """One operator at one size."""

    name: str
    size: int
    gas: int
    fast: float
    """Nanoseconds of the fast engine."""
    reference: float
    """Nanoseconds of the reference engine; NaN if it was not asked."""

    @property
    def ratio(self) -> float:
        """Nanoseconds of the fast engine per gas."""
        return self.fast / self.gas


def measure(name: str, size: int, *, reference: bool = False) -> Measured | str:
    """Measure an operator at a size; a text tells why it cannot be."""
    recipe = RECIPES[name](size)
    admission = ai_exec.admit(recipe.model())
    if admission.program is None:
        return admission.reasons[0]
    inputs = {key: np.array(value) for key, value in recipe.inputs.items()}
    times = {}
    for engine in ("fast", "reference")[: 1 + reference]:
        executable = ai_exec.compile(admission.program, engine=engine)
        times[engine] = best_nanoseconds(executable, inputs)
    return Measured(name, size, admission.cost, times["fast"], times.get("reference", float("nan")))


def best_nanoseconds(
    executable: ai_exec.Executable, inputs: Mapping[str, np.ndarray], seconds: float = SECONDS
) -> float:
    """Give the least time of one run among many, in nanoseconds.

    Of the processor, as others may use the machine too, but for runs that its clock is too coarse
    for.
    """
    executable.run(inputs)
    best, start = float("inf"), time.perf_counter()
    while (begun := time.perf_counter()) - start < seconds:
        busy = time.process_time()
        executable.run(inputs)
        busy, taken = time.process_time() - busy, time.perf_counter() - begun
        best = min(best, busy if taken > SHORT_SECONDS else taken)
    return best * 1e9


def main() -> None:
    """Measure, and print a table, the dearest last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--reference", action="store_true", help="the reference engine, too")
    options = parser.parse_args()
    found, refused = [], []
    for name in [name for name in RECIPES if fnmatch(name, options.only)]:
        for size in SIZES:
            one = measure(name, size, reference=options.reference)
            (refused if isinstance(one, str) else found).append(
                f"{name}: {one}" if isinstance(one, str) else one
            )
    _print(found, refused)


def _print(found: list[Measured], refused: list[str]) -> None:
    print(f"ns per gas of the fast engine; a run costs {RUN_GAS} gas and a node {NODE_GAS} more")
    print(f"{'operator':30}" + "".join(f"{size:>10}" for size in SIZES) + "   ref/fast")
    by_name: dict[str, dict[int, Measured]] = {}
    for one in found:
        by_name.setdefault(one.name, {})[one.size] = one
    worst = {
        name: max(own.values(), key=lambda one: one.gas).ratio for name, own in by_name.items()
    }
    for name in sorted(by_name, key=lambda name: worst[name]):
        cells = [by_name[name].get(size) for size in SIZES]
        row = "".join(
            f"{'-':>10}" if one is None else f"{one.ratio:9.2f}{' *'[one.gas >= TRIVIAL_GAS]}"
            for one in cells
        )
        largest = max(by_name[name].values(), key=lambda one: one.size)
        print(f"{name:30}{row}{largest.reference / largest.fast:10.1f}")
    ratios = [one.ratio for one in found if one.gas >= TRIVIAL_GAS]
    if ratios:
        middle = median(ratios)
        outside = sorted(
            {
                one.name
                for one in found
                if one.gas >= TRIVIAL_GAS and not 0.5 <= one.ratio / middle <= 2
            }
        )
        print(
            f"* judged: {len(ratios)}; median {middle:.2f}, {min(ratios):.2f} to {max(ratios):.2f}"
        )
        print(f"beyond 2x of the median: {len(outside)}: {', '.join(outside)}")
    for line in sorted(set(refused)):
        print(f"refused: {line}")


if __name__ == "__main__":
    main()
