"""The page for Prometheus."""

from chain.node.metrics import FAULTS, Metrics
from consensus.engine.view import EngineView
from tests.support.consensus_cast import FOUR


def test_page_shows_counts_and_watched_values() -> None:
    metrics = Metrics()
    metrics.height.set(7)
    metrics.faults.labels("diverged").inc()
    metrics.watch("noema_peers", "Connected peers", lambda: 3)
    text, content_type = metrics.text()
    lines = text.decode().splitlines()
    assert content_type.startswith("text/plain")
    assert {"noema_height 7.0", "noema_peers 3.0", 'noema_faults_total{kind="diverged"} 1.0'} <= {
        *lines
    }


def test_no_fault_is_a_zero_on_the_page() -> None:
    lines = Metrics().text()[0].decode().splitlines()
    assert {f'noema_faults_total{{kind="{kind}"}} 0.0' for kind in FAULTS} <= {*lines}


def test_votes_are_shown_as_parts_of_the_power() -> None:
    metrics, views = Metrics(), [EngineView(7, 0, 2, 1, FOUR, True, False)]
    metrics.watch_engine(lambda: views[0] if views else None)
    expected = {"prevoted_share": 0.5, "precommitted_share": 0.25, "votes": 1.0, "halted": 0.0}
    assert gauges(metrics, *expected) == expected
    views.clear()
    assert gauges(metrics, *expected) == dict.fromkeys(expected, 0.0)


def gauges(metrics: Metrics, *names: str) -> dict[str, float | None]:
    return {name: metrics.registry.get_sample_value(f"noema_{name}") for name in names}


def test_nodes_do_not_share_measurements() -> None:
    one, two = Metrics(), Metrics()
    one.blocks.inc()
    assert "noema_blocks_total 1.0" in one.text()[0].decode()
    assert "noema_blocks_total 0.0" in two.text()[0].decode()
