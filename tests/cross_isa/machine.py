"""Runs on the processor that is tried, in one process: prints a hash of every program's outputs.

Called with the folder of programs; imports nothing but the room itself and what it needs.
"""

import sys
import time
from hashlib import blake2b
from pathlib import Path

import numpy as np
import onnxruntime

import ai_exec
from ai_exec.fast.products import BYTES, PAIRS, STANDARD, WIDE
from ai_exec.tensor import canonical, decode_tensors, encode_tensors

WAYS = {"standard": STANDARD, "wide": WIDE, "pairs": PAIRS, "bytes": BYTES}


def hashes(folder: Path, name: str) -> dict[str, str]:
    """Give a hash of the outputs for the reference, and for every way of the fast engine."""
    admission = ai_exec.admit((folder / f"{name}.onnx").read_bytes())
    program = admission.program
    if program is None:
        return {"admission": " | ".join(admission.reasons)}
    engines = {"reference": ai_exec.compile(program, engine="reference")}
    # Only products know several ways: other programs are the same in each.
    chosen = WAYS if name.startswith("net-") else {"standard": STANDARD}
    for way, products in chosen.items():
        engines[way] = ai_exec.compile(program, engine="fast", products=products)
    found = {}
    for engine, executable in engines.items():
        digest = blake2b(repr((admission.cost, admission.peak_bytes)).encode(), digest_size=16)
        for path in sorted(folder.glob(f"{name}.*.in")):
            try:
                outputs = executable.run(decode_tensors(path.read_bytes()))
            except ai_exec.Trap as trap:
                digest.update(str(trap).encode())
            else:
                digest.update(encode_tensors({k: canonical(v) for k, v in outputs.items()}))
        found[engine] = digest.hexdigest()
    return found


def main() -> None:
    """Print a line for every program: its name and its hash, or all hashes if they differ."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    names = names or sorted(path.stem for path in folder.glob("*.onnx"))
    print(f"# numpy {np.__version__}, onnxruntime {onnxruntime.__version__}", flush=True)
    for name in names:
        start = time.monotonic()
        found = hashes(folder, name)
        told = set(found.values())
        line = told.pop() if len(told) == 1 else " ".join(f"{k}={v}" for k, v in found.items())
        print(f"{name} {time.monotonic() - start:.1f} {line}", flush=True)


if __name__ == "__main__":
    main()
