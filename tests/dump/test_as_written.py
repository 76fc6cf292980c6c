"""The modules that are compiled say the same as they are written: all other tests run what `make` built."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.dump.dump import STORED, digest

ROOT = Path(__file__).parents[2]
STORED_DIGESTS: dict[str, str] = json.loads(STORED.read_text())
LIBRARY = "sensor._hot__mypyc"
HOT = sorted(
    path.with_name(f"{path.name.partition('.')[0]}.py") for path in (ROOT / "sensor").rglob("*/*.cpython-*.so")
)


def printed(*words: str) -> str:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, check=True, timeout=280, stdout=subprocess.PIPE, text=True).stdout


def as_written(*words: str) -> str:
    return printed("tests.dump.as_written", *words)


@pytest.mark.skipif(not HOT, reason="no module is compiled here")
def test_compiled_modules_are_those_that_are_run_and_none_is_older_than_its_source() -> None:
    library = find_spec(LIBRARY)
    assert library
    assert library.origin
    built_ns = Path(library.origin).stat().st_mtime_ns
    assert len(HOT) > 50
    assert [path for path in HOT if not path.is_file() or path.stat().st_mtime_ns > built_ns] == [], "run make"
    ran = find_spec("sensor.session.session")
    assert ran
    assert str(ran.origin).endswith(".so")


def test_sources_give_the_stored_events_of_the_projects_own_captures(tmp_path: Path) -> None:
    output = tmp_path / "dump.jsonl"
    as_written("tests.dump.dump", "-o", str(output))
    dumped = [json.loads(line) for line in output.read_text().splitlines()]
    found = {name: digest([json.dumps(event, sort_keys=True) for event in events]) for name, *events in dumped}
    assert found == {name: STORED_DIGESTS.get(name, digest([])) for name in found}
    assert len(found) > 10


@pytest.mark.skipif(not HOT, reason="no module is compiled here")
def test_sources_and_compiled_modules_say_the_same_of_damaged_dialogues() -> None:
    compiled = printed("tests.dump.damaged", "--times", "20")
    assert compiled.count("\n") > 500
    assert compiled == as_written("tests.dump.damaged", "--times", "20")
