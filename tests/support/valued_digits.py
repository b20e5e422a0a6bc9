"""A chain with datasets of real digits, whose rows are valued."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chain.primitives.merkle import root_over, top_of
from chain.primitives.numbers import NOE
from runtime.frame.rows import rows_root
from runtime.pallets.attribution.stored import OPEN, Measure, Worth
from tests.support.economy import ALICE, BOB, CAROL, DAVE, Chain

Array = npt.NDArray[Any]
DIGITS = Path(__file__).parents[2] / "examples" / "digits"
WIDTH = 65
FORM = {"element": 2, "shape": (64,), "classes": 10, "licence": "CC0"}


def digits(name: str, first: int, count: int) -> Array:
    """Give rows [count, 65] of a file."""
    content = np.frombuffer((DIGITS / f"{name}.rows").read_bytes(), np.uint8)
    return content.reshape(-1, WIDTH)[first : first + count].copy()


def mislabelled(rows: Array, seed: int, part: float = 1.0) -> tuple[Array, Array]:
    """Give rows of which some have another label, and which (bool)."""
    dice = np.random.default_rng(seed)
    wrong = dice.random(len(rows)) < part
    rows = rows.copy()
    rows[wrong, -1] = (rows[wrong, -1] + dice.integers(1, 10, wrong.sum())) % 10
    return rows, wrong


def contribute(chain: Chain, who: bytes, dataset: str, rows: Array) -> None:
    content = rows.tobytes()
    top = top_of(content)
    blob = root_over(top, len(content))
    chain.executor.contents[blob] = content
    chain.make_available(who, top, len(content), 1)
    chain.call(
        *(who, "data", "contribute"),
        dataset=dataset,
        blob=blob,
        rows=len(rows),
        rows_root=rows_root(content, rows.shape[1]),
    )
    chain.end_block()


def open_datasets(chain: Chain, distance: int = 9, neighbours: int = 5, unseen: int = 60) -> None:
    """Let there be digits, and a snapshot of unseen rows, number 0."""
    for name in ("digits", "unseen"):
        more = {"distance": distance, "neighbours": neighbours}
        chain.call(ALICE, "data", "create_dataset", name=name, **FORM, **more)
    contribute(chain, ALICE, "unseen", digits("unseen", 0, unseen))
    chain.call(ALICE, "snapshots", "take", dataset="unseen")


MEASURE = Measure(0, 5, None, None)


def declare(chain: Chain, who: bytes = ALICE, **changes: Any) -> None:
    arguments = {"dataset": "digits", "measure": MEASURE, "shares": (), **changes}
    chain.call(who, "attribution", "declare", **arguments)


def value(chain: Chain, who: bytes = DAVE, **changes: Any) -> None:
    arguments = {"snapshot": 1, "measure": MEASURE, "max_price": 100 * NOE, **changes}
    chain.call(who, "attribution", "value", **arguments)


def finish(chain: Chain, number: int = 0) -> tuple[Worth, ...]:
    for _ in range(60):
        chain.end_block()
        status = chain.pallets.attribution.status(number)
        assert status is not None
        if status.valuation.stage not in OPEN:
            return status.records
    raise AssertionError("it does not end")


def run_all(chain: Chain, rows: dict[bytes, Array]) -> dict[bytes, Worth]:
    """Contribute, declare, take and value; gives what each contributor's record was worth."""
    open_datasets(chain)
    declare(chain)
    for who, own in rows.items():
        contribute(chain, who, "digits", own)
    chain.call(ALICE, "snapshots", "take", dataset="digits")
    value(chain)
    return {each.contributor: each for each in finish(chain)}


def honest() -> dict[bytes, Array]:
    return {BOB: digits("bob", 0, 200), CAROL: digits("carol", 0, 150)}
