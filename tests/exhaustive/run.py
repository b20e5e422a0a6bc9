"""Prove every function over all 2^32 inputs and write results.json; NAMES prove only those."""

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import log2
from pathlib import Path

from ai_exec.semantics.functions import FUNCTIONS
from tests.exhaustive import proof

RESULTS = Path(__file__).parent / "results.json"
HARDEST = 24


class Disproved(Exception):
    """There are inputs with a wrong result, or a sequence is not exact enough."""


def prove(name: str, step: int, pool: ProcessPoolExecutor) -> dict[str, object]:
    """Prove one function; raises Disproved."""
    errors = proof.errors(name, proof.sample())
    wrong = proof.wrong_among(name, proof.sample().tolist())
    digest, candidates = hashlib.sha256(), []
    for found in pool.map(partial(proof.prove_slice, name, step), range(proof.SLICES)):
        digest.update(found.digest)
        candidates += found.candidates
        wrong += found.wrong
    if wrong or not all(proof.are_small(name, errors)):
        inputs = sorted({number.hex() for number in wrong})
        raise Disproved(f"{len(inputs)} wrong: {inputs[:50]}, errors {errors}")
    return {
        "inputs": proof.SLICES * proof.SLICE_LENGTH,
        "reference_step": step,
        "candidates": len(candidates),
        "largest_error_reference": f"2^{log2(errors[0]):.2f}",
        "largest_error_fast": f"2^{log2(errors[1]):.2f}",
        "outputs_sha256": digest.hexdigest(),
        "hardest": {
            number.hex(): f"2^{log2(distance):.1f}"
            for number, distance in proof.hardest(name, candidates, HARDEST)
        },
    }


def proved(name: str, step: int, pool: ProcessPoolExecutor) -> bool:
    """Prove one function and write what was found; tells whether it was true."""
    try:
        found = prove(name, step, pool)
    except Disproved as error:
        print(f"{name}: {error}", flush=True)
        return False
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = dict(sorted({**results, name: found}.items()))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{name}: {found['candidates']} candidates", flush=True)
    return True


def main() -> None:
    """Prove the functions that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAMES")
    parser.add_argument("--step", type=int, default=proof.STEP, help="1: run all by the reference")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        names = options.names or sorted(FUNCTIONS)
        failed = [name for name in names if not proved(name, options.step, pool)]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
