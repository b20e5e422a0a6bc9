"""Failures to start, each in one line and with a status."""

import logging
from pathlib import Path

import pytest

from chain.node.start import FAILED, run_node


@pytest.mark.parametrize("place", ["blobs", "consensus", "network.key"])
def test_what_the_disk_refuses_is_told_in_one_line(
    place: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    if place == "network.key":
        (tmp_path / place).mkdir()
    else:
        (tmp_path / place).write_text("a file where a folder belongs")

    status = run_node(tmp_path, {"chain": "dev", "rpc.port": 0, "network.port": 0})

    (line,) = capsys.readouterr().err.splitlines()
    assert status == FAILED
    assert place in line
    assert line.endswith("(Look at free space, permissions and ports.)")
