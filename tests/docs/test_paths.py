"""What documents name exists: files and folders of the tree, modules, targets of make.

CHANGELOG.md is left out: it tells of files as they were.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, documents, name_of

#: A path below one of the tree's folders; `<name>` and `*` stand for any name.
PATH = re.compile(r"(?<![\w./-])(?:sensor|exporters|signatures|tests|docs|deploy)/[\w./<>*-]*[\w/>*]")
#: `exporters.eve` and `signatures.files` are keys of the configuration, so only these two packages.
MODULE = re.compile(r"(?<![\w./-])(?:sensor|tests)(?:\.[a-z_]\w*)+(?![\w/])")
TARGET = re.compile(r"`make ([a-z-]+)`")
CHECKED = [path for path in documents() if path.name != "CHANGELOG.md"]


@pytest.mark.parametrize("document", CHECKED, ids=name_of)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    named = set(PATH.findall(document.read_text(encoding="utf-8")))
    missing = [name for name in sorted(named) if not exists(name)]
    assert not missing


def exists(name: str) -> bool:
    """Whether there is such a file or folder, or any that a pattern stands for."""
    pattern = re.sub(r"<[^>]*>", "*", name)
    found = list(ROOT.glob(pattern.rstrip("/")))
    return any(path.is_dir() for path in found) if name.endswith("/") else bool(found)


@pytest.mark.parametrize("document", CHECKED, ids=name_of)
def test_every_module_that_a_document_names_exists(document: Path) -> None:
    named = set(MODULE.findall(document.read_text(encoding="utf-8")))
    missing = [name for name in sorted(named) if not is_module(name)]
    assert not missing


def is_module(name: str) -> bool:
    """Whether this is a module of the tree, or something that a module defines."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or any(path.with_suffix(suffix).exists() for suffix in (".py", ".pyi", ".md", ".yaml")):
        return True
    defined = re.compile(rf"^(?:def|class|async def) {path.name}\b|^{path.name}\b.*=", re.MULTILINE)
    return any(file.exists() and defined.search(file.read_text()) for file in owners(path.parent))


def owners(path: Path) -> tuple[Path, Path]:
    """The files that may define what a dotted name's last part names."""
    return path.with_suffix(".py"), path / "__init__.py"


@pytest.mark.parametrize("document", CHECKED, ids=name_of)
def test_every_target_of_make_that_a_document_names_exists(document: Path) -> None:
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(document.read_text(encoding="utf-8"))) <= rules
