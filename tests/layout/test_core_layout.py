"""The Rust core's folders import each other in one direction: the order is the one that its lib.rs states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout.measure import ROOT, Graph, circles, upward_edges

SOURCES = ROOT / "sensor" / "core" / "src"


def rust_modules(sources: Path) -> dict[str, Path]:
    """Every module by its path below the crate, "wire::decode"; a folder's mod.rs is the folder."""
    found = {}
    for path in sorted(sources.rglob("*.rs")):
        parts = path.relative_to(sources).with_suffix("").parts
        found["::".join(parts[:-1] if parts[-1] == "mod" else parts)] = path
    del found["lib"]
    return found


def code(text: str) -> str:
    """The text without comments and string literals. A file's own tests stay: they import no more than the rest."""
    return re.sub(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"', lambda found: '""' if found[0][0] == '"' else "", text, flags=re.S
    )


def expand(path: str) -> Iterator[str]:
    """The paths of a use tree: "a::{b, c::{d, e}}" gives a::b, a::c::d, a::c::e."""
    head, brace, rest = path.partition("{")
    if not brace:
        yield re.split(r"\s+as\s+", path.strip())[0]
        return
    depth, start = 0, 0
    inner = rest[: rest.rindex("}")]
    for at, letter in enumerate(inner + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if branch := inner[start:at].strip():
                yield from (head + tail for tail in expand(branch))
            start = at + 1


def paths(text: str) -> Iterator[str]:
    """Every path from the crate's root, of `use` and of expressions."""
    text = code(text)
    for found in re.finditer(r"\buse\s+(crate::[^;]+);", text):
        yield from expand(found[1])
    yield from re.findall(r"\bcrate(?:::\w+)+", re.sub(r"\buse\s+[^;]+;", "", text))


def module_of(path: str, modules: dict[str, Path]) -> str | None:
    """The module that a path from the crate's root names: the longest one that begins it."""
    parts = re.split(r"\s*::\s*", path)[1:]
    names = ("::".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in modules), None)


def rust_graph(sources: Path) -> Graph:
    """Which module of the core imports which, by dotted names."""
    modules = rust_modules(sources)
    graph = {}
    for name, path in modules.items():
        used = {module_of(used, modules) for used in paths(path.read_text(encoding="utf-8"))}
        graph[name.replace("::", ".")] = frozenset(
            module.replace("::", ".") for module in used if module not in (None, name)
        )
    return graph


def order(sources: Path) -> list[list[str]]:
    """The rows of the table in lib.rs, from top to bottom; those of one row do not see each other."""
    (table,) = re.findall(r"//! ```text\n(.*?)//! ```\n", (sources / "lib.rs").read_text(encoding="utf-8"), re.S)
    rows = [re.split(r"\s{2,}", line.removeprefix("//! "))[0] for line in table.splitlines()]
    return [row.split(" | ") for row in rows]


GRAPH = rust_graph(SOURCES)


def test_every_folder_has_its_place_in_the_order() -> None:
    assert sorted(name for row in order(SOURCES) for name in row) == sorted({name.partition(".")[0] for name in GRAPH})


def test_paths_begin_at_the_root_and_folders_only_list_their_modules() -> None:
    """Then the paths from the root are all there are. A file's own tests may name the file."""
    for path in SOURCES.rglob("*.rs"):
        text = code(path.read_text(encoding="utf-8"))
        assert not re.search(r"\b(super|self)::(?!\*;)", text), path
        if path.name in ("mod.rs", "lib.rs"):
            lines = [line for line in text.splitlines() if line.strip()]
            assert all(re.fullmatch(r"(pub )?mod \w+;|#\[.*\]", line) for line in lines), path


def test_no_import_runs_up() -> None:
    assert not upward_edges(GRAPH, order(SOURCES))


def test_no_modules_import_each_other() -> None:
    assert not circles(GRAPH)


def test_no_folders_import_each_other() -> None:
    folders: dict[str, set[str]] = {}
    for name, targets in GRAPH.items():
        folders.setdefault(name.partition(".")[0], set()).update(found.partition(".")[0] for found in targets)
    assert not circles({name: frozenset(targets - {name}) for name, targets in folders.items()})


def test_the_graph_is_not_empty() -> None:
    assert "wire.layer" in GRAPH["wire.decode"]
    assert "flow.worker" in GRAPH["threads.dispatch"]
    assert sum(map(len, GRAPH.values())) > 50


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "use crate::a::{self, b::{C, d}, E as F};",
            ["crate::a::self", "crate::a::b::C", "crate::a::b::d", "crate::a::E"],
        ),
        ("fn f() { crate::a::g(crate::h::I) } // crate::no", ["crate::a::g", "crate::h::I"]),
        ('pub(crate) use crate::x; const T: &str = "crate::no";', ["crate::x"]),
    ],
)
def test_paths_are_found_in_use_trees_and_expressions(source: str, expected: list[str]) -> None:
    assert list(paths(source)) == expected


def test_an_import_that_runs_up_is_found(tmp_path: Path) -> None:
    for name, text in {
        "lib.rs": "//! ```text\n//! top       it\n//! a | b     them\n//! ```\n",
        "top.rs": "use crate::a::x::X;",
        "a/mod.rs": "pub mod x;",
        "a/x.rs": "use crate::top::T; use crate::a::y::Y;",
        "a/y.rs": "fn f() { crate::a::x::g() }",
        "b/mod.rs": "",
        "b/z.rs": "use crate::a::y::Y;",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = rust_graph(tmp_path)
    assert upward_edges(graph, order(tmp_path)) == [("a.x", "top"), ("b.z", "a.y")]
    assert circles(graph) == [("a.x", "a.y", "top")]
