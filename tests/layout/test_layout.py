"""The layout stays what ARCHITECTURE.md says: folders instead of modules at the top, imports that run down, no
circles, files of a size.
"""

from __future__ import annotations

from pathlib import Path

from tests.layout.measure import circles, measure, upward_edges

LAYOUT = measure()


def test_sensor_holds_folders_and_few_modules() -> None:
    assert len(LAYOUT.top_modules) <= 6, LAYOUT.top_modules


def test_no_import_runs_up() -> None:
    assert not LAYOUT.upward


def test_no_modules_import_each_other() -> None:
    assert not LAYOUT.circles


def test_no_folders_import_each_other() -> None:
    assert not LAYOUT.folder_circles


def test_no_file_is_too_large() -> None:
    assert not LAYOUT.oversized


def test_an_import_that_runs_up_and_a_circle_are_found() -> None:
    graph = {"a.x": frozenset({"b.y"}), "b.y": frozenset({"b.z"}), "b.z": frozenset({"b.y", "a.x"})}
    assert upward_edges(graph, [["a"], ["b"]]) == [("b.z", "a.x")]
    assert circles(graph) == [("a.x", "b.y", "b.z")]
    assert not circles({"a": frozenset({"b"}), "b": frozenset()})


def test_names_of_files_say_what_they_hold() -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
    root = Path(__file__).parents[2]
    assert not [
        path for top in ("sensor", "exporters", "tests") for path in (root / top).rglob("*.py") if path.stem in vague
    ]
