"""Changes are written so that they are found again when other lines move, and each has one reason."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.covering import Covering
from tests.mutation.reasons import FOLDER, excerpt

ROOT = Path(__file__).parents[2]
PARTS = tomllib.loads(Path(__file__).with_name("parts.toml").read_text(encoding="utf-8"))


def test_a_change_is_written_with_what_stands_around_it_in_its_line() -> None:
    original = "first = 1\n    if shares > 0 and hours:\n        return shares\n"
    changed = original.replace("> 0", ">= 0")
    assert excerpt(original, changed) == "if shares >= 0 and hours:"
    assert excerpt("x\n" + original, "x\n" + changed) == excerpt(original, changed)
    assert excerpt("a = b\n", "a = \n") == "a ="


@pytest.mark.parametrize("part", PARTS)
def test_each_change_that_survives_has_one_reason_and_a_module(part: str) -> None:
    entries = tomllib.loads((FOLDER / f"{part}.toml").read_text(encoding="utf-8"))["reason"]
    changes = Counter(change for entry in entries for change in entry["changes"])
    assert [change for change, count in changes.items() if count > 1] == []
    assert {change for change in changes if not (ROOT / change.partition(":")[0]).is_file()} == set()
    assert all(entry["why"].strip() for entry in entries)


def test_the_tests_of_a_statement_are_those_that_run_it_the_quickest_first(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "LIMIT = 3\n\n\ndef held(\n    count: int,\n) -> bool:\n    return (\n        count < LIMIT\n    )\n"
    )
    name = str(module)
    covering = Covering({"tests/a.py::slow": 2.0, "tests/a.py::quick": 1.0, "tests/b.py::other": 0.5})
    covering.runs[name, 7] |= {"tests/a.py::slow", "tests/a.py::quick"}
    assert covering.tests(name, 8) == ["tests/a.py::quick", "tests/a.py::slow"]
    assert covering.tests(name, 1) == ["tests/a.py::quick", "tests/a.py::slow", "tests/b.py::other"]
    covering.runs[name, 8] = {"tests/b.py"}
    assert covering.tests(name, 8) == ["tests/b.py::other", "tests/a.py::quick", "tests/a.py::slow"]
