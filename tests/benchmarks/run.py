"""Runs every benchmark beside this file, one process each, and prints what they print."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


def main() -> int:
    """Run the benchmarks named on the command line, or all; non-zero if one breaks."""
    wanted = sys.argv[1:]
    broken = []
    for path in sorted(FOLDER.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if wanted and name not in wanted:
            continue
        print(f"\n== {name}", flush=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if subprocess.run([sys.executable, str(path)], cwd=ROOT, env=environment).returncode:
            broken.append(name)
    if broken:
        print(f"\nbroken: {', '.join(broken)}", file=sys.stderr)
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
