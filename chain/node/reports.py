"""What the engine reports, as log lines and counts."""

import logging

from chain.node.metrics import Metrics
from chain.primitives.keys import ss58_encode
from consensus.engine.ports import (
    Accused,
    CouldNot,
    Decided,
    Diverged,
    Report,
    RoundStarted,
    Withheld,
)

_log = logging.getLogger("noema.consensus")


class Reports:
    """Takes reports; returns at once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, report: Report) -> None:
        """Log and count one report."""
        match report:
            case Decided():
                _log.debug("decided", extra={"height": report.height, "round": report.round})
            case RoundStarted():
                self._metrics.round.set(report.round)
                if report.round:
                    self._metrics.late_rounds.inc()
                    self._say(logging.INFO, "a further round begins", report)
            case Accused():
                self._fault("accused", "a validator signed two different things", report)
            case CouldNot():
                self._metrics.faults.labels("could_not").inc()
                self._say(logging.WARNING, f"could not {report.work}: {report.reason}", report)
            case Diverged():
                self._fault(
                    "diverged",
                    "the others agreed on a block that this node refused; its vote is not cast",
                    report,
                )
            case Withheld():
                self._say(logging.WARNING, f"not signed: {report.reason}", report)

    def _fault(self, kind: str, words: str, report: Report) -> None:
        self._metrics.faults.labels(kind).inc()
        self._say(logging.ERROR, words, report)

    def _say(self, level: int, words: str, report: Report) -> None:
        fields = {
            name: getattr(report, name) for name in ("height", "round") if hasattr(report, name)
        }
        if isinstance(report, RoundStarted):
            fields["proposer"] = ss58_encode(report.proposer)
        if isinstance(report, Diverged):
            fields["block"] = report.block_hash.hex()
        if isinstance(report, Accused):
            fields["evidence"] = repr(report.evidence)
        _log.log(level, words, extra=fields)
