"""The layout in figures: modules at the top of `sensor/`, imports that run up, circles, files over their sizes.

    python -m tests.layout.measure      prints them; exit code 1 if one is over its bound

The order of the folders is that of the import contract in pyproject.toml. Imports inside functions and those for
types only count as well.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("sensor", "exporters", "signatures")
#: Modules that may lie at the top of `sensor/`.
MAX_TOP_MODULES = 6
#: Lines of a file: what is large, and what is too large. Rust files count without their tests.
LARGE_LINES = {".py": 300, ".rs": 500}
MAX_LINES = {".py": 400, ".rs": 650}

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Layout:
    """What is measured of a tree."""

    top_modules: tuple[str, ...]
    upward: tuple[tuple[str, str], ...]  # importing module, imported module
    circles: tuple[tuple[str, ...], ...]  # modules that import each other, directly or not
    folder_circles: tuple[tuple[str, ...], ...]  # the same of folders
    large: tuple[tuple[str, int], ...]
    oversized: tuple[tuple[str, int], ...]

    @property
    def sound(self) -> bool:
        """Whether everything is within its bound."""
        return len(self.top_modules) <= MAX_TOP_MODULES and not (self.upward or self.circles or self.oversized)


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(root: Path) -> Graph:
    """Which module imports which, of ours only."""
    paths = modules(root)
    return {name: frozenset(_imports(name, path, paths)) for name, path in paths.items()}


def _imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if target in known else node.module for target in inner]
        else:
            continue
        yield from (target for target in targets if target in known and target != name)


def layers(root: Path) -> list[list[str]]:
    """The folders from top to bottom, as the import contract names them; those of one row do not see each other."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    return [[name.strip() for name in re.split(r"[|:]", row)] for row in contract["layers"]]


def upward_edges(graph: Graph, order: list[list[str]]) -> list[tuple[str, str]]:
    """Imports from one folder into another that is not below it."""
    rank = {name: number for number, row in enumerate(order) for name in row}

    def place(module: str) -> str | None:
        return next((name for name in rank if module == name or module.startswith(name + ".")), None)

    edges = []
    for module, targets in sorted(graph.items()):
        for target in sorted(targets):
            here, there = place(module), place(target)
            if here is not None and there is not None and here != there and rank[here] >= rank[there]:
                edges.append((module, target))
    return edges


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Groups of modules that reach each other (Tarjan's strongly connected components of more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            at = stack.index(name)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(tuple(sorted(group)))

    for name in graph:
        if name not in index:
            visit(name)
    return sorted(found)


def folder_graph(graph: Graph, root: Path) -> Graph:
    """Which folder imports which; a package's own module belongs to its folder."""
    paths = modules(root)
    folder = {name: ".".join(path.relative_to(root).parent.parts) for name, path in paths.items()}
    inner: dict[str, set[str]] = {}
    for name, targets in graph.items():
        inner.setdefault(folder[name], set()).update(folder[target] for target in targets)
    return {name: frozenset(targets - {name}) for name, targets in inner.items()}


def file_sizes(root: Path) -> Iterator[tuple[Path, int]]:
    """Every source file with its lines, Rust files without their tests."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in MAX_LINES:
                text = path.read_text(encoding="utf-8")
                yield path, text.partition("#[cfg(test)]\nmod tests")[0].count("\n")


def measure(root: Path = ROOT) -> Layout:
    """Measure the tree at `root`."""
    graph = import_graph(root)
    sizes = [(path.relative_to(root).as_posix(), lines) for path, lines in file_sizes(root)]
    return Layout(
        top_modules=tuple(sorted(path.name for path in (root / "sensor").glob("*.py") if path.stem != "__init__")),
        upward=tuple(upward_edges(graph, layers(root))),
        circles=tuple(circles(graph)),
        folder_circles=tuple(circles(folder_graph(graph, root))),
        large=tuple((name, lines) for name, lines in sizes if lines > LARGE_LINES[Path(name).suffix]),
        oversized=tuple((name, lines) for name, lines in sizes if lines > MAX_LINES[Path(name).suffix]),
    )


def main() -> int:
    """Print the figures."""
    layout = measure()
    print(f"modules at the top of sensor/: {len(layout.top_modules)} (at most {MAX_TOP_MODULES})")
    print(f"import edges that run up: {len(layout.upward)} (none allowed)")
    for edge in layout.upward:
        print(f"  {edge[0]} -> {edge[1]}")
    print(f"circles of modules: {len(layout.circles)} (none allowed); of folders: {len(layout.folder_circles)}")
    for circle in (*layout.circles, *layout.folder_circles):
        print(f"  {', '.join(circle)}")
    print(f"files that are large: {len(layout.large)}; over their size: {len(layout.oversized)} (none allowed)")
    for name, lines in layout.large:
        print(f"  {name}: {lines} lines")
    return 0 if layout.sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
