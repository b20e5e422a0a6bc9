"""A chain in memory with a snapshot of real digits, on which networks are trained."""

from pathlib import Path
from typing import Any

from ai_exec.backend import InProcess
from chain.primitives.merkle import root_of, top_of
from chain.primitives.numbers import NOE
from cli.training import Built, Plan, build
from runtime.execution import BackendExecutor
from runtime.frame.ports import Bound
from runtime.frame.rows import rows_root
from tests.support.economy import ALICE, BOB, VALIDATORS, Chain

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
WIDTH = 65
FORM = {"element": 2, "shape": (64,), "classes": 10, "licence": "CC0", "distance": 0}
ROWS = 297
BOUNDS = (Bound("rows", ROWS),)
BUDGET = 5 * NOE

LINEAR = Plan("linear", (64,), 10, optimiser="sgd", rate=0.5, scale=16.0)


class RealExecutor(BackendExecutor):
    """Runs models within this process, over content in memory."""

    def __init__(self, contents: dict[bytes, bytes]) -> None:
        super().__init__(InProcess(), contents.__getitem__)
        self.contents = contents


def rows_of(name: str, rows: int) -> bytes:
    """Give the first rows of a file of digits."""
    return (DIGITS / f"{name}.rows").read_bytes()[: rows * WIDTH]


def put(chain: Chain, who: bytes, content: bytes, kind: int) -> bytes:
    """Make content available; gives its root."""
    root = root_of(content)
    chain.executor.contents[root] = content
    chain.make_available(who, top_of(content), len(content), kind)
    return root


def with_snapshot(chain: Chain, **contents: bytes) -> Chain:
    """Open a dataset of digits, let rows of each name count, and take a snapshot of them."""
    chain.call(ALICE, "data", "create_dataset", name="digits", neighbours=0, **FORM)
    for content in contents.values():
        root = root_of(content)
        chain.executor.contents[root] = content
        chain.call(*(BOB, "blobs", "announce"), top=top_of(content), length=len(content), kind=1)
        chain.call(
            *(BOB, "data", "contribute"),
            dataset="digits",
            blob=root,
            rows=len(content) // WIDTH,
            rows_root=rows_root(content, WIDTH),
        )
        for validator in VALIDATORS[:3]:
            chain.call(validator, "blobs", "attest", root=root)
        chain.end_block()
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    return chain


def put_programs(chain: Chain, built: Built, who: bytes = ALICE) -> dict[str, Any]:
    """Make programs and parameters available; gives those arguments of `start`."""
    return {
        "step": put(chain, who, built.step, 0),
        "predict": put(chain, who, built.predict, 0),
        "parameters": put(chain, who, built.parameters, 2),
    }


def start(chain: Chain, programs: dict[str, Any], steps: int, **others: Any) -> None:
    """Start a training on snapshot 0."""
    rest = {"bounds": BOUNDS, "snapshot": 0, "evaluation": None, "budget": BUDGET} | others
    chain.call(ALICE, "training", "start", **programs, steps=steps, **rest)


def training_chain(plan: Plan = LINEAR, rows: int = 300, *, real: bool = True) -> Chain:
    """Give a chain with a snapshot of bob's first rows, that runs what it is given."""
    chain = Chain()
    if real:
        chain.executor = RealExecutor(chain.executor.contents)  # type: ignore[assignment]
    chain.end_block()
    return with_snapshot(chain, bob=rows_of("bob", rows))


def run(chain: Chain, blocks: int = 60) -> list[Any]:
    """End blocks until no training is open; gives the events."""
    happened: list[Any] = []
    for _ in range(blocks):
        happened += chain.end_block()
        if not chain.pallets.training.open.get():
            return happened + chain.end_block()
    raise AssertionError("a training is still open")


def built(plan: Plan = LINEAR) -> Built:
    """Build a network."""
    return build(plan)
