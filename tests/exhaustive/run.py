"""Prove every function over all 2^32 inputs and write results.json.

What is proved already and has not changed since is left out; NAMES are proved in any case.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from math import log2
from pathlib import Path
from typing import Any

from tests.exhaustive import angles, operators, proof
from tests.exhaustive.segments import largest_error
from tests.exhaustive.stamps import stamp_of, stamp_of_operator

RESULTS = Path(__file__).parent / "results.json"
README = Path(__file__).parent / "README.md"
HARDEST = 24
INPUTS = proof.SLICES * proof.SLICE_LENGTH
NAMES = (*proof.NAMES, *operators.STEPS)


def read_results() -> dict[str, dict[str, object]]:
    """Give what was found, by function."""
    found: dict[str, dict[str, object]] = json.loads(RESULTS.read_text())
    return found


def prove_function(name: str, step: int) -> dict[str, object]:
    """Prove one function and give what was found."""
    stamp, digest, candidates, wrong = stamp_of(name), hashlib.sha256(), [], []
    for index in range(proof.SLICES):
        found = proof.prove(name, proof.pieces_of(index), step)
        digest.update(found.digest)
        candidates += found.candidates
        wrong += found.wrong
    error = angles.ERROR if name in angles.NAMES else largest_error(name)
    return {
        "inputs": INPUTS,
        "reference_inputs": -(-INPUTS // step),
        "candidates": len(candidates),
        "wrong": sorted({number.hex() for number in wrong})[:HARDEST],
        "error_of_filter": f"2^{log2(error):.2f}",
        "outputs_sha256": digest.hexdigest(),
        "stamp": stamp,
        "hardest": {
            number.hex(): f"2^{log2(distance):.1f}" if distance else "0"
            for number, distance in proof.hardest(name, candidates, HARDEST)
        },
    }


def prove_operator(name: str) -> dict[str, object]:
    """Prove one operator of several steps and give what was found."""
    stamp, digest, wrong = stamp_of_operator(name), hashlib.sha256(), []
    for index in range(proof.SLICES):
        found = operators.prove(name, proof.pieces_of(index))
        digest.update(found.digest)
        wrong += found.wrong
    return {
        "inputs": INPUTS,
        "reference_inputs": INPUTS,
        "wrong": sorted({number.hex() for number in wrong})[:HARDEST],
        "outputs_sha256": digest.hexdigest(),
        "stamp": stamp,
    }


def current_stamp(name: str) -> str:
    """Give the stamp of a function or an operator as it is now."""
    return stamp_of_operator(name) if name in operators.STEPS else stamp_of(name)


def is_proved(name: str, step: int) -> bool:
    """Tell whether a function is proved as it is, by the reference on so many inputs."""
    found: dict[str, Any] = read_results().get(name, {"stamp": ""})
    is_current = found["stamp"] == current_stamp(name) and not found["wrong"]
    return is_current and found["reference_inputs"] >= INPUTS // step


def record(name: str, step: int) -> bool:
    """Prove one function, write what was found, and tell whether no result is wrong."""
    start = time.process_time()
    found = prove_operator(name) if name in operators.STEPS else prove_function(name, step)
    results = dict(sorted({**read_results(), name: found}.items()))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    README.write_text(readme(README.read_text(), results))
    seconds = time.process_time() - start
    print(f"{name}: wrong {found['wrong']}, {seconds:.0f} s", flush=True)
    return not found["wrong"]


def readme(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Give the readme with the table of what was found."""
    lines = [
        "| function | inputs | by the reference | by MPFR | wrong | nearest to a boundary |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        nearest = next(iter(found.get("hardest", {}).items()), None)
        told = f"{nearest[0]}, {nearest[1]}" if nearest else "-"
        lines.append(
            f"| {name} | {found['inputs']} | {found['reference_inputs']} "
            f"| {found.get('candidates', '-')} | {len(found['wrong'])} | {told} |"
        )
    return text[: text.index("| function |")] + "\n".join(lines) + "\n"


def main() -> None:
    """Prove the functions that are named, or all that are not proved yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAMES")
    parser.add_argument("--step", type=int, default=1, help="run each so-manieth by the reference")
    options = parser.parse_args()
    names = options.names or [name for name in NAMES if not is_proved(name, options.step)]
    failed = [name for name in names if not record(name, options.step)]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
