"""Run ONNX's backend suite through both engines, print what passed, and check the record."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.conformance import report
from tests.conformance.cases import KINDS, Case, load_cases
from tests.conformance.judge import ENGINES, PEER, Verdict, judge
from tests.support.isolation import judged

RECORD = Path(__file__).with_name("results.json")


def verdicts_of(
    cases: Sequence[Case],
    engines: Sequence[str],
    *,
    processes: int,
    verbose: bool = False,
) -> dict[str, Verdict]:
    """Judge the cases in processes of their own."""
    found: dict[str, Verdict] = {}
    answers = judged(
        cases,
        partial(_judged, engines),
        lambda _, end: Verdict("crashed", end),
        processes=processes,
    )
    for index, verdict in answers:
        key = cases[index].key
        found[key] = verdict
        if verbose:
            print(f"{verdict.word:8} {key} {verdict.reason}", flush=True)
    return {case.key: found[case.key] for case in cases}


def _judged(engines: Sequence[str], case: Case) -> Verdict:
    try:
        return judge(case, engines)
    except Exception as error:
        # A border: whatever an engine raises is what became of the case.
        return Verdict("crashed", f"{type(error).__name__}: {error}")


def read_record() -> dict[str, str]:
    """Give the verdict of every case as it was recorded."""
    return dict(json.loads(RECORD.read_text()))


def write_record(verdicts: dict[str, Verdict]) -> None:
    """Record the verdicts."""
    lines = {key: str(verdict) for key, verdict in verdicts.items()}
    RECORD.write_text(json.dumps(lines, indent=0) + "\n")


def main() -> None:
    """Run the suite as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    parser.add_argument("--peer", action="store_true", help="run plain onnxruntime instead")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="as test_resize*")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="print every case")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    parser.add_argument("--check", action="store_true", help=f"compare with {RECORD.name}")
    options = parser.parse_args()
    engines = ENGINES if options.engine == "both" else (options.engine,)
    start = time.monotonic()
    cases = [case for case in load_cases(options.kinds) if fnmatch(case.name, options.only)]
    found = verdicts_of(
        cases,
        (PEER,) if options.peer else engines,
        processes=options.processes,
        verbose=options.verbose,
    )
    print(report.totals(cases, found))
    for word in report.WORDS[1:]:
        print(f"\n{word}, by reason\n{report.by_reason(found, word)}")
    print(f"\nnot passed, by operator\n{report.by_operator(cases, found)}")
    print(f"\n{time.monotonic() - start:.0f} s")
    if options.record:
        write_record(found)
    if options.check and not _matches(found):
        sys.exit(1)


def _matches(found: dict[str, Verdict]) -> bool:
    recorded = read_record()
    changed = {key: verdict for key, verdict in found.items() if recorded.get(key) != str(verdict)}
    for key, verdict in changed.items():
        print(f"changed: {key}: recorded {recorded.get(key)}, now {verdict}")
    return not changed


if __name__ == "__main__":
    main()
