"""How little a command imports to begin with. Bounds of modules, not of time: those hold on any machine.

A library that a run does not need is the larger part of its start: pydantic's models take 0.1 s, rich 0.04 s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.cli.replay_settings import ReplaySettings, configured
from sensor.cli.terminal import FORCED_COLOURS
from sensor.daemon.configuration import Configuration
from sensor.line.judged_session import USUAL_RULES
from sensor.line.replay import LaterCounters, replay
from sensor.line.suppress import USUAL_SUPPRESSION
from sensor.signatures import load

ROOT = Path(__file__).parents[2]
#: A capture without a packet (pcap's header of 24 bytes, microseconds, Ethernet).
EMPTY = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
#: Runs a command and tells what it imported, on the last line.
PROBE = """
import json, sys
from sensor.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
#: What no run needs that meets nothing of interest, and has neither configuration nor terminal.
HEAVY = (
    *("pydantic", "pydantic_core", "sqlalchemy", "numpy", "rich", "yaml", "Crypto", "stdnum", "jinja2", "alembic"),
    *("urllib3", "ssl", "asyncio", "statistics", "ctypes", "lz4", "zstandard"),
    *("sensor.attribution", "sensor.ledger", "sensor.daemon", "sensor.delivery", "sensor.settings", "sensor.session"),
    *("sensor.line.pipeline", "sensor.behaviour", "sensor.dialects", "sensor.estimate", "sensor.reference"),
    *("sensor.signatures.loader", "exporters.kinds", "exporters.forms.table"),
)
#: Modules of ours that such a run imports: there were 279 of them, and 400 of others.
MOST_OURS, MOST_OTHERS = 46, 130


def imported(*words: str, cache: Path) -> tuple[int, set[str]]:
    """The exit code of a command, and all that it imported."""
    drawn = {"COLUMNS", *FORCED_COLOURS}  # xdist sets a narrow terminal
    plain = {name: value for name, value in os.environ.items() if name not in drawn}
    environment = {**plain, "PYTHONPATH": str(ROOT), "MINEWATCH_CACHE": str(cache)}
    line = [sys.executable, "-c", PROBE, *words]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=ROOT, check=True, timeout=120)
    code, names = json.loads(done.stdout.rpartition("\n")[0].rpartition("\n")[2] or done.stdout.splitlines()[-1])
    return code, set(names)


def among(names: set[str], heavy: tuple[str, ...]) -> list[str]:
    """Those of the names that are heavy, or below what is."""
    return sorted(name for name in names if any(name == one or name.startswith(f"{one}.") for one in heavy))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty capture."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(EMPTY)
    return path


def test_a_replay_without_books_imports_no_more_than_it_needs(empty: Path, tmp_path: Path) -> None:
    words = ("replay", str(empty), "--engine", "compiled")
    code, _ = imported(*words, cache=tmp_path / "cache")
    if code:
        pytest.skip("the compiled core is not built")
    code, names = imported(*words, cache=tmp_path / "cache")  # the first run left what the second finds
    assert code == 0
    assert not among(names, HEAVY)
    ours = among(names, ("sensor", "exporters", "signatures"))
    assert len(ours) <= MOST_OURS, ours
    assert len(names) - len(ours) <= MOST_OTHERS, sorted(names.difference(ours))


def test_its_events_go_the_same_way(empty: Path, tmp_path: Path) -> None:
    words = ("replay", str(empty), "--eve", str(tmp_path / "eve.json"), "-q")
    imported(*words, cache=tmp_path / "cache")
    code, names = imported(*words, cache=tmp_path / "cache")
    assert code == 0
    assert not among(names, ("pydantic", "sqlalchemy", "rich", "yaml", "sensor.attribution", "sensor.line.pipeline"))


@pytest.mark.parametrize("words", [("--help",), ("version",), ("replay", "--help"), ("-V",)], ids=" ".join)
def test_help_and_version_import_nothing_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    code, names = imported(*words, cache=tmp_path)
    assert code == 0
    assert not among(names, HEAVY)


def test_a_configuration_without_books_imports_none_of_their_libraries(empty: Path, tmp_path: Path) -> None:
    code, names = imported("replay", str(empty), "--set", "workers=1", cache=tmp_path)
    assert code == 0
    libraries = ("sqlalchemy", "numpy", "urllib3", "rich", "alembic", "stdnum")
    assert not among(names, (*libraries, "sensor.attribution.formats", "sensor.attribution.index"))


def test_a_daemon_without_books_has_none_of_their_libraries() -> None:
    code = "import json, sys, sensor.cli.run; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True, timeout=120)
    assert not among(set(json.loads(done.stdout)), ("numpy", "stdnum", "jinja2", "babel", "urllib3", "Crypto.Hash"))


def test_what_is_taken_without_a_configuration_is_what_it_says_by_default() -> None:
    usual, given = ReplaySettings(), configured(Configuration())
    for name in ("engine", "workers", "eve", "stats", "redact", "name_persons"):
        assert getattr(usual, name) == getattr(given, name), name
    assert list(given.signature_files) == list(usual.signature_files) == list(given.host_lists) == []
    assert given.limits == Configuration().limits.model_dump()  # of which a test says that they are the core's own


def test_the_lines_own_defaults_are_those_of_the_configuration() -> None:
    from sensor.daemon.behaviour import behaviour_rules
    from sensor.line.pipeline import ASSUMED, SAMPLED

    settings = configured(Configuration())
    assert (settings.sampling, settings.assumptions) == (SAMPLED, ASSUMED)
    assert behaviour_rules(Configuration().behaviour) == USUAL_RULES
    findings = Configuration().findings
    for name in ("activities", "least_grade", "least_confidence", "allow"):
        usual, given = getattr(USUAL_SUPPRESSION, name), getattr(findings, name)
        assert (list(usual) == list(given)) if isinstance(given, list) else (usual == given), name


def test_a_line_that_was_never_needed_counts_as_one_that_was(empty: Path) -> None:
    from sensor.intake import engine
    from sensor.line.pipeline import Pipeline
    from sensor.model.events import End

    result = replay([str(empty), str(empty.with_name("none.pcap"))], load(), engine.load("reference"), {})
    assert isinstance(result.lines, LaterCounters)
    assert (result.records, result.sources, len(result.problems)) == ([], 1, 1)
    whole = Pipeline(load())
    whole.step([End(str(empty), 0, None, 24)])
    assert dict(result.lines) == whole.counters
