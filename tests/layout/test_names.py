"""Names that anyone reads once: a class name means one thing, and no name is a filler that could stand for anything."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Folders whose names are checked.
FOLDERS = ("sensor", "exporters")
#: Names that say nothing about the thing that has them.
FILLERS = frozenset(
    (
        *("told", "known", "made", "said", "tell", "kept", "keeping", "standing"),
        *("word", "words", "muted", "appraised", "one", "reckon", "reckoned"),
    )
)
#: A claim's standing is a field of events and of stored records, which keep their names.
FIELDS = frozenset({"claim.standing"})
EXCEPTED = frozenset({("sensor/model/attribution.py", "standing")})
#: Every kind of exporter and of attribution source has these two; their module tells them apart.
SHARED_CLASSES = frozenset({"Config", "Sender"})


def source_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives to a function, class, parameter, variable or attribute, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.Attribute(ctx=ast.Store()) if ast.unparse(node) in FIELDS:
                continue
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((alias.asname, node.lineno) for alias in aliases if alias.asname)


def fillers(path: Path) -> list[str]:
    """Each filler name of a file, as `file:line: name`; a leading underscore does not excuse one."""
    place = path.relative_to(ROOT).as_posix()
    named = [(path.stem, 1), *bound_names(ast.parse(path.read_text(encoding="utf-8")))]
    return [
        f"{place}:{line}: {name}"
        for name, line in named
        if name.strip("_").lower() in FILLERS and (place, name) not in EXCEPTED
    ]


def homonyms(paths: list[Path]) -> list[str]:
    """Class names that are defined more than once, with every place; private and shared ones excepted."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name not in SHARED_CLASSES:
                places[node.name].append(f"{path.relative_to(ROOT).as_posix()}:{node.lineno}")
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_is_a_filler(folder: str) -> None:
    found = [line for path in source_files(folder) for line in fillers(path)]
    assert not found, "\n".join(found)


def test_a_class_name_means_one_thing() -> None:
    found = homonyms(source_files(*FOLDERS))
    assert not found, "\n".join(found)


def test_every_way_of_naming_is_seen() -> None:
    source = """
import os as told
class Word:
    known: int
    def tell(self, made, *said, one=1, **kept):
        self.muted = 2
        for words, *standing in []: pass
try: ...
except OSError as appraised: ...
match 1:
    case [keeping, *word]: ...
reckon = lambda reckoned: reckoned
"""
    named = {name.lower() for name, _ in bound_names(ast.parse(source))}
    assert named >= FILLERS


if __name__ == "__main__":  # python -m tests.layout.test_names FOLDER...: what is left in those folders
    import sys

    chosen = source_files(*(sys.argv[1:] or ("sensor", "exporters")))
    print(
        "\n".join(
            [*(line for path in chosen for line in fillers(path)), *homonyms(source_files("sensor", "exporters"))]
        )
    )
