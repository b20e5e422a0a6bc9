"""Plan of a valuation: how many rows each block takes, and what it costs.  Pure.

All is known at the start, so a valuation is paid in advance and cannot run dry.
"""

from dataclasses import dataclass

from runtime.pallets.attribution import weights
from runtime.pallets.attribution.stored import Stage, Valuation


class TooHeavy(Exception):
    """Not even one row fits into a block."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How a stage goes on."""

    rows: int
    """Of a block."""

    load: int
    """Picoseconds of a block beside its rows."""

    row: int
    """Picoseconds of a row."""

    batch: int = 1
    """Rows that one run of the model takes."""

    run: int = 0
    """Picoseconds of a run; 0 without a model."""

    def weight(self, rows: int) -> int:
        """Give the picoseconds of a block that takes some rows."""
        return self.load + rows * self.row + -(-rows // self.batch) * self.run

    def total(self, rows: int) -> int:
        """Give the picoseconds of all blocks together."""
        whole, rest = divmod(rows, self.rows)
        return whole * self.weight(self.rows) + (self.weight(rest) if rest else 0)

    def runs(self, rows: int) -> int:
        """Give the runs of all blocks together."""
        whole, rest = divmod(rows, self.rows)
        return whole * -(-self.rows // self.batch) + -(-rest // self.batch)


def steps_of(job: Valuation, stage: Stage, width: int, weight_max: int) -> Steps:
    """Plan a stage of a valuation of rows with `width` features; raises TooHeavy."""
    rows, groups, model = job.rows, job.groups, job.embedder
    batch = model.taken.shape[0] if model else 1
    run = model.gas * 1000 + weights.RUN + batch * (width + model.width) * 10_000 if model else 0
    if stage == Stage.REPEATS:
        return _fit(weights.load(rows, width, 0), weights.repeat(rows, width), 1, 0, weight_max)
    if stage == Stage.EMBEDDING:
        load = weights.load(batch, width, 0)
        return _fit(load, 0, batch, run, weight_max)
    compared = model.width if model else width
    load = weights.load(rows, compared, groups) + weights.fold(rows, groups)
    row = weights.measure(rows, compared, groups)
    return _fit(load, row, batch, run, weight_max)


def _fit(load: int, row: int, batch: int, run: int, weight_max: int) -> Steps:
    left = weight_max - load
    if run:
        runs = max(left, 0) // (batch * row + run)
        rows = runs * batch or ((left - run) // row if row else 0)
    else:
        rows = left // row
    if rows < 1:
        raise TooHeavy(f"a block of {weight_max} ps is left {left} ps for rows")
    return Steps(rows, load, row, batch, run)


def stages_of(job: Valuation) -> tuple[tuple[Stage, int], ...]:
    """Give the stages of a valuation, in order, and the rows of each."""
    stages = [(Stage.REPEATS, job.rows)]
    if job.embedder is not None:
        stages.append((Stage.EMBEDDING, job.rows))
    if job.measure is not None:
        stages.append((Stage.MEASURING, job.wanted))
    return tuple(stages)


def total_weight(job: Valuation, width: int, weight_max: int) -> int:
    """Give the picoseconds of a whole valuation; raises TooHeavy."""
    planned = (
        steps_of(job, stage, width, weight_max).total(rows) for stage, rows in stages_of(job)
    )
    return sum(planned) + weights.end(job.rows, job.groups)


def runs_of(job: Valuation, width: int, weight_max: int) -> int:
    """Give how often a valuation runs its model."""
    if job.embedder is None:
        return 0
    planned = stages_of(job)[1:]
    return sum(steps_of(job, stage, width, weight_max).runs(rows) for stage, rows in planned)
