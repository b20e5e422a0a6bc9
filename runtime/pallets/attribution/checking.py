"""Checks of measures and shares; raise DispatchError."""

from typing import Final

from runtime.frame.predictions import UnfitModel
from runtime.frame.runs import PARTS
from runtime.frame.snapshots import Snapshot
from runtime.pallets.attribution import engine, errors
from runtime.pallets.attribution.neighbours import ROWS_MAX
from runtime.pallets.attribution.ports import ModelSource, SnapshotKeeper
from runtime.pallets.attribution.stored import Embedder, Embedding, Measure, Shares

NEIGHBOURS_MAX: Final = 64

EMBEDDED_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of the embedding of a snapshot's rows: they lie in the state until the valuation ends."""


def check_shares(measure: Measure | None, shares: Shares) -> None:
    """Refuse shares that do not divide everything once."""
    accounts = {each.account for each in shares}
    total = sum(each.parts for each in shares)
    if measure is not None or len(accounts) < len(shares) or total != PARTS:
        raise errors.SharesDoNotAddUp(f"{total} parts for {len(accounts)} accounts")
    if not all(each.parts for each in shares):
        raise errors.SharesDoNotAddUp("a share is zero")


def rows_of(measure: Measure, snapshots: SnapshotKeeper, valued: Snapshot | None = None) -> int:
    """Give how many evaluation rows a measure takes, for a snapshot if one is named."""
    evaluation = snapshots.snapshot(measure.evaluation)
    if not 1 <= measure.neighbours <= NEIGHBOURS_MAX:
        raise errors.BadNeighbours(f"{measure.neighbours}")
    if not evaluation.form.classes or (valued and valued.form != evaluation.form):
        raise errors.UnfitEvaluation(f"snapshot {measure.evaluation}")
    if valued and valued.number == measure.evaluation:
        raise errors.UnfitEvaluation("the rows themselves")
    if evaluation.rows > ROWS_MAX:
        raise errors.TooLarge(f"{evaluation.rows} evaluation rows, at most {ROWS_MAX}")
    rows = evaluation.rows if measure.rows is None else measure.rows
    if not 1 <= rows <= evaluation.rows:
        raise errors.BadRows(f"{rows} of {evaluation.rows}")
    return rows


def embedder_for(embedding: Embedding, models: ModelSource, valued: Snapshot) -> Embedder:
    """Give what runs of an embedding need for the rows of a snapshot."""
    run = models.runnable(embedding.model, embedding.version)
    outputs = models.outputs(embedding.model, embedding.version)
    try:
        embedder = engine.embedder_of(run, outputs, valued.form)
    except UnfitModel as unfit:
        raise errors.UnfitEmbedding(str(unfit)) from unfit
    if valued.rows * embedder.width * 2 > EMBEDDED_BYTES_MAX:
        raise errors.TooLarge(f"{valued.rows} rows of {embedder.width} numbers")
    return embedder
