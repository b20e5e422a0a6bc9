"""The house rules of the code, checked: who may import whom, what stays pure, how long is long."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ai_exec", "chain", "cli", "consensus", "genesis", "runtime")

# Floor by floor, from the roof down.  A room imports only rooms on floors below its own.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("chain.node",),
    ("chain.rpc", "chain.gossip", "chain.sync"),
    ("chain.ledger", "chain.pool", "chain.network", "consensus.engine"),
    ("genesis",),
    ("runtime",),
    ("runtime.pallets", "chain.storage"),
    ("runtime.frame",),
    ("consensus.core", "ai_exec"),
    ("chain.primitives",),
)
LEVEL = {room: -floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PACKAGE_DOORS = {"chain", "consensus"}

PURE = ("chain.primitives", "consensus.core", "runtime", "ai_exec")
IMPURE_FILES = {
    "ai_exec.__main__": "the shell command",
    "ai_exec.workers": "starts and watches the child processes, and is the child process",
}
IMPURE_MODULES = {
    *("asyncio", "concurrent", "datetime", "io", "locale", "logging", "multiprocessing", "os"),
    *("pathlib", "random", "secrets", "shutil", "signal", "socket", "sqlite3", "subprocess"),
    *("sys", "tempfile", "threading", "time", "trio", "urllib", "uuid"),
}

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
FORBIDDEN_NAMES = {"common", "helpers", "manager", "misc", "types", "utils"}
TOP_LEVEL = {
    *(*PACKAGES, "tests", "examples", "pyproject.toml", "requirements.lock", "Makefile"),
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "SECURITY.md"),
    *("CHANGELOG.md", "LICENSE"),
}

SOURCES = [path for top in PACKAGES for path in sorted((ROOT / top).rglob("*.py"))]


def module_of(path: Path) -> str:
    """Give the dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """Give the room that a dotted module name lies in, if it is ours."""
    containing = [room for room in LEVEL if f"{module}.".startswith(f"{room}.")]
    return max(containing, key=len, default=None)


def imports_of(tree: ast.Module) -> set[str]:
    """Give every module name that a file imports, however it spells it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "no relative imports"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def climbs(room: str, target: str | None) -> bool:
    """Tell whether an import goes up or sideways."""
    return target is not None and target != room and LEVEL[target] >= LEVEL[room]


def violations(module: str, text: str) -> list[str]:
    """Give every house rule that a source text breaks, in words."""
    tree = ast.parse(text)
    found = [] if ast.get_docstring(tree) else ["does not say in its first line what it is for"]
    found += [f"has {text.count(chr(10))} lines"] * (text.count("\n") > FILE_LINES_MAX)
    found += [f"is called {part}" for part in module.split(".") if part in FORBIDDEN_NAMES]
    found += _long_functions(tree)
    if module in PACKAGE_DOORS:
        return found
    room = room_of(module)
    if room is None:
        return [*found, "lies in no room: add it to FLOORS"]
    imported = imports_of(tree)
    found += [f"reaches to {name}" for name in sorted(imported) if climbs(room, room_of(name))]
    pure = module.startswith(PURE) and not module.startswith(tuple(IMPURE_FILES))
    impure = sorted({name.split(".")[0] for name in imported} & IMPURE_MODULES)
    found += [f"is pure but imports {name}" for name in impure if pure]
    return found


def _long_functions(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            found += [f"{node.name} has {length} lines"] * (length > FUNCTION_LINES_MAX)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_house_rules(path: Path) -> None:
    assert violations(module_of(path), path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("consensus.core.x", '"""X."""\nimport time\n', "is pure but imports time"),
        ("consensus.core.x", '"""X."""\nfrom os import path\n', "is pure but imports os"),
        (
            "chain.pool.x",
            '"""X."""\nfrom chain.ledger import ledger\n',
            "reaches to chain.ledger.ledger",
        ),
        ("runtime.frame.x", '"""X."""\nimport cli.main\n', "reaches to cli.main"),
        ("runtime.utils", '"""X."""\n', "is called utils"),
        ("chain.attic.x", '"""X."""\n', "lies in no room: add it to FLOORS"),
        ("cli.x", "import click\n", "does not say in its first line what it is for"),
        ("cli.x", '"""X."""\n' + "\n" * 500, "has 501 lines"),
        ("cli.x", '"""X."""\ndef f():\n' + "    x = 1\n" * 60, "f has 61 lines"),
    ],
)
def test_planted_faults_are_found(module: str, text: str, complaint: str) -> None:
    assert violations(module, text) == [complaint]


def test_pallets_are_strangers() -> None:
    for path in sorted((ROOT / "runtime" / "pallets").rglob("*.py")):
        own = module_of(path).split(".")[:3]
        for name in imports_of(ast.parse(path.read_text())):
            if name.startswith("runtime.pallets.") and len(own) == 3:
                assert name.split(".")[:3] == own, f"{path} reaches to {name}"


def test_only_assembly_joins_runtime_and_execution() -> None:
    joining = {"runtime.assembly", "runtime.execution"}
    for path in sorted((ROOT / "runtime").rglob("*.py")):
        if module_of(path) not in joining:
            names = imports_of(ast.parse(path.read_text()))
            assert not any(name.split(".")[0] == "ai_exec" for name in names), path


def test_top_level_is_the_agreed_one() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - {"__pycache__", "noema.egg-info", "build"} <= TOP_LEVEL


def test_no_packages_in_tests() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
