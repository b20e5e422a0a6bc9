"""What operators watch, in Prometheus's words.  Counting only: nothing here decides anything."""

from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from consensus.engine.view import EngineView

FAULTS: Final = ("accused", "block_refused", "could_not", "diverged")
"""Kinds of faults; each is on the page from the start, so that an alarm can rest on its 0."""

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The measurements of one node; a registry of its own, so that several live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.height = Gauge("noema_height", "Last final block", registry=self.registry)
        self.round = Gauge("noema_round", "Round being decided", registry=self.registry)
        self.blocks = Counter("noema_blocks", "Blocks made final", registry=self.registry)
        self.extrinsics = Counter(
            "noema_extrinsics", "Transactions in final blocks", registry=self.registry
        )
        self.late_rounds = Counter(
            "noema_late_rounds", "Rounds after the first of a height", registry=self.registry
        )
        self.faults = Counter(
            "noema_faults",
            "Things that must not happen, by kind",
            ["kind"],
            registry=self.registry,
        )
        for kind in FAULTS:
            self.faults.labels(kind)
        self.work = Histogram(
            "noema_block_seconds",
            "Time to propose, check or commit a block",
            ["work"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def watch(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Publish a value that is read whenever somebody asks."""
        Gauge(name, documentation, registry=self.registry).set_function(read)

    def watch_engine(self, view: Callable[[], EngineView | None]) -> None:
        """Publish how votes stand, as parts of all power; everything is 0 before the first head."""

        def publish(name: str, documentation: str, pick: Callable[[EngineView], float]) -> None:
            def read() -> float:
                seen = view()
                return 0.0 if seen is None else pick(seen)

            self.watch(name, documentation, read)

        publish(
            "noema_prevoted_share",
            "Part of the power that prevoted in this round",
            lambda seen: seen.prevoted_power / seen.validators.total,
        )
        publish(
            "noema_precommitted_share",
            "Part of the power that precommitted in this round",
            lambda seen: seen.precommitted_power / seen.validators.total,
        )
        publish("noema_votes", "Whether this node's key has a vote", lambda seen: seen.is_validator)
        publish("noema_halted", "Whether this node votes no more", lambda seen: seen.is_halted)

    def text(self) -> tuple[bytes, str]:
        """Give the page for Prometheus and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
