"""Who may import whom, where import-linter cannot see it: the compiled module, and the standard library in the
sans-IO middle.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORES = ("sensor._core", "sensor.reference")
#: Folders that get their time and bytes as arguments; a clock or a file in them would make two replays differ.
SANS_IO = (
    "sensor/model",
    "sensor/line",
    "sensor/session",
    "sensor/behaviour",
    "sensor/names",
    "sensor/dialects",
    "sensor/estimate",
    "sensor/wallets",
    "sensor/cases",
    "sensor/attribution/index",
    "sensor/attribution/answer",
    "sensor/bulletin",
    "exporters/forms",
    "exporters/redaction",
)
MODULES = {
    *("socket", "time", "threading", "asyncio", "subprocess", "os", "random", "multiprocessing", "select", "ssl"),
    *("pathlib", "urllib", "http", "urllib3", "h11", "signal"),
}
#: What those modules have that does no input or output.
PURE = {"PurePath", "PurePosixPath", "PureWindowsPath", "AF_INET", "AF_INET6", "inet_ntop", "inet_pton"}
CALLS = {"open", "input", "print"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Every module a file names, by import statement or as text given to importlib."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if {name.name for name in node.names} <= PURE:
                continue
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func)
            if function.endswith(("import_module", "__import__")):
                yield str(node.args[0].value)


@pytest.mark.parametrize("path", sources("sensor", "exporters"), ids=name_of)
def test_only_the_intake_imports_a_core(path: Path) -> None:
    if name_of(path).startswith(("sensor/intake/", "sensor/reference/")):
        return
    assert not [module for module in imported(path) if module.startswith(CORES)]


@pytest.mark.parametrize("path", sources(*SANS_IO), ids=name_of)
def test_the_middle_has_no_clock_no_socket_and_no_file(path: Path) -> None:
    assert not {module.split(".")[0] for module in imported(path)} & MODULES
    calls = [
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert not CALLS & set(calls)


@pytest.mark.parametrize("path", sources("sensor/model"), ids=name_of)
def test_plain_data_imports_nothing_of_ours(path: Path) -> None:
    ours = [module for module in imported(path) if module.startswith(("sensor", "exporters", "signatures"))]
    assert all(module.startswith("sensor.model") for module in ours)


def test_the_crate_is_no_python_package() -> None:
    assert not (ROOT / "sensor/core/__init__.py").exists()
    assert not (ROOT / "sensor/core.py").exists()


@pytest.mark.parametrize("heavy", ["sqlalchemy", "numpy", "urllib3"])
def test_reading_the_configuration_loads_nothing_heavy(heavy: str) -> None:
    """Every command reads it; a replay without a ledger and without books should not wait for them."""
    code = f"import sys, sensor.daemon.configuration; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
