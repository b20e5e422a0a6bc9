"""Configuration: written as it is read, strict, every complaint at once."""

from pathlib import Path

import pytest

from chain.node.config import (
    CONFIG_BYTES_MAX,
    CONFIG_NAME,
    InvalidConfig,
    NodeConfig,
    load_config,
    with_overrides,
    write_config,
)


def read(folder: Path, text: str) -> NodeConfig:
    (folder / CONFIG_NAME).write_text(text)
    return load_config(folder)


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == NodeConfig()


def test_written_as_it_is_read(tmp_path: Path) -> None:
    config = with_overrides(
        NodeConfig(), {"name": 'a "b" \\', "rpc.port": 1, "network.boot_nodes": ("x", "y")}
    )
    assert read(tmp_path, write_config(config)) == config


def test_every_field_is_explained() -> None:
    text = write_config(NodeConfig())
    assert "# Address space of one worker; a model that needs more fails here" in text
    lines = text.splitlines()
    assert all(lines[at - 1].startswith("# ") for at, line in enumerate(lines) if " = " in line)


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("x = 1\n[rpc]\ny = 2", ["x: unknown, take it out", "rpc.y: unknown, take it out"]),
        ("rpc = 3", ["rpc: a section"]),
        ("[rpc]\nport = true", ["rpc.port: a whole number"]),
        ("name = 3", ["name: a text in quotes"]),
        ("[network]\nboot_nodes = [1]", ["network.boot_nodes: a list of texts"]),
        ('log_level = "loud"', ["log_level: one of debug, info, warning, error"]),
        (
            "[rpc]\nport = 70000\n[network]\npeers_max = 0",
            ["rpc.port: 0 to 65535", "network.peers_max: 1 to 250"],
        ),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, complaints: list[str]) -> None:
    with pytest.raises(InvalidConfig) as refusal:
        read(tmp_path, text)
    first, *named = str(refusal.value).splitlines()
    assert first == f"{tmp_path / CONFIG_NAME}: mend what is listed"
    assert sorted(named) == sorted(complaints)


def test_broken_and_huge_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match=r"node\.toml: "):
        read(tmp_path, "= 1")
    with pytest.raises(InvalidConfig, match="more than 65536 bytes"):
        read(tmp_path, "#" * (CONFIG_BYTES_MAX + 1))


def test_overrides_are_checked_and_none_is_skipped() -> None:
    assert with_overrides(NodeConfig(), {"rpc.port": None}) == NodeConfig()
    with pytest.raises(InvalidConfig, match="1 to 64"):
        with_overrides(NodeConfig(), {"execution.workers": 0})
