"""Configuration of a node: one frozen tree, written and read as TOML, unknown keys refused."""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass, replace
from inspect import getsource
from pathlib import Path
from typing import Any, Final, get_type_hints

from chain.node.logs import FORMATS, LEVELS

CONFIG_NAME: Final = "node.toml"
"""Name of the file in the base path."""

CONFIG_BYTES_MAX: Final = 64 * 1024


class InvalidConfig(ValueError):
    """The configuration can't be used.  Each line of the message names one thing to mend."""


@dataclass(frozen=True, slots=True)
class NetworkSection:
    """How the node meets others."""

    listen_host: str = "0.0.0.0"
    """Address to listen at; 127.0.0.1 keeps the node on this machine."""

    port: int = 30333
    """TCP port for other nodes; 0 takes any free one."""

    boot_nodes: tuple[str, ...] = ()
    """Multiaddresses to start from, such as /ip4/192.0.2.1/tcp/30333/p2p/12D3Koo..."""

    peers_max: int = 50
    """Connections at most, both directions together."""


@dataclass(frozen=True, slots=True)
class RpcSection:
    """How clients and operators talk to the node."""

    host: str = "127.0.0.1"
    """Address to listen at; put a reverse proxy with TLS in front before you open it."""

    port: int = 9944
    """TCP port of HTTP, WebSocket, /metrics and /health; 0 takes any free one."""


@dataclass(frozen=True, slots=True)
class PoolSection:
    """How many transactions wait."""

    count_max: int = 8192
    """Transactions at most; the cheapest give way."""

    bytes_max: int = 32 * 1024 * 1024
    """Bytes of all together at most."""


@dataclass(frozen=True, slots=True)
class ExecutionSection:
    """How models are run.  Nothing here changes a result."""

    workers: int = 1
    """Processes that run models."""

    memory_mib: int = 4096
    """Address space of one worker; a model that needs more fails here, not on the chain."""

    seconds_max: int = 60
    """Time for one run or admission."""

    cache_mib: int = 64
    """Results kept for the moment when their block is built or checked."""


@dataclass(frozen=True, slots=True)
class StorageSection:
    """What the node keeps."""

    blobs_gib_max: int = 20
    """Disk for models and records; above it the node takes no more and says so."""


@dataclass(frozen=True, slots=True)
class ConsensusSection:
    """Patience of the voting rounds; each round is more patient than the one before."""

    propose_ms: int = 3000
    """Wait for a proposal in round 0: the time to build, send and execute a full block."""

    vote_ms: int = 1000
    """Wait for missing votes in round 0."""

    step_ms: int = 500
    """Added to both waits in every further round."""


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Everything that an operator decides."""

    chain: str = "local"
    """dev, local, or the path of a chain specification."""

    name: str = "noema"
    """How the node calls itself in logs and to others."""

    validator_key: str = ""
    """Path of a validator's key file, or a development key (//Alice//validator); empty: follow."""

    log_level: str = "info"
    """debug, info, warning or error."""

    log_format: str = "text"
    """text or json."""

    network: NetworkSection = field(default_factory=NetworkSection)
    rpc: RpcSection = field(default_factory=RpcSection)
    pool: PoolSection = field(default_factory=PoolSection)
    execution: ExecutionSection = field(default_factory=ExecutionSection)
    storage: StorageSection = field(default_factory=StorageSection)
    consensus: ConsensusSection = field(default_factory=ConsensusSection)


def load_config(base_path: Path) -> NodeConfig:
    """Read the folder's configuration, the defaults if it has none; raises InvalidConfig."""
    path = base_path / CONFIG_NAME
    if not path.exists():
        return NodeConfig()
    if path.stat().st_size > CONFIG_BYTES_MAX:
        raise InvalidConfig(f"{path}: more than {CONFIG_BYTES_MAX} bytes")
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{path}: {error}") from error
    complaints: list[str] = []
    config = _read(NodeConfig(), document, "", complaints)
    try:
        if complaints:
            raise InvalidConfig("\n".join(complaints))
        return checked(config)
    except InvalidConfig as error:
        raise InvalidConfig(f"{path}: mend what is listed\n{error}") from error


