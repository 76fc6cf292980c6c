"""Additions touch the files that CONTRIBUTING.md names, and no others: each is made in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.recipes import DIALECT, EVIDENCE, EXPORTER, FRAMING, GENERATED, HERE, RECIPES, SOURCE, Recipe

ROOT = Path(__file__).parents[2]
ids = [recipe.name for recipe in RECIPES]


def section(title: str) -> str:
    """A section of CONTRIBUTING.md, up to the next heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(title)}\n(.*?)^#", text, re.DOTALL | re.MULTILINE)
    assert found, f"CONTRIBUTING.md has no section {title!r}"
    return found[1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as git has it, with what was built of the core."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("the tree is no checkout of git")
    target = tmp_path_factory.mktemp("copy")
    built = [path.relative_to(ROOT).as_posix() for path in (ROOT / "sensor").glob("_core*.so")]
    for name in [*filter(None, listed.stdout.decode().split("\0")), *built]:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    return target


@pytest.fixture
def tree(copy: Path, tmp_path: Path) -> Path:
    """A copy of the tree for one test."""
    target = tmp_path / "tree"
    shutil.copytree(copy, target)
    return target


def python(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a tree, on that tree's packages."""
    variables = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=tree, env=variables, capture_output=True, text=True, check=False
    )


def add(recipe: Recipe, tree: Path, edits: bool = True) -> set[str]:
    """Add what the recipe says; the files that were touched."""
    touched = set()
    if recipe is DIALECT:
        text = re.search(r"```yaml\n(kind: dialect\n.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
        assert text
        (tree / "signatures/dialects/brook.yaml").write_text(text[1].replace("id: 5001", "id: 1999"))
        touched.add("signatures/dialects/brook.yaml")
    for path in sorted((HERE / "added" / recipe.name).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(HERE / "added" / recipe.name).as_posix()
            assert not (tree / name).exists()
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tree / name)
            touched.add(name)
    for edit in recipe.edits if edits else ():
        path = tree / edit.file
        path.write_text(edit.applied(path.read_text(encoding="utf-8")), encoding="utf-8")
        touched.add(edit.file)
    return touched


def complaints(recipe: Recipe, tree: Path) -> Iterator[str]:
    """What the checks say of a tree to which the recipe was added."""
    for words in (*recipe.commands, ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *recipe.tests)):
        done = python(tree, *words)
        if done.returncode:
            yield f"{' '.join(words)}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
    if recipe.crate_tests is not None and shutil.which("cargo") and shutil.which("cc"):
        command = ["cargo", "test", "-q", "--offline", "--lib", "--manifest-path", "sensor/core/Cargo.toml"]
        variables = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "build" / "cargo")}
        done = subprocess.run(
            [*command, recipe.crate_tests], cwd=tree, env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode or "0 passed" in done.stdout:
            yield f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"


@pytest.mark.parametrize("recipe", RECIPES, ids=ids)
def test_contributing_names_the_files_of_the_recipe(recipe: Recipe) -> None:
    assert re.findall(r"^- `([^`]+)`", section(recipe.title), re.MULTILINE) == list(recipe.names)


def test_the_copy_is_what_is_tested(copy: Path) -> None:
    done = python(copy, "-c", "import exporters, sensor; print(sensor.__file__, exporters.__file__)")
    assert [Path(name).is_relative_to(copy) for name in done.stdout.split()] == [True, True]


@pytest.mark.parametrize("recipe", RECIPES, ids=ids)
def test_nothing_else_has_to_be_touched(recipe: Recipe, tree: Path) -> None:
    assert add(recipe, tree) == recipe.files
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    done = python(tree, "docs/reference.py")
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tree).as_posix() for path, data in before.items() if path.read_bytes() != data}
    assert written <= GENERATED
    for complaint in complaints(recipe, tree):
        pytest.fail(complaint, pytrace=False)


@pytest.mark.parametrize("recipe", [EXPORTER, SOURCE, FRAMING, EVIDENCE], ids=lambda recipe: recipe.name)
def test_an_addition_that_leaves_out_a_named_file_is_noticed(recipe: Recipe, tree: Path) -> None:
    add(recipe, tree, edits=False)
    done = python(tree, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", recipe.tests[0])
    assert done.returncode == 1, done.stdout
