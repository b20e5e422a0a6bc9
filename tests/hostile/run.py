"""Put thousands of hostile models through admission, and those that pass it through the engines."""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.conformance.cases import Case, load_cases
from tests.hostile.alike import judge_graph
from tests.hostile.corpus import Corpus
from tests.hostile.graphs import Piece, pieces_of
from tests.hostile.trial import Outcome, attempt
from tests.support.isolation import judged

SECONDS_MAX = 60.0
"""Of a whole trial, both engines included."""
ADMISSION_SECONDS_MAX = 20.0
"""Of a processor, so that what else runs on the machine does not count."""
MEMORY_BYTES = 6 << 30
"""Address space of a process; a library maps some hundreds of MiB that it never touches."""


def outcomes_of(
    corpus: Corpus, indices: range, *, processes: int = 2, run: bool = True
) -> dict[int, Outcome]:
    """Try the models of these numbers, each within bounds."""
    answers = judged(
        indices,
        partial(_attempt, corpus, run),
        lambda _, end: Outcome("failed", end, "", 0.0, 0),
        processes=processes,
        seconds=SECONDS_MAX,
        memory_bytes=MEMORY_BYTES,
    )
    found = {indices[place]: outcome for place, outcome in answers}
    return {index: found[index] for index in indices}


def _attempt(corpus: Corpus, run: bool, index: int) -> Outcome:
    return attempt(corpus.at(index), run)


def graphs_of(
    pieces: list[Piece], indices: range, *, processes: int = 2
) -> dict[int, tuple[str, str]]:
    """Try the random graphs of these numbers: a word and a reason for each."""
    answers = judged(
        indices,
        partial(judge_graph, pieces),
        lambda _, end: ("failed", end),
        processes=processes,
        seconds=SECONDS_MAX,
        memory_bytes=MEMORY_BYTES,
    )
    found = {indices[place]: answer for place, answer in answers}
    return {index: found[index] for index in indices}


def failures_of(outcomes: dict[int, Outcome]) -> dict[int, str]:
    """Give what went wrong, by number."""
    failed = {i: o.reason for i, o in outcomes.items() if o.word == "failed"}
    for index, outcome in outcomes.items():
        if outcome.seconds > ADMISSION_SECONDS_MAX:
            failed.setdefault(index, f"admission took {outcome.seconds:.1f} s")
    return failed


def main() -> None:
    """Try as many as the command line says, then judge them again under another hash seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--graphs", type=int, default=0, help="so many random graphs as well")
    parser.add_argument("--digests", action="store_true", help="only judge, and print digests")
    parser.add_argument("--once", action="store_true", help="without the other hash seed")
    parser.add_argument("--write", type=Path, help="write the models of these numbers to a folder")
    options = parser.parse_args()
    cases = load_cases(("node", "simple", "pytorch-converted"))
    corpus = Corpus(cases, options.seed)
    indices = range(options.first, options.first + options.count)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        for index in indices:
            (options.write / f"{index}-{corpus.kind_of(index)}.onnx").write_bytes(corpus.at(index))
        return
    # In a process of its own: those that are forked from here must find no threads of a library.
    subprocess.run([sys.executable, "-m", "ai_exec.fast.prepare"], check=True)
    start = time.monotonic()
    outcomes = outcomes_of(corpus, indices, processes=options.processes, run=not options.digests)
    if options.digests:
        print("\n".join(f"{index} {outcome.digest}" for index, outcome in outcomes.items()))
        return
    failed = failures_of(outcomes)
    _print(corpus, outcomes, failed, time.monotonic() - start)
    same = options.once or _same_under_other_hash_seed(outcomes)
    alike = _graphs_agree(cases, range(options.first, options.first + options.graphs), options)
    sys.exit(1 if failed or not same or not alike else 0)


def _print(
    corpus: Corpus, outcomes: dict[int, Outcome], failed: dict[int, str], seconds: float
) -> None:
    kinds = {index: corpus.kind_of(index) for index in outcomes}
    words = ("refused", "dear", "trapped", "ran", "failed")
    print(f"{'kind':16}{'inputs':>8}" + "".join(f"{word:>9}" for word in words) + "  slowest ms")
    for kind in sorted(set(kinds.values())):
        chosen = [outcome for index, outcome in outcomes.items() if kinds[index] == kind]
        counts = Counter(outcome.word for outcome in chosen)
        slowest = max(outcome.seconds for outcome in chosen)
        row = "".join(f"{counts[word]:9}" for word in words)
        print(f"{kind:16}{len(chosen):8}{row}{slowest * 1e3:12.0f}")
    peak = max((outcome.peak_bytes for outcome in outcomes.values()), default=0)
    print(
        f"{len(outcomes)} inputs, {len(failed)} failed, {seconds:.0f} s, {peak >> 20} MiB at most"
    )
    for index, reason in failed.items():
        print(f"failed: {index} ({kinds[index]}): {reason[:1000]}")


def _graphs_agree(cases: Sequence[Case], indices: range, options: argparse.Namespace) -> bool:
    start = time.monotonic()
    found = graphs_of(pieces_of(cases), indices, processes=options.processes)
    counts = Counter(word for word, _ in found.values())
    told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    print(f"{len(found)} random graphs: {told or 'none'}, {time.monotonic() - start:.0f} s")
    for index, (word, reason) in found.items():
        if word == "failed":
            print(f"failed graph: {index}: {reason[:1000]}")
    return not counts["failed"]


def _same_under_other_hash_seed(outcomes: dict[int, Outcome]) -> bool:
    environment = {**os.environ, "PYTHONHASHSEED": "4242"}
    command = [sys.executable, *sys.argv, "--digests"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    theirs = dict(line.split(" ") for line in answer.stdout.splitlines())
    changed = [i for i, outcome in outcomes.items() if theirs[str(i)] != outcome.digest]
    print(f"under another hash seed: {len(changed)} verdicts differ {changed[:20]}")
    return not changed


if __name__ == "__main__":
    main()
