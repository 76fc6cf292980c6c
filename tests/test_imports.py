"""Who may import whom, where import-linter cannot see it: the compiled module, and the standard library in the sans-IO middle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORES = ("sensor._core", "sensor.reference")
#: The middle gets its time and bytes as arguments; a clock or a file in it would make two replays differ.
SANS_IO = (
    "sensor/pipeline",
    "sensor/policy",
    "sensor/following",
    "sensor/openflow",
    "sensor/clocks",
    "sensor/session",
    "sensor/judge",
    "sensor/dialects",
    "sensor/account",
    "sensor/pending",
    "sensor/reading",
    "sensor/sightings",
    "sensor/jobs",
    "sensor/logins",
    "sensor/machines",
    "sensor/clocks",
    "sensor/findings",
    "sensor/flows",
    "sensor/estimate",
    "sensor/appraisal",
    "sensor/verify",
    "sensor/wallets",
    "sensor/donors",
    *(f"sensor/attribution/{name}" for name in ("decision", "claims", "index", "tree", "rows", "register", "rfc7422", "sessions")),
    "sensor/bulletin/reckon",
    "sensor/bulletin/period",
    "sensor/meter/crosscheck",
)
FORBIDDEN = {"socket", "time", "threading", "asyncio", "subprocess", "os", "io", "pathlib", "random", "multiprocessing", "select", "ssl"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module a file names, by import statement or as text given to importlib."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func)
            if function.endswith(("import_module", "__import__")):
                yield str(node.args[0].value)


@pytest.mark.parametrize("path", sources("sensor", "exporters"), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_engine_chooser_imports_a_core(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if name == "sensor/engine.py" or name.startswith("sensor/reference/"):
        return
    assert not [module for module in imported(path) if module.startswith(CORES)]


@pytest.mark.parametrize(
    "path",
    [path for path in sources("sensor") if path.relative_to(ROOT).as_posix().startswith(SANS_IO)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_middle_has_no_clock_no_socket_and_no_file(path: Path) -> None:
    assert not {module.split(".")[0] for module in imported(path)} & FORBIDDEN
    calls = [
        node.func.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert not {"open", "input", "print"} & set(calls)


@pytest.mark.parametrize("path", sources("exporters"), ids=lambda path: str(path.relative_to(ROOT)))
def test_exporters_see_records_and_nothing_else_of_ours(path: Path) -> None:
    ours = {module for module in imported(path) if module.startswith("sensor")}
    plain = ("sensor.records", "sensor.status", "sensor.summary", "sensor.figures")
    assert all(module.startswith(plain) or module == "sensor" for module in ours)


def test_the_crate_is_no_python_package() -> None:
    assert not (ROOT / "sensor/core/__init__.py").exists()
    assert not (ROOT / "sensor/core.py").exists()
