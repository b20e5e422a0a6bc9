"""The page for Prometheus."""

from chain.node.metrics import Metrics


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


def test_nodes_do_not_share_measurements() -> None:
    one, two = Metrics(), Metrics()
    one.blocks.inc()
    assert "noema_blocks_total 1.0" in one.text()[0].decode()
    assert "noema_blocks_total 0.0" in two.text()[0].decode()