def with_overrides(config: NodeConfig, overrides: dict[str, Any]) -> NodeConfig:
    """Replace fields by dotted name, such as {"rpc.port": 9945}; None leaves one as it is."""
    for name, value in overrides.items():
        if value is None:
            continue
        section, _, key = name.rpartition(".")
        if section:
            part = replace(getattr(config, section), **{key: value})
            config = replace(config, **{section: part})
        else:
            config = replace(config, **{key: value})
    return checked(config)


def checked(config: NodeConfig) -> NodeConfig:
    """Give the configuration back, or raise InvalidConfig with everything that is out of bounds."""
    rules: tuple[tuple[bool, str], ...] = (
        (0 <= config.network.port < 65536, "network.port: 0 to 65535"),
        (0 <= config.rpc.port < 65536, "rpc.port: 0 to 65535"),
        (1 <= config.network.peers_max <= 250, "network.peers_max: 1 to 250"),
        (len(config.network.boot_nodes) <= 64, "network.boot_nodes: at most 64"),
        (16 <= config.pool.count_max <= 1_000_000, "pool.count_max: 16 to 1000000"),
        (config.pool.bytes_max >= 1 << 20, "pool.bytes_max: 1048576 or more"),
        (1 <= config.execution.workers <= 64, "execution.workers: 1 to 64"),
        (config.execution.memory_mib >= 512, "execution.memory_mib: 512 or more"),
        (1 <= config.execution.seconds_max <= 3600, "execution.seconds_max: 1 to 3600"),
        (config.execution.cache_mib >= 1, "execution.cache_mib: 1 or more"),
        (config.storage.blobs_gib_max >= 1, "storage.blobs_gib_max: 1 or more"),
        (100 <= config.consensus.propose_ms <= 600_000, "consensus.propose_ms: 100 to 600000"),
        (50 <= config.consensus.vote_ms <= 600_000, "consensus.vote_ms: 50 to 600000"),
        (1 <= config.consensus.step_ms <= 600_000, "consensus.step_ms: 1 to 600000"),
        (config.log_level in LEVELS, f"log_level: one of {', '.join(LEVELS)}"),
        (config.log_format in FORMATS, f"log_format: one of {', '.join(FORMATS)}"),
        (1 <= len(config.name) <= 64 and config.name.isprintable(), "name: 1 to 64 characters"),
    )
    complaints = [complaint for holds, complaint in rules if not holds]
    if complaints:
        raise InvalidConfig("\n".join(complaints))
    return config


def write_config(config: NodeConfig) -> str:
    """Give the TOML file of a configuration, each field explained by its own words."""
    lines = ["# Configuration of a Noema node.  Unknown keys are refused."]
    sections = []
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            sections.append((each.name, value))
        else:
            lines += _lines(NodeConfig, each.name, value)
    for name, section in sections:
        lines += ["", f"[{name}]"]
        for each in fields(section):
            lines += _lines(type(section), each.name, getattr(section, each.name))
    return "\n".join(lines) + "\n"


def _lines(kind: type, name: str, value: Any) -> list[str]:
    source = getsource(kind).split(f"    {name}: ", 1)[1].split('"""')[1]
    return ["", f"# {' '.join(source.split())}", f"{name} = {_toml(value)}"]


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _read(default: Any, document: dict[str, Any], prefix: str, complaints: list[str]) -> Any:
    hints = get_type_hints(type(default))
    values = {}
    for name, value in document.items():
        if name not in hints:
            complaints.append(f"{prefix}{name}: unknown, take it out")
        elif is_dataclass(hints[name]):
            if isinstance(value, dict):
                part = _read(getattr(default, name), value, f"{prefix}{name}.", complaints)
                values[name] = part
            else:
                complaints.append(f"{prefix}{name}: a section")
        elif hints[name] is int and isinstance(value, bool | str | float | list | dict):
            complaints.append(f"{prefix}{name}: a whole number")
        elif hints[name] is str and not isinstance(value, str):
            complaints.append(f"{prefix}{name}: a text in quotes")
        elif hints[name] not in (int, str):
            if isinstance(value, list) and all(isinstance(each, str) for each in value):
                values[name] = tuple(value)
            else:
                complaints.append(f"{prefix}{name}: a list of texts")
        else:
            values[name] = value
    return replace(default, **values)
